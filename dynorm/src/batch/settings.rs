//! What a caller may say of any batch.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::deadline::Deadline;
use super::progress::{Progress, ProgressHandle};
use super::retry::Retry;
use crate::database::Database;

/// What happens to several inputs of one batch that have the same key. DynamoDB takes only one of them in a request.
///
/// Keys are equal in DynamoDB's sense: as numbers, 1 and 1.0 are one key.
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
    /// The last is sent, and stands for all, as if each had been written and then replaced. Of a stream, the last of those
    /// that are on their way at the same time; the others are written one after another, in order.
    #[default]
    LastWins,
    /// The first is sent, and stands for all. A stream knows only the keys that are on their way.
    FirstWins,
    /// The first is sent, and the others are [rejected](super::Fate::Rejected). A stream knows only the keys that are on
    /// their way.
    Refuse,
}

/// What a caller says of a batch.
#[derive(Default)]
pub(super) struct Settings<'a> {
    pub(super) options: Options,
    pub(super) on_progress: Option<Callback<'a>>,
    pub(super) handle: Option<ProgressHandle>,
    deadline: Option<Deadline>,
}

type Callback<'a> = Box<dyn FnMut(&Progress) + Send + 'a>;

/// The part of it that holds for another batch, too, which goes on with what this one leaves.
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
    /// The time that the batch has. It begins when this is called first.
    pub(super) fn deadline(&mut self) -> Deadline {
        let retry = &self.options.retry;
        *self.deadline.get_or_insert_with(|| Deadline::of(retry))
    }

    /// Says how far the batch is. A callback that panics is not called again, and does the batch no harm.
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

/// The methods that every batch has, for types with the field `settings` and the lifetime `'a`.
macro_rules! batch_options {
    () => {
        /// How to repeat what DynamoDB leaves unprocessed, and how long the whole may take.
        pub fn retry(mut self, retry: $crate::Retry) -> Self {
            self.settings.options.retry = retry;
            self
        }

        /// Has so many requests under way at a time, as long as there is something to send, and one only while a table takes
        /// nothing at all; 0 counts as 1.
        ///
        /// Without it their number follows what each table takes: it grows while answers bring what was asked for, up to 32
        /// requests (16 of reads), is halved when they do not, and what a saturated table takes in a second is not exceeded
        /// by much.
        pub fn concurrency(mut self, requests: usize) -> Self {
            self.settings.options.concurrency = Some(requests.max(1));
            self
        }

        /// Consumes at most so many capacity units a second (0 counts as 1) of each table, on average, so that the rest is left to others:
        /// a write unit is a KB of an item, a read unit 4 KB. What indexes consume counts as soon as DynamoDB has told it.
        pub fn max_units_per_second(mut self, units: u32) -> Self {
            self.settings.options.units_per_second = Some(f64::from(units.max(1)));
            self
        }

        /// Calls `tell` after every answer. It is called on the task of the batch, which stands still
        /// meanwhile: no answer is taken in, and no deadline can cut the call off. So it should be quick, and
        /// leave what takes time to another task. If it panics, the batch goes on without it.
        pub fn on_progress(mut self, tell: impl FnMut(&$crate::Progress) + Send + 'a) -> Self {
            self.settings.on_progress = Some(Box::new(tell));
            self
        }

        /// Tells from outside how far the batch is, also after its future was dropped.
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

/// The method that batches of writes have beside those of all.
macro_rules! write_options {
    () => {
        /// What happens to several inputs with the same key; without it, the last one stands for all.
        pub fn duplicates(mut self, duplicates: $crate::Duplicates) -> Self {
            self.settings.options.duplicates = duplicates;
            self
        }
    };
}

pub(super) use {batch_options, write_options};
