//! The repetitions of single writes that must not be repeated blindly, those with a condition, and those that
//! change what they find; and those of transactions, which a token makes safe.
//!
//! The SDK's retries hide whether an attempt was lost. With them a write meets its own earlier attempt, and
//! reports a conflict with itself; so they are off here, and this loop remembers which attempts got no
//! answer.

use std::time::Duration;

use tokio::time::Instant;

use super::{Answer, Failure, FailureKind, Operation, send, send_batch};
use crate::backoff::Backoff;
use crate::database::Database;

/// What may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Whatever may succeed the next time, even if it was applied already.
    Any,
    /// Only what is known not to have been applied: a second time, the answer would be another.
    NotApplied,
}

/// Sends a write, and again if that may help.
///
/// [`Failure::outcome_known`] is false if any attempt may have been applied. A condition that fails after
/// such an attempt may have met what that attempt wrote, so it is no proof that nothing was changed. That the
/// stored item equals what was to be written proves nothing either: somebody else may have written the same.
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
        let may_repeat = failure.kind.may_pass() && (repeat == Repeat::Any || !unknown);
        if attempt == backoff.attempts || !may_repeat {
            return Err(Failure { outcome_known: !unknown, ..failure });
        }
        tokio::time::sleep(backoff.delay(attempt, &mut random)).await;
        attempt += 1;
    }
}

/// For how long a token surely keeps a transaction from being applied twice: DynamoDB knows it again for ten
/// minutes, and an attempt takes its time as well.
const TOKEN_LIFE: Duration = Duration::from_secs(9 * 60);

/// Sends a transaction, and again if that may help: with the same token, so that it is applied once.
///
/// [`Failure::outcome_known`] is false if an attempt got no answer and no later one settles it. An answer
/// that refuses the transaction, for a condition or as invalid, does: had an earlier attempt been applied,
/// the answer to the same token would be a success.
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
        let may_pass = failure.may_pass();
        if failure.answered && failure.kind == FailureKind::Rejected && !may_pass {
            unknown = false;
        } else {
            // One that is in progress has this token, so it is an attempt at this very transaction.
            unknown |= !failure.outcome_known || failure.code() == "TransactionInProgressException";
        }
        let too_late = unknown && start.elapsed() >= TOKEN_LIFE;
        if attempt == backoff.attempts || !may_pass || too_late {
            return Err(Failure { outcome_known: !unknown, ..failure });
        }
        tokio::time::sleep(backoff.delay(attempt, &mut random)).await;
        attempt += 1;
    }
}
