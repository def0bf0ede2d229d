//! The description of a write, as the operations give it.

use super::claims::Known;
use super::nulls::Nulls;
use crate::entity::EntityInfo;
use crate::expression::{self, Change, Node, Start};
use crate::rules::Existence;
use crate::transport::Operation;
use crate::unique::Claimed;

/// What a write does, and what must hold for it.
pub(crate) struct Intent<'w> {
    pub(crate) info: &'static EntityInfo,
    pub(crate) action: Action<'w>,
    pub(crate) existence: Existence,
    /// The version on which it is based, as the entity has it; 0 for none.
    pub(crate) version: Option<i128>,
    pub(crate) uniques: Option<UniqueValues>,
    /// The attributes that are NULL, as far as known.
    pub(crate) nulls: Nulls,
    /// The caller's own condition.
    pub(crate) condition: Option<&'w Node>,
    /// What the answer returns. Puts and transactions return nothing.
    pub(crate) returning: Option<ReturnValues>,
    /// The item that was to be written, for the error of a version conflict.
    pub(crate) attempted: Option<&'w [u8]>,
}

/// The action on the item.
#[derive(Clone, Copy)]
pub(crate) enum Action<'w> {
    /// Puts the whole item: its JSON.
    Put(&'w [u8]),
    /// Changes some of its attributes. Soft deletes and restores are changes too.
    Change {
        changes: &'w [Change],
        start: Start<'w>,
    },
    Delete,
    /// Checks a condition without a change, in a transaction.
    Check,
}

/// The unique values of an item before the write, as known, and after it.
pub(crate) struct UniqueValues {
    pub(crate) known: Known,
    pub(crate) after: Claimed,
    /// True if the claims may have expired, so that all are taken again.
    pub(crate) renew: bool,
}

/// What the answer of a write returns of the item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReturnValues {
    Nothing,
    Old,
    New,
}

impl ReturnValues {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "NONE",
            Self::Old => "ALL_OLD",
            Self::New => "ALL_NEW",
        }
    }
}

impl Action<'_> {
    /// True if it raises the version.
    pub(super) fn raises_version(&self, info: &'static EntityInfo) -> bool {
        match self {
            Self::Change { changes, .. } => raised_version(info, changes),
            Self::Put(_) | Self::Delete | Self::Check => false,
        }
    }

    pub(super) const fn operation(&self) -> Operation {
        match self {
            Self::Put(_) => Operation::PUT_ITEM,
            Self::Change { .. } => Operation::UPDATE_ITEM,
            Self::Delete => Operation::DELETE_ITEM,
            // A check exists only in transactions.
            Self::Check => Operation::TRANSACT_WRITE_ITEMS,
        }
    }

    /// Its name in a transaction.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Put(_) => "Put",
            Self::Change { .. } => "Update",
            Self::Delete => "Delete",
            Self::Check => "ConditionCheck",
        }
    }
}

impl<'w> Intent<'w> {
    /// Makes an intent without any conditions.
    pub(crate) fn new(info: &'static EntityInfo, action: Action<'w>) -> Self {
        Self {
            info,
            action,
            existence: Existence::Any,
            version: None,
            uniques: None,
            nulls: Nulls::default(),
            condition: None,
            returning: None,
            attempted: None,
        }
    }
}

/// True if the changes raise the version, whatever it is.
fn raised_version(info: &'static EntityInfo, changes: &[Change]) -> bool {
    info.version_attribute().is_some_and(|name| {
        changes.iter().any(|change| {
            change.path.is_attribute(name) && matches!(change.action, expression::Action::Add { .. })
        })
    })
}
