//! The statistics of batches, queries and scans.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::Fate;
use crate::error::Error;

/// The fate of every input of a batch, with the reason for those that are not done.
pub(super) type Fates = Vec<(Fate, Option<Arc<Error>>)>;

/// The statistics of a batch, a query or a scan. They can be added with `+=`.
///
/// ```
/// let mut total = dynorm::Stats::default();
/// total += dynorm::Stats::default();
/// assert_eq!(total.to_string(), "0 items in 0 requests, 0 retries, 0.0ns");
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Stats {
    /// The number of inputs that are done: for a `batch_get`, the keys that were read, whether or not an item
    /// was found. For a query or a scan, the number of entities that were found.
    pub items: u64,
    /// The number of inputs that another input with the same key replaced.
    pub superseded: u64,
    /// The number of inputs of a batch that have failed.
    pub failed: u64,
    /// The number of inputs of a batch whose [hooks](crate::Hooks) after the write or the read did not finish
    /// before the [deadline](crate::Retry::deadline): the running hook was dropped, and the others did not
    /// start. An item that was written stays written; one that was read counts as failed.
    pub dropped_hooks: u64,
    /// The number of requests that were sent.
    pub requests: u64,
    /// The number of times that an item was sent again.
    pub retries: u64,
    /// The size of the request bodies of a batch, in bytes.
    pub bytes: u64,
    /// The capacity units, for reads or for writes, that DynamoDB reported for a batch, including indexes.
    pub consumed_capacity: f64,
    /// How long a batch had no request in flight, because everything left had to wait for the pace of a table
    /// or for another attempt.
    pub waited: Duration,
    /// The time from start to end; for a stream, including the time that it waited for inputs. The sum of
    /// concurrent batches is longer than the time that passed.
    pub elapsed: Duration,
    inputs: usize,
    /// The replaced inputs in order, with the inputs that replaced them.
    superseded_by: Option<Arc<[(usize, usize)]>>,
}

impl Stats {
    /// Returns the fate of every input of a batch that has succeeded, in order: done, or superseded by
    /// another.
    ///
    /// For the sum of several batches, these are the fates of all their inputs, one batch after another.
    /// Empty for queries and scans, and for streams, which do not keep fates.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # use dynorm::Fate;
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct Note { #[entity(partition)] title: String, text: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<Note>().await?;
    /// # db.install();
    /// let note = |title: &str, text: &str| Note { title: title.into(), text: text.into() };
    /// let saved = NoteRepo::batch_save([note("a", "old"), note("b", ""), note("a", "new")]).await?;
    /// let fates: Vec<Fate> = saved.stats().fates().collect();
    /// assert_eq!(fates, [Fate::Superseded { by: 2 }, Fate::Done, Fate::Done]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn fates(&self) -> impl ExactSizeIterator<Item = Fate> {
        let superseded = self.superseded_by.as_deref().unwrap_or_default();
        (0..self.inputs).map(|index| {
            let found = superseded.binary_search_by_key(&index, |(index, _)| *index).ok();
            match found.and_then(|found| superseded.get(found)) {
                Some((_, by)) => Fate::Superseded { by: *by },
                None => Fate::Done,
            }
        })
    }

    /// Adds the fates of the inputs of a batch that has succeeded.
    pub(super) fn with_fates(mut self, fates: &Fates) -> Self {
        self.inputs = fates.len();
        let superseded = |(index, (fate, _)): (usize, &(Fate, _))| match fate {
            Fate::Superseded { by } => Some((index, *by)),
            _ => None,
        };
        let superseded: Arc<[_]> = fates.iter().enumerate().filter_map(superseded).collect();
        self.superseded_by = (!superseded.is_empty()).then_some(superseded);
        self
    }
}

impl std::ops::AddAssign for Stats {
    fn add_assign(&mut self, other: Self) {
        *self += &other;
    }
}

