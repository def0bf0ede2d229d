//! Batches: any number of items, in requests as large as DynamoDB takes them, and a fate for every one.
//!
//! A batch is a promise about every item. Each input stays with the engine until its [`Fate`] is known, and
//! an operation that does not bring all of them to their end fails with an error that holds every input that
//! is not known to be done.

mod again;
mod body;
mod buffer;
mod collection;
mod deadline;
mod delete;
mod engine;
mod error;
mod failures;
mod fate;
mod get;
mod get_stream;
mod gets;
mod inputs;
mod items;
mod job;
mod keys;
mod mixed;
mod pace;
mod progress;
mod puts;
mod report;
mod restore;
mod retry;
mod save;
mod settings;
mod stats;
mod stream;
mod wire;
mod work;

#[doc(no_inline)]
pub use crate::backoff::MAX_RETRIES;
pub use delete::BatchDelete;
pub use error::{
    BatchDeleteError, BatchGetError, BatchRestoreError, BatchSaveError, KeyFailure, SaveFailure,
};
pub use failures::{StreamError, StreamFailure};
#[doc(no_inline)]
pub use fate::Fate;
pub use get::{Arrangement, BatchGet, Found, Positional};
pub use get_stream::{BatchGetStream, GetStreamError};
#[doc(no_inline)]
pub use gets::batch_get;
pub use gets::{BatchGets, BatchGetsError, GetTuple};
pub(crate) use items::get_items;
#[doc(no_inline)]
pub use mixed::batch;
pub use mixed::{Batch, BatchError, BatchFailure};
#[doc(no_inline)]
pub use progress::Progress;
pub use progress::ProgressHandle;
pub use restore::BatchRestore;
#[doc(no_inline)]
pub use retry::Retry;
pub use save::{BatchSave, BatchSaveRetry};
#[doc(no_inline)]
pub use settings::Duplicates;
#[doc(no_inline)]
pub use stats::Stats;
pub(crate) use stats::count;
pub use stream::{BatchDeleteStream, BatchSaveStream, ByIterator, ByStream, IntoItems};
#[doc(no_inline)]
pub use work::{MAX_BATCH_GET_ITEMS, MAX_BATCH_WRITE_ITEMS};
