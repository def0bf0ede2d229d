//! What a write is to do, as whoever asks for it says it.

use super::claims::Known;
use super::nulls::Nulls;
use crate::entity::EntityInfo;
use crate::expression::{self, Change, Node, Start};
use crate::rules::Existence;
use crate::transport::Operation;
use crate::unique::Claimed;

/// What a write is to do, and what it needs to find.
pub(crate) struct Intent<'w> {
    pub(crate) info: &'static EntityInfo,
    pub(crate) action: Action<'w>,
    pub(crate) existence: Existence,
    /// The version that it is based on, as the entity says it; 0 for none.
    pub(crate) version: Option<i128>,
    pub(crate) uniques: Option<UniqueValues>,
    /// What is NULL, as far as it is known.
    pub(crate) nulls: Nulls,
    /// What the caller asks for.
    pub(crate) condition: Option<&'w Node>,
    /// What is to come back. Puts give nothing, and transactions neither.
    pub(crate) returning: Option<ReturnValues>,
    /// The item as it was to be, for the error of a version that does not match.
    pub(crate) attempted: Option<&'w [u8]>,
}

/// What is done to the item.
#[derive(Clone, Copy)]
pub(crate) enum Action<'w> {
    /// Puts it whole: its JSON.
    Put(&'w [u8]),
    /// Changes some of its attributes; soft deletes and restores are this too.
    Change {
        changes: &'w [Change],
        start: Start<'w>,
    },
    Delete,
    /// Leaves it as it is: a part of a transaction.
    Check,
}

/// The unique values of an item: what they are taken to be, and what they will be.
pub(crate) struct UniqueValues {
    pub(crate) known: Known,
    pub(crate) after: Claimed,
    /// The claims may have been lost meanwhile, so all are made again.
    pub(crate) renew: bool,
}

/// What of the item comes back with the answer of a write.
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
    /// True if it leaves a version that is one higher.
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
            // There is no such operation outside of transactions.
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
    /// It needs nothing, until that is said.
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
