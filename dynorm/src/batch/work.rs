//! What a batch does, and how much of it DynamoDB takes at a time.

use crate::entity::EntityInfo;
use crate::error::Doing;

/// The most items that DynamoDB takes in one `BatchGetItem`; larger batches are sent in several requests.
pub const MAX_BATCH_GET_ITEMS: usize = 100;

/// The most items that DynamoDB takes in one `BatchWriteItem`; larger batches are sent in several requests.
pub const MAX_BATCH_WRITE_ITEMS: usize = 25;

/// DynamoDB takes 16 MB in a request, counted as it is on the wire; the rest is room for what stands around
/// the items.
pub(super) const MAX_REQUEST_BYTES: usize = 16 * 1024 * 1024 - 64 * 1024;

/// What a batch does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    Write,
    /// One request for each: some of the writes have a condition.
    Each,
    Get,
}

/// A table of a batch.
#[derive(Debug)]
pub(super) struct TableSpec {
    /// One of the entities in it: they all have the same key.
    pub(super) info: &'static EntityInfo,
    pub(super) name: String,
    /// Reads are consistent.
    pub(super) consistent: bool,
}

impl Work {
    pub(super) const fn doing(self) -> Doing {
        match self {
            Self::Write | Self::Each => Doing::Writing,
            Self::Get => Doing::Reading,
        }
    }

    pub(super) const fn most_items(self) -> usize {
        match self {
            Self::Write => MAX_BATCH_WRITE_ITEMS,
            Self::Each => 1,
            Self::Get => MAX_BATCH_GET_ITEMS,
        }
    }

    /// The most requests that are under way at a time, if the caller does not say. The answers of so many are
    /// in memory.
    pub(super) const fn most_under_way(self) -> usize {
        match self {
            Self::Write | Self::Each => 32,
            Self::Get => 16,
        }
    }
}