impl std::ops::AddAssign<&Self> for Stats {
    fn add_assign(&mut self, other: &Self) {
        self.items += other.items;
        self.superseded += other.superseded;
        self.failed += other.failed;
        self.dropped_hooks += other.dropped_hooks;
        self.requests += other.requests;
        self.retries += other.retries;
        self.bytes += other.bytes;
        self.consumed_capacity += other.consumed_capacity;
        self.waited += other.waited;
        self.elapsed += other.elapsed;
        if let Some(more) = &other.superseded_by {
            let mine = self.superseded_by.iter().flat_map(|mine| mine.iter().copied());
            let more = more.iter().map(|(index, by)| (index + self.inputs, by + self.inputs));
            self.superseded_by = Some(mine.chain(more).collect());
        }
        self.inputs += other.inputs;
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

/// Converts a number of items into the type of the statistics.
pub(crate) fn count(items: usize) -> u64 {
    u64::try_from(items).unwrap_or(u64::MAX)
}

/// Shows for example `376 items in 16 requests, 1.2 MB, 376 capacity units, 12 retries, waited 80.0ms, 1.2s`.
/// Zeros are left out, except for the items, the requests and the retries.
impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |count: u64| if count == 1 { "" } else { "s" };
        let Self { items, superseded, failed, requests, retries, elapsed, .. } = self;
        write!(f, "{items} item{} in {requests} request{}", plural(*items), plural(*requests))?;
        if *superseded > 0 {
            write!(f, ", {superseded} superseded")?;
        }
        if *failed > 0 {
            write!(f, ", {failed} failed")?;
        }
        if self.dropped_hooks > 0 {
            write!(f, ", {} without their last hooks", self.dropped_hooks)?;
        }
        if self.bytes > 0 {
            write!(f, ", {}", Bytes(self.bytes))?;
        }
        if self.consumed_capacity > 0.0 {
            let units = self.consumed_capacity;
            write!(f, ", {units} capacity unit{}", if units == 1.0 { "" } else { "s" })?;
        }
        let retried = if *retries == 1 { "retry" } else { "retries" };
        write!(f, ", {retries} {retried}")?;
        if !self.waited.is_zero() {
            write!(f, ", waited {:.1?}", self.waited)?;
        }
        write!(f, ", {elapsed:.1?}")
    }
}

struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0 as f64;
        match self.0 {
            0..1_000 => write!(f, "{} bytes", self.0),
            1_000..1_000_000 => write!(f, "{:.1} kB", bytes / 1e3),
            1_000_000..1_000_000_000 => write!(f, "{:.1} MB", bytes / 1e6),
            _ => write!(f, "{:.1} GB", bytes / 1e9),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Fate, Stats};

    #[test]
    fn a_summary_reads_well() {
        let mut stats = Stats { items: 1, requests: 1, retries: 1, ..Stats::default() };
        stats.elapsed = Duration::from_millis(1200);
        assert_eq!(stats.to_string(), "1 item in 1 request, 1 retry, 1.2s");
        stats.superseded = 2;
        stats.failed = 3;
        stats.dropped_hooks = 4;
        stats.bytes = 1_234_567;
        stats.consumed_capacity = 12.5;
        stats.waited = Duration::from_millis(80);
        assert_eq!(
            stats.to_string(),
            "1 item in 1 request, 2 superseded, 3 failed, 4 without their last hooks, 1.2 MB, 12.5 capacity units, 1 retry, waited 80.0ms, 1.2s"
        );
    }

    #[test]
    fn sums_keep_the_fates_of_all_in_order() {
        let fates = vec![(Fate::Superseded { by: 1 }, None), (Fate::Done, None)];
        let one = Stats::default().with_fates(&fates);
        let sum: Stats = [one.clone(), Stats::default(), one].into_iter().sum();
        let fates: Vec<Fate> = sum.fates().collect();
        assert_eq!(fates, [Fate::Superseded { by: 1 }, Fate::Done, Fate::Superseded { by: 3 }, Fate::Done]);
    }
}
