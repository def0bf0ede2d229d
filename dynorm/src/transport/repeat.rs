//! The repetitions of single writes that must not be repeated blindly: those with a condition, and those that change what
//! they find.
//!
//! The SDK's retries hide whether an attempt was lost. With them a write meets its own earlier attempt, and reports a
//! conflict with itself; so they are off here, and this loop remembers which attempts got no answer.

use super::{Answer, Failure, FailureKind, Operation, send};
use crate::batch::Retry;
use crate::database::Database;

/// What may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Whatever may succeed the next time, even if it was applied already.
    Any,
    /// Only what is known not to have been applied: a second time, the answer would be another.
    NotApplied,
}

/// The attempts at one write; between them there are up to 50, 100, 200, 400 and 800 ms.
const ATTEMPTS: u32 = 6;

/// Sends a write, and again if that may help.
///
/// [`Failure::outcome_known`] is false if any attempt may have been applied. A condition that fails after such an attempt may
/// have met what that attempt wrote, so it is no proof that nothing was changed. That the stored item equals what was to be
/// written proves nothing either: somebody else may have written the same.
pub(crate) async fn send_write(
    database: &Database,
    operation: Operation,
    table: &str,
    body: Vec<u8>,
    repeat: Repeat,
) -> Result<Answer, Failure> {
    let retry = Retry::default();
    let mut random = retry.random();
    let mut unknown = false;
    let mut attempt = 1;
    loop {
        let failure = match send(database.once(), operation, table, body.clone()).await {
            Ok(answer) => return Ok(answer),
            Err(failure) => failure,
        };
        unknown |= !failure.outcome_known;
        let may_repeat = may_succeed(failure.kind) && (repeat == Repeat::Any || !unknown);
        if attempt == ATTEMPTS || !may_repeat {
            return Err(Failure { outcome_known: !unknown, ..failure });
        }
        tokio::time::sleep(retry.delay(attempt, &mut random)).await;
        attempt += 1;
    }
}

/// True for failures that may pass.
const fn may_succeed(kind: FailureKind) -> bool {
    match kind {
        FailureKind::Throttled
        | FailureKind::HotKeys
        | FailureKind::Conflict
        | FailureKind::Unreachable
        | FailureKind::Timeout
        | FailureKind::Server => true,
        FailureKind::ConditionFailed
        | FailureKind::TableNotFound
        | FailureKind::AccessDenied
        | FailureKind::Credentials
        | FailureKind::Rejected => false,
    }
}
