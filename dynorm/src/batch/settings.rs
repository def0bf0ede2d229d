//! The options that every batch has.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::deadline::Deadline;
use super::progress::{Progress, ProgressHandle};
use super::retry::Retry;
use crate::database::Database;

/// What a batch does with several inputs that have the same key. DynamoDB accepts only one of them in a
/// request.
///
/// Keys are compared as DynamoDB compares them: as numbers, 1 and 1.0 are the same key.
///
/// ```
/// # use dynorm::prelude::*;
/// use dynorm::{Duplicates, Fate};
/// # #[derive(Entity, Clone, Debug)]
/// # struct Note { #[entity(partition)] title: String, text: String }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> dynorm::Result<()> {
/// # let db = Database::memory()?;
/// # db.create_table::<Note>().await?;
/// # db.install();
/// let notes = ["first", "second"].map(|text| Note { title: "a".into(), text: text.into() });
/// NoteRepo::batch_save(&notes).await?;
/// assert_eq!(NoteRepo::get("a").await?.text, "second");
///
/// NoteRepo::batch_save(&notes).duplicates(Duplicates::FirstWins).await?;
/// assert_eq!(NoteRepo::get("a").await?.text, "first");
///
/// let error = NoteRepo::batch_save(&notes).duplicates(Duplicates::Refuse).await.unwrap_err();
/// assert_eq!(error.fates().collect::<Vec<_>>(), [Fate::Done, Fate::Rejected]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Duplicates {
    /// The last one is sent and replaces the others, as if each had been written and then overwritten. In a
    /// stream this applies to inputs that are unfinished at the same time; others are written one after
    /// another, in order.
    #[default]
    LastWins,
    /// The first one is sent and replaces the others. A stream knows only the keys of unfinished inputs.
    FirstWins,
    /// The first one is sent, and the others are [rejected](super::Fate::Rejected). A stream knows only the
    /// keys of unfinished inputs.
    Refuse,
}

/// The options of one batch.
#[derive(Default)]
pub(super) struct Settings<'a> {
    pub(super) options: Options,
    pub(super) on_progress: Option<Callback<'a>>,
    pub(super) handle: Option<ProgressHandle>,
    deadline: Option<Deadline>,
}

type Callback<'a> = Box<dyn FnMut(&Progress) + Send + 'a>;

/// The options that a retry takes over.
#[derive(Clone, Default)]
pub(super) struct Options {
    pub(super) database: Option<Database>,
    pub(super) retry: Retry,
    pub(super) concurrency: Option<usize>,
    pub(super) units_per_second: Option<f64>,
    pub(super) duplicates: Duplicates,
}

impl From<Options> for Settings<'_> {
    fn from(options: Options) -> Self {
        Self { options, ..Self::default() }
    }
}

impl Settings<'_> {
    /// Returns the deadline of the batch. The time starts with the first call.
    pub(super) fn deadline(&mut self) -> Deadline {
        let retry = &self.options.retry;
        *self.deadline.get_or_insert_with(|| Deadline::of(retry))
    }

    /// Publishes the progress. A callback that panics is not called again, and does not affect the batch.
    pub(super) fn publish(&mut self, progress: &Progress) {
        if let Some(handle) = &self.handle {
            handle.set(progress);
        }
        if let Some(tell) = &mut self.on_progress
            && catch_unwind(AssertUnwindSafe(|| tell(progress))).is_err()
        {
            tracing::error!(target: "dynorm", "the progress callback of a batch panicked; it is not called again");
            self.on_progress = None;
        }
    }
}

/// The methods that every batch has, for types with a field `settings` and the lifetime `'a`.
macro_rules! batch_options {
    () => {
        /// Sets how unprocessed items are retried, and how long the whole batch may take.
        pub fn retry(mut self, retry: $crate::Retry) -> Self {
            self.settings.options.retry = retry;
            self
        }

        /// Sets the number of requests in flight, as long as there is something to send. While a table
        /// processes nothing at all, only one request at a time is sent to it. 0 counts as 1.
        ///
        /// By default the number adapts to each table: it grows while answers process what was sent, up to 32
        /// requests (16 for reads), and is halved when they do not. The throughput of a saturated table is
        /// then not exceeded by much.
        pub fn concurrency(mut self, requests: usize) -> Self {
            self.settings.options.concurrency = Some(requests.max(1));
            self
        }

        /// Limits the consumed capacity to this many units per second for each table, on average (0 counts
        /// as 1). A write unit is 1 KB of an item, a read unit 4 KB. Units consumed by indexes count as soon
        /// as DynamoDB has reported them.
        pub fn max_units_per_second(mut self, units: u32) -> Self {
            self.settings.options.units_per_second = Some(f64::from(units.max(1)));
            self
        }

        /// Calls `tell` after every answer. It is called on the task of the batch, which is blocked
        /// meanwhile: no answer is processed, and no deadline interrupts the call. So it should be quick, and
        /// leave slow work to another task. If it panics, it is not called again, and the batch continues.
        pub fn on_progress(mut self, tell: impl FnMut(&$crate::Progress) + Send + 'a) -> Self {
            self.settings.on_progress = Some(Box::new(tell));
            self
        }

        /// Returns a handle that reports the progress to other tasks, and after the future was dropped.
        pub fn progress(&mut self) -> $crate::batch::ProgressHandle {
            self.settings.handle.get_or_insert_default().clone()
        }

        /// Uses this database.
        pub fn on(mut self, database: &$crate::Database) -> Self {
            self.settings.options.database = Some(database.clone());
            self
        }
    };
}

/// The method that only batches of writes have.
macro_rules! write_options {
    () => {
        /// Sets what happens to several inputs with the same key. By default the last one wins.
        pub fn duplicates(mut self, duplicates: $crate::Duplicates) -> Self {
            self.settings.options.duplicates = duplicates;
            self
        }
    };
}

pub(super) use {batch_options, write_options};
