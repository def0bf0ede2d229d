//! The meaning of a failed write, decided by the item that DynamoDB returned.

use super::claims::{Claim, Known, unsettled};
use crate::codec::{Item, Scanner, ValueError};
use crate::entity::{EntityInfo, is_of_type};
use crate::error::{Error, Report, StoredItem, Subject};
use crate::rules::{Existence, Versions, Visibility, stored_version};
use crate::transport::{CancellationReason, Failure, FailureKind};

/// What must have held for a write.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meaning {
    pub(super) existence: Existence,
    /// The version on which it was based; 0 for none.
    pub(super) version: Option<u64>,
    /// True if it raises the version, whatever it is.
    pub(super) raises: bool,
    /// The item that was to be written.
    pub(super) attempted: Option<Vec<u8>>,
    /// The known state of the unique values.
    pub(super) known: Option<Known>,
}

/// Why a condition failed.
enum Cause {
    NotFound,
    Version(Versions),
    LastVersion(u64),
    Unreadable(ValueError),
    /// The caller's own condition, or the condition that there is no item.
    Condition,
}

impl Meaning {
    /// Returns what a failure of a write with these claims means: the stored item, if the write may succeed
    /// when it is made anew for that item, or the error.
    pub(super) fn explain(
        &self,
        claims: &[Claim],
        mut failure: Failure,
        subject: &Subject,
        attempted: Option<&[u8]>,
    ) -> Result<Known, Error> {
        let mut reasons = std::mem::take(&mut failure.reasons);
        let is_condition = |reason: &CancellationReason| reason.kind() == FailureKind::ConditionFailed;
        let failed = reasons.iter().position(is_condition);
        let failed = failed.or_else(|| reasons.iter().position(|reason| !reason.is_none()));
        let claim = failed.and_then(|position| claims.get(position.checked_sub(1)?));
        if let Some(position) = failed {
            failure = reasons.swap_remove(position).into_failure(failure.outcome_known);
        }
        match (claim, &self.known) {
            (None, known) => match known.as_ref().and_then(|known| known.observe(&failure, subject)) {
                Some(known) => Ok(known),
                None => Err(self.error(failure, subject.clone(), attempted)),
            },
            // The value to be released belongs to another item, so its claim is left alone.
            (Some(claim), Some(known)) if !claim.takes() && failure.kind == FailureKind::ConditionFailed => {
                let foreign = known.foreign.iter().cloned().chain(claim.text()).collect();
                Ok(Known { before: known.before.clone(), foreign })
            }
            (Some(claim), _) => Err(claim.error(failure, subject.clone())),
        }
    }

    /// Returns the error of a write that is not made anew.
    pub(crate) fn error(&self, failure: Failure, subject: Subject, attempted: Option<&[u8]>) -> Error {
        let Some(info) = subject.info.filter(|_| failure.kind == FailureKind::ConditionFailed) else {
            return failure.into_error(subject);
        };
        if self.known.as_ref().is_some_and(|known| known.observe(&failure, &subject).is_some()) {
            return unsettled(subject);
        }
        let report = |detail: String| {
            let mut report = Report::new(subject.clone(), detail, None);
            report.outcome_known = failure.outcome_known;
            report
        };
        match self.cause(info, failure.item.as_ref()) {
            Cause::NotFound => Error::NotFound(report(String::new())),
            Cause::LastVersion(last) => Error::Rejected(report(format!(
                "its version is {last}, the last that its type holds: give the field a larger type"
            ))),
            Cause::Unreadable(error) => Error::Undecodable(report(error.to_string())),
            Cause::Condition => failure.into_error(subject),
            Cause::Version(versions) => {
                let mut report = report(versions.to_string());
                let attempted = self.attempted.as_deref().or(attempted);
                let attempted = attempted.and_then(|json| std::str::from_utf8(json).ok());
                report.attempted = attempted.map(StoredItem::new);
                report.item = failure.item;
                Error::VersionConflict(report)
            }
        }
    }

    fn cause(&self, info: &'static EntityInfo, found: Option<&StoredItem>) -> Cause {
        let must_exist = matches!(self.existence, Existence::Present | Existence::Stored);
        let Some(found) = found else {
            return match self.version {
                _ if must_exist => Cause::NotFound,
                // A new entity requires no item.
                None | Some(0) => Cause::Condition,
                Some(expected) => Cause::Version(Versions { expected, found: None }),
            };
        };
        let item = match Item::next(&mut Scanner::new(found.json())) {
            Ok(item) => item,
            Err(error) => return Cause::Unreadable(error),
        };
        // An item that cannot be read is not reported as missing.
        if must_exist && !self.sees(info, &item).unwrap_or(true) {
            return Cause::NotFound;
        }
        if self.version.is_none() && !self.raises {
            return Cause::Condition;
        }
        match (stored_version(info, &item), self.version) {
            (Err(error), _) => Cause::Unreadable(error),
            (Ok(found), Some(expected)) if found != expected => {
                Cause::Version(Versions { expected, found: Some(found) })
            }
            (Ok(found), None) if found >= info.last_version => Cause::LastVersion(found),
            (Ok(_), _) => Cause::Condition,
        }
    }

    /// True for an item of the entity; if existence requires it, only for one that is neither soft-deleted
    /// nor expired.
    fn sees(&self, info: &'static EntityInfo, item: &Item<'_>) -> Result<bool, ValueError> {
        let visible = match self.existence {
            Existence::Present => Visibility::default(),
            _ => Visibility::ALL,
        };
        Ok(is_of_type(item, info)? && visible.sees(info, item)?)
    }
}
