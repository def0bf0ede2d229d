//! Repeating requests that the SDK must not repeat by itself: writes with a condition, writes that depend on
//! the stored item, and transactions, whose token makes repeating safe.
//!
//! The SDK's retries hide whether an attempt was lost: a write could find the result of its own earlier
//! attempt, and report a conflict with itself. So they are disabled here, and these loops remember whether an
//! attempt got no answer.

use std::time::Duration;

use tokio::time::Instant;

use super::{Answer, Failure, FailureKind, Operation, send, send_batch};
use crate::backoff::Backoff;
use crate::database::Database;

/// Which failed attempts of a write may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Attempts that may succeed the next time, even if they may have been applied.
    Any,
    /// Only attempts that are known not to have been applied: after an applied one, the answer would differ.
    NotApplied,
}

/// Sends a write, and repeats it while that may help.
///
/// [`Failure::outcome_known`] is false if any attempt may have been applied. A condition that fails after
/// such an attempt may have found what that attempt wrote, so it does not prove that nothing was changed. Nor
/// does a stored item that equals the one to be written: another client may have written the same.
pub(crate) async fn send_write(
    database: &Database,
    operation: Operation,
    table: &str,
    body: Vec<u8>,
    repeat: Repeat,
) -> Result<Answer, Failure> {
    let backoff = Backoff::WRITE;
    let mut random = fastrand::Rng::new();
    let mut unknown = false;
    let mut attempt = 1;
    loop {
        let failure = match send(database.once(), operation, table, body.clone()).await {
            Ok(answer) => return Ok(answer),
            Err(failure) => failure,
        };
        unknown |= !failure.outcome_known;
        let may_repeat = failure.kind.is_retryable() && (repeat == Repeat::Any || !unknown);
        if attempt == backoff.attempts || !may_repeat {
            return Err(Failure { outcome_known: !unknown, ..failure });
        }
        tokio::time::sleep(backoff.delay(attempt, &mut random)).await;
        attempt += 1;
    }
}

/// How long a token safely keeps a transaction from being applied twice. DynamoDB remembers it for ten
/// minutes, and an attempt takes time as well.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
const TOKEN_LIFE: Duration = Duration::from_secs(9 * 60);

/// Sends a transaction, and repeats it with the same token while that may help, so that it is applied at most
/// once.
///
/// [`Failure::outcome_known`] is false if an attempt got no answer and no later answer tells. A refusal, for
/// a condition or as invalid, does tell: if an earlier attempt had been applied, the answer to the same token
/// would be a success.
pub(crate) async fn send_transaction(
    database: &Database,
    operation: Operation,
    tables: &[&str],
    operations: usize,
    body: Vec<u8>,
) -> Result<Answer, Failure> {
    let backoff = Backoff::TRANSACTION;
    let mut random = fastrand::Rng::new();
    let start = Instant::now();
    let mut unknown = false;
    let mut attempt = 1;
    loop {
        let sent = send_batch(database.once(), operation, tables, Some(operations), body.clone()).await;
        let failure = match sent {
            Ok(answer) => return Ok(answer),
            Err(failure) => failure,
        };
        let is_retryable = failure.is_retryable();
        if failure.answered && failure.kind == FailureKind::Rejected && !is_retryable {
            unknown = false;
        } else {
            // A transaction in progress with this token is an earlier attempt at this one.
            unknown |= !failure.outcome_known || failure.code() == "TransactionInProgressException";
        }
        let too_late = unknown && start.elapsed() >= TOKEN_LIFE;
        if attempt == backoff.attempts || !is_retryable || too_late {
            return Err(Failure { outcome_known: !unknown, ..failure });
        }
        tokio::time::sleep(backoff.delay(attempt, &mut random)).await;
        attempt += 1;
    }
}
