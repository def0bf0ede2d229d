//! Batches: operations on any number of items, in requests as large as DynamoDB allows, with a [`Fate`] for
//! every input.
//!
//! A batch accounts for every input. The engine keeps an input until its [`Fate`] is known. A batch in which
//! any input is not done fails with an error that holds every such input, so that it can be retried.

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
