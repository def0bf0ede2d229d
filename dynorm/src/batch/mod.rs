//! Batches: any number of items, in requests as large as DynamoDB takes them, and a fate for every one.
//!
//! A batch is a promise about every item. Each input stays with the engine until its [`Fate`] is known, and an operation
//! that does not bring all of them to their end fails with an error that holds every input that is not known to be done.

mod delete;
mod error;
mod get;
mod read;
mod retry;
mod save;
mod write;

pub use delete::BatchDelete;
pub use error::{BatchDeleteError, BatchGetError, BatchSaveError, KeyFailure, SaveFailure};
pub use get::{Arrangement, BatchGet, Found, Positional};
pub use retry::Retry;
pub use save::{BatchSave, BatchSaveRetry};

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::error::Error;

/// The most items that DynamoDB takes in one `BatchGetItem`; larger batches are sent in several requests.
pub const MAX_BATCH_GET_ITEMS: usize = 100;

/// The most items that DynamoDB takes in one `BatchWriteItem`; larger batches are sent in several requests.
pub const MAX_BATCH_WRITE_ITEMS: usize = 25;

/// How many rounds of retries without any progress end a batch, unless [`Retry`] says otherwise.
pub const MAX_RETRIES: u32 = 3;

/// DynamoDB takes 16 MB in a request, counted as it is on the wire; the rest is room for what stands around the items.
const MAX_REQUEST_BYTES: usize = 16 * 1024 * 1024 - 64 * 1024;

/// How many requests of a batch are under way at a time.
const CONCURRENCY: usize = 8;

/// What became of one input of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fate {
    /// It is done: written, deleted or read.
    Done,
    /// A later input with the same key stands for it, as if it had been written and then replaced.
    Superseded {
        /// The position of that input.
        by: usize,
    },
    /// DynamoDB took it and handed it back, until the retries were used up.
    Unprocessed,
    /// It was refused, by DynamoDB or before it was sent.
    Rejected,
    /// It was never sent.
    NotSent,
    /// It was sent, and no answer came that says whether it is done: none at all, or a status of 500, after which DynamoDB
    /// itself does not know.
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

/// What a batch, a query or a scan took. Several can be added up with `+=`.
///
/// ```
/// let mut total = dynorm::Stats::default();
/// total += dynorm::Stats::default();
/// assert_eq!(total.to_string(), "0 items in 0 requests, 0 retries, 0.0ns");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Stats {
    /// The inputs that are done; of a `batch_get`, those that were asked for, found or not. Of a query or a scan, the
    /// entities that were found.
    pub items: u64,
    /// The inputs that a later one with the same key stands for.
    pub superseded: u64,
    /// The requests that were sent.
    pub requests: u64,
    /// How many times an item was sent again.
    pub retries: u64,
    /// From the first request to the last answer. Of several batches side by side, the sum is longer than the clock says.
    pub elapsed: Duration,
}

impl std::ops::AddAssign for Stats {
    fn add_assign(&mut self, other: Self) {
        self.items += other.items;
        self.superseded += other.superseded;
        self.requests += other.requests;
        self.retries += other.retries;
        self.elapsed += other.elapsed;
    }
}

impl std::iter::Sum for Stats {
    fn sum<I: Iterator<Item = Self>>(stats: I) -> Self {
        stats.fold(Self::default(), |mut total, more| {
            total += more;
            total
        })
    }
}

/// How many there are, as statistics count.
pub(crate) fn count(items: usize) -> u64 {
    u64::try_from(items).unwrap_or(u64::MAX)
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |count: u64| if count == 1 { "" } else { "s" };
        let Self { items, superseded, requests, retries, elapsed } = self;
        write!(f, "{items} item{} in {requests} request{}", plural(*items), plural(*requests))?;
        if *superseded > 0 {
            write!(f, ", {superseded} superseded")?;
        }
        let retried = if *retries == 1 { "retry" } else { "retries" };
        write!(f, ", {retries} {retried}, {elapsed:.1?}")
    }
}

/// The fate of every input of a batch, with the reason for those that are not done.
type Fates = Vec<(Fate, Option<Arc<Error>>)>;

/// Splits off as many of `items` as one request takes.
fn take_chunk<T>(
    items: &mut std::collections::VecDeque<T>,
    most: usize,
    size: impl Fn(&T) -> usize,
) -> Vec<T> {
    let mut bytes = 0;
    let mut chunk = Vec::new();
    while chunk.len() < most {
        let Some(item) = items.front() else { break };
        bytes += size(item);
        if bytes > MAX_REQUEST_BYTES && !chunk.is_empty() {
            break;
        }
        chunk.extend(items.pop_front());
    }
    chunk
}
