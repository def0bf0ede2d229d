//! What the failure of a write means: the error says what the item that was found says.

use super::claims::{Claim, Known, unsettled};
use crate::codec::{Item, Scanner, ValueError};
use crate::entity::{EntityInfo, is_of_type};
use crate::error::{Error, Report, StoredItem, Subject};
use crate::rules::{Existence, Versions, Visibility, stored_version};
use crate::transport::{CancellationReason, Failure, FailureKind};

/// What a write needed to find.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meaning {
    pub(super) existence: Existence,
    /// The version that it was based on; 0 for none.
    pub(super) version: Option<u64>,
    /// It raises the version, whatever that is.
    pub(super) raises: bool,
    /// The item as it was to be.
    pub(super) attempted: Option<Vec<u8>>,
    /// What the unique values of the item had to be.
    pub(super) known: Option<Known>,
}

/// Why a condition does not hold.
enum Cause {
    NotFound,
    Version(Versions),
    LastVersion(u64),
    Unreadable(ValueError),
    /// What the caller asked for, or that there is none.
    Condition,
}

impl Meaning {
    /// What a failure means of a write with these claims: what is known of the item by now, if it may succeed when it is made
    /// for that.
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
            // Another item has a value that was to be released, so it is left to that.
            (Some(claim), Some(known)) if !claim.takes() && failure.kind == FailureKind::ConditionFailed => {
                let foreign = known.foreign.iter().cloned().chain(claim.text()).collect();
                Ok(Known { before: known.before.clone(), foreign })
            }
            (Some(claim), _) => Err(claim.error(failure, subject.clone())),
        }
    }

    /// The error of a write that is not made again.
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
                // Of a new entity there need be none.
                None | Some(0) => Cause::Condition,
                Some(expected) => Cause::Version(Versions { expected, found: None }),
            };
        };
        let item = match Item::next(&mut Scanner::new(found.json())) {
            Ok(item) => item,
            Err(error) => return Cause::Unreadable(error),
        };
        // What cannot be read is not said to be absent.
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

    /// True for an item of the entity that is neither soft-deleted nor expired, if that was asked for.
    fn sees(&self, info: &'static EntityInfo, item: &Item<'_>) -> Result<bool, ValueError> {
        let visible = match self.existence {
            Existence::Present => Visibility::default(),
            _ => Visibility::ALL,
        };
        Ok(is_of_type(item, info)? && visible.sees(info, item)?)
    }
}
