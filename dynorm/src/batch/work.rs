//! The kinds of work of batches, and DynamoDB's limits for their requests.

use crate::entity::EntityInfo;
use crate::error::Doing;

/// The maximum number of items in one `BatchGetItem` request. Larger batches are sent in several requests.
pub const MAX_BATCH_GET_ITEMS: usize = 100;

/// The maximum number of items in one `BatchWriteItem` request. Larger batches are sent in several requests.
pub const MAX_BATCH_WRITE_ITEMS: usize = 25;

/// DynamoDB accepts requests of up to 16 MB, measured as sent. 64 KB of that are reserved for the text around
/// the items.
pub(super) const MAX_REQUEST_BYTES: usize = 16 * 1024 * 1024 - 64 * 1024;

/// How the inputs of a batch are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    Write,
    /// One request for each write, since some of them have a condition.
    Each,
    Get,
}

/// A table of a batch.
#[derive(Debug)]
pub(super) struct TableSpec {
    /// One of the entities in it. They all have the same key attributes.
    pub(super) info: &'static EntityInfo,
    pub(super) name: String,
    /// True if reads are consistent.
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

    /// The default maximum number of requests in flight, whose answers are all in memory.
    pub(super) const fn most_under_way(self) -> usize {
        match self {
            Self::Write | Self::Each => 32,
            Self::Get => 16,
        }
    }
}
