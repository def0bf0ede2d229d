//! The error of a transaction.

use std::fmt;

use super::words::unknown;
use super::{Doing, Error, OperationKind, Subject};

/// The details of a transaction that was cancelled, or could not be sent, because of some of its operations.
#[derive(Debug)]
pub struct TransactionReport {
    pub(crate) subject: Subject,
    pub(crate) failures: Vec<FailedOperation>,
    /// True if DynamoDB cancelled it; false if it was refused before it was sent.
    pub(crate) sent: bool,
    pub(crate) outcome_known: bool,
}

/// An operation that made its transaction fail; see
/// [`Error::failed_operations`](crate::Error::failed_operations).
#[derive(Debug)]
#[non_exhaustive]
pub struct FailedOperation {
    /// The number of the operation, from 1, in the order of the calls.
    pub number: usize,
    /// What the operation was to do.
    pub kind: OperationKind,
    /// Why it failed: the error that the same operation would give outside of a transaction, with entity,
    /// table, key, and the item that a condition found.
    pub reason: Error,
}

impl FailedOperation {
    pub(crate) fn new(index: usize, kind: OperationKind, reason: Error) -> Self {
        Self { number: index + 1, kind, reason }
    }

    /// The reason alone, without the operation, entity, table and key.
    fn why(&self) -> String {
        let with = |what: &str, detail: &str| match detail {
            "" => what.to_owned(),
            detail => format!("{what}: {detail}"),
        };
        let detail = self.reason.report().map_or("", |report| report.detail.as_str());
        match &self.reason {
            Error::ConditionFailed(_) if self.kind == OperationKind::Creating => {
                "an item with this key exists".to_owned()
            }
            Error::ConditionFailed(_) => "the condition does not hold".to_owned(),
            Error::NotFound(_) => "there is no such item".to_owned(),
            Error::Conflict(_) => "another write or transaction is at the item".to_owned(),
            Error::Throttled(_) => with("throttled", detail),
            Error::Rejected(_) => with("the server refused it", detail),
            Error::Server(_) => with("the server failed", detail),
            Error::AccessDenied(_) => with("access denied", detail),
            Error::Invalid(_) | Error::VersionConflict(_) | Error::UniqueConflict(_) => detail.to_owned(),
            Error::ValidationFailed(report) => with("it breaks its rules", &report.violated()),
            // The error of the transaction has no source, since several operations may have failed.
            Error::Refused(report) => {
                let source = report.source.as_ref().map(ToString::to_string).unwrap_or_default();
                with(&format!("refused by its hook `{detail}`"), &source)
            }
            reason => reason.to_string(),
        }
    }
}

impl fmt::Display for FailedOperation {
    /// `2 (update of `User` with id = 01H… in the table `users`): the condition does not hold`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}", self.number, self.kind)?;
        if let Some(subject) = self.reason.subject() {
            write!(f, " of {subject}")?;
        }
        write!(f, "): {}", self.why())
    }
}

impl From<TransactionReport> for Error {
    fn from(report: TransactionReport) -> Self {
        Self::Transaction(Box::new(report))
    }
}

impl fmt::Display for TransactionReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// The message names this many operations; `failed_operations` returns all of them.
        const SHOWN: usize = 5;
        let Self { subject, failures, sent, outcome_known } = self;
        let what = match (sent, subject.operation) {
            (false, _) => "was not sent",
            (true, Doing::Reading) => "was cancelled",
            (true, _) if *outcome_known => "was cancelled, and nothing was changed",
            (true, _) => "was cancelled",
        };
        write!(f, "{} {what}: ", subject.count())?;
        for (position, failure) in failures.iter().take(SHOWN).enumerate() {
            if position > 0 {
                f.write_str("; ")?;
            }
            fmt::Display::fmt(failure, f)?;
        }
        if let Some(more @ 1..) = failures.len().checked_sub(SHOWN) {
            write!(f, "; and {more} more")?;
        }
        if failures.iter().all(|failure| failure.reason.is_retryable()) {
            f.write_str("; try again")?;
        }
        f.write_str(unknown(*outcome_known))
    }
}
