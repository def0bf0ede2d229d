//! Batches: any number of items, in requests as large as DynamoDB takes them, and a fate for every one.
//!
//! A batch is a promise about every item. Each input stays with the engine until its [`Fate`] is known, and an operation
//! that does not bring all of them to their end fails with an error that holds every input that is not known to be done.

mod body;
mod buffer;
mod deadline;
mod delete;
mod engine;
mod error;
mod failures;
mod get;
mod get_stream;
mod gets;
mod inputs;
mod items;
mod keys;
mod mixed;
mod pace;
mod progress;
mod puts;
mod restore;
mod retry;
mod save;
mod settings;
mod stats;
mod stream;
mod wire;

pub use delete::BatchDelete;
pub use error::{
    BatchDeleteError, BatchGetError, BatchRestoreError, BatchSaveError, KeyFailure, SaveFailure,
};
pub use failures::{StreamError, StreamFailure};
pub use get::{Arrangement, BatchGet, Found, Positional};
pub use get_stream::{BatchGetStream, GetStreamError};
pub use gets::{BatchGets, BatchGetsError, GetTuple, batch_get};
pub(crate) use items::get_items;
pub use mixed::{Batch, BatchError, BatchFailure, batch};
pub use progress::{Progress, ProgressHandle};
pub use restore::BatchRestore;
pub use retry::Retry;
pub use save::{BatchSave, BatchSaveRetry};
pub use settings::Duplicates;
pub use stats::Stats;
pub(crate) use stats::count;
pub use stream::{BatchDeleteStream, BatchSaveStream, ByIterator, ByStream, IntoItems};

use std::fmt;
use std::sync::Arc;

use crate::error::Error;
use settings::Settings;

/// The most items that DynamoDB takes in one `BatchGetItem`; larger batches are sent in several requests.
pub const MAX_BATCH_GET_ITEMS: usize = 100;

/// The most items that DynamoDB takes in one `BatchWriteItem`; larger batches are sent in several requests.
pub const MAX_BATCH_WRITE_ITEMS: usize = 25;

/// How many rounds of retries without any progress end a batch, unless [`Retry`] says otherwise.
pub const MAX_RETRIES: u32 = 3;

/// DynamoDB takes 16 MB in a request, counted as it is on the wire; the rest is room for what stands around the items.
const MAX_REQUEST_BYTES: usize = 16 * 1024 * 1024 - 64 * 1024;

/// What became of one input of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fate {
    /// It is done: written, deleted or read.
    Done,
    /// Another input with the same key stands for it: a later one, as if this had been written and then replaced, unless
    /// [`Duplicates`] says otherwise.
    Superseded {
        /// The position of that input.
        by: usize,
    },
    /// DynamoDB answered, and did not do it, until the retries were used up. If an answer was a failure of the server (a
    /// status of 500), it may have done it all the same: then the reason's
    /// [`outcome_known`](crate::Error::outcome_known) is false.
    Unprocessed,
    /// It was refused, by DynamoDB or before it was sent; of a read: what came does not fit the struct.
    Rejected,
    /// It was not sent, or it was to nobody: nobody listens, there is no such table, or no right to use it.
    NotSent,
    /// It was sent, and no answer came, so nobody knows whether it is done.
    Unknown,
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("done"),
            Self::Superseded { by } => write!(f, "superseded by #{by}"),
            Self::Unprocessed => f.write_str("unprocessed"),
            Self::Rejected => f.write_str("rejected"),
            Self::NotSent => f.write_str("not sent"),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

/// The fate of every input of a batch, with the reason for those that are not done.
type Fates = Vec<(Fate, Option<Arc<Error>>)>;
