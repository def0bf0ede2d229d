//! The meaning of a failed write, decided by the item that DynamoDB returned.

use super::claims::{Claim, Known};
use super::nulls::Nulls;
use crate::codec::{Item, Scanner, ValueError};
use crate::entity::{EntityInfo, check_type};
use crate::error::{Error, Report, StoredItem, Subject};
use crate::rules::{Existence, Versions, Visibility, stored_version};
use crate::transport::{CancellationReason, Failure, FailureKind};
use crate::unique::Claimed;

/// What must have held for a write.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meaning {
    pub(super) existence: Existence,
    /// True if it deletes the item, which may then be missing.
    pub(super) deletes: bool,
    /// The version on which it was based; 0 for none.
    pub(super) version: Option<u64>,
    /// True if it raises the version, whatever it is.
    pub(super) raises: bool,
    /// The item that was to be written.
    pub(super) attempted: Option<Vec<u8>>,
    /// The known state of the unique values.
    pub(super) known: Option<Known>,
    /// The attributes on whose old values it depends.
    pub(super) under: Nulls,
    /// Those of them that were assumed to be NULL.
    pub(super) nulls: Nulls,
}

/// Why a condition failed.
enum Cause {
    /// The item belongs to another entity, or cannot be read.
    Item(ValueError),
    NotFound,
    Version(Versions),
    LastVersion(u64),
    /// The stored item differs from the one that the write was made for, so the write may be made again for
    /// it.
    Changed(Known),
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
        if let Some(position) = failed {
            failure = reasons.swap_remove(position).into_failure(failure.outcome_known);
        }
        self.explain_at(failed.unwrap_or(0), claims, failure, subject, attempted)
    }

    /// The same for a transaction that failed at one of its operations: the item comes first, followed by the
    /// claims.
    pub(super) fn explain_at(
        &self,
        operation: usize,
        claims: &[Claim],
        failure: Failure,
        subject: &Subject,
        attempted: Option<&[u8]>,
    ) -> Result<Known, Error> {
        let claim = operation.checked_sub(1).and_then(|claim| claims.get(claim));
        match (claim, &self.known) {
            (None, _) => self.explain_item(failure, subject.clone(), attempted),
            // The value to be released belongs to another item, so its claim is left alone.
            (Some(claim), Some(known)) if !claim.takes() && failure.kind == FailureKind::ConditionFailed => {
                let foreign = known.foreign.iter().cloned().chain(claim.text()).collect();
                Ok(Known { foreign, ..known.clone() })
            }
            (Some(claim), _) => Err(claim.error(failure, subject.clone())),
        }
    }

    fn explain_item(
        &self,
        failure: Failure,
        subject: Subject,
        attempted: Option<&[u8]>,
    ) -> Result<Known, Error> {
        let Some(info) = subject.info.filter(|_| failure.kind == FailureKind::ConditionFailed) else {
            return Err(failure.into_error(subject));
        };
        let cause = self.cause(info, failure.item.as_ref()).unwrap_or_else(Cause::Item);
        let outcome_known = failure.outcome_known;
        let report = |detail: String| Report::new(subject.clone(), detail, None);
        let error = match cause {
            Cause::Changed(known) => return Ok(known),
            Cause::Item(error) => Error::undecodable(subject, &error),
            Cause::NotFound => Error::NotFound(report(String::new())),
            Cause::LastVersion(last) => Error::Rejected(report(format!(
                "its version is {last}, the last that its type holds: give the field a larger type"
            ))),
            Cause::Condition => return Err(failure.into_error(subject)),
            Cause::Version(versions) => {
                let mut report = report(versions.to_string());
                let attempted = self.attempted.as_deref().or(attempted);
                let attempted = attempted.and_then(|json| std::str::from_utf8(json).ok());
                report.attempted = attempted.map(StoredItem::new);
                report.item = failure.item;
                Error::VersionConflict(report)
            }
        };
        Err(error.with_outcome(outcome_known))
    }

    /// The type is checked first: the other attributes of another entity's item have no meaning here.
    fn cause(&self, info: &'static EntityInfo, found: Option<&StoredItem>) -> Result<Cause, ValueError> {
        let must_exist = matches!(self.existence, Existence::Present | Existence::Stored);
        let Some(found) = found else {
            return Ok(match self.version {
                _ if must_exist => Cause::NotFound,
                // A new entity requires no item.
                Some(expected) if expected > 0 && !self.deletes => {
                    Cause::Version(Versions { expected, found: None })
                }
                _ => self.changed(Known::nothing()),
            });
        };
        let item = Item::next(&mut Scanner::new(found.json()))?;
        check_type(&item, info)?;
        // An item that cannot be read is not reported as missing.
        if must_exist && !self.sees(info, &item).unwrap_or(true) {
            return Ok(Cause::NotFound);
        }
        if self.version.is_some() || self.raises {
            let found = stored_version(info, &item)?;
            match self.version {
                Some(expected) if found != expected => {
                    return Ok(Cause::Version(Versions { expected, found: Some(found) }));
                }
                None if found >= info.last_version => return Ok(Cause::LastVersion(found)),
                _ => {}
            }
        }
        let nulls = Nulls::of(info, &item)?;
        if self.known.is_none() && self.under.and(nulls) == self.nulls {
            return Ok(Cause::Condition);
        }
        let before = Claimed::of(info, &item)?;
        Ok(self.changed(Known { nulls, ..Known::of(before) }))
    }

    /// Returns the cause, unless the condition failed only because the write was made for another item.
    fn changed(&self, found: Known) -> Cause {
        let is_other = self.known.as_ref().is_some_and(|known| known.before != found.before);
        if !is_other && self.under.and(found.nulls) == self.nulls {
            return Cause::Condition;
        }
        let foreign = self.known.as_ref().map(|known| known.foreign.clone()).unwrap_or_default();
        Cause::Changed(Known { foreign, ..found })
    }

    /// True for an item that is neither soft-deleted nor expired, if existence requires that.
    fn sees(&self, info: &'static EntityInfo, item: &Item<'_>) -> Result<bool, ValueError> {
        let visible = match self.existence {
            Existence::Present => Visibility::default(),
            _ => Visibility::ALL,
        };
        visible.sees(info, item)
    }
}
