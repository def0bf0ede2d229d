//! Counting what happened.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Counts the requests and faults of each operation. Clones share their counts.
///
/// ```
/// use dynorm::testing::{FaultLog, Faults};
///
/// let log = FaultLog::default();
/// let faulty = Faults::seeded(42).throttle(0.05).log(&log).on(&dynorm::Database::memory()?);
/// // … the test …
/// assert_eq!(log.of("BatchWriteItem").throttled, 0);
/// println!("{log}");
/// # Ok::<(), dynorm::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct FaultLog(Arc<Mutex<BTreeMap<&'static str, Tally>>>);

/// The counts of a [`FaultLog`].
///
/// ```
/// let tally = dynorm::testing::FaultLog::default().total();
/// assert_eq!(tally.requests - tally.throttled, tally.executed);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tally {
    /// The requests that were sent, including retries.
    pub requests: u64,
    /// The requests that succeeded, at least in part, whether or not the answer arrived.
    pub executed: u64,
    /// The requests that were throttled: at random, by the script, for lack of capacity, or because all of
    /// their items would have come back.
    pub throttled: u64,
    /// The requests that were throttled because of a hot key range.
    pub hot_key_ranges: u64,
    /// The requests of which some items came back.
    pub partly_unprocessed: u64,
    /// The requests that were answered with status 500.
    pub server_errors: u64,
    /// The requests whose connection was refused.
    pub refused: u64,
    /// The requests whose connection broke before they were executed.
    pub cut_before: u64,
    /// The requests whose answer was lost.
    pub cut_after: u64,
    /// The requests that conflicted with a transaction.
    pub conflicts: u64,
    /// The transactions that were answered as if an earlier attempt were in progress.
    pub in_progress: u64,
    /// The items, or keys, of all requests: one for a single operation, none for a query or a scan.
    pub items_sent: u64,
    /// The items of the requests that were executed, without those that came back.
    pub items_executed: u64,
    /// The items that came back as unprocessed.
    pub items_unprocessed: u64,
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.requests += other.requests;
        self.executed += other.executed;
        self.throttled += other.throttled;
        self.hot_key_ranges += other.hot_key_ranges;
        self.partly_unprocessed += other.partly_unprocessed;
        self.server_errors += other.server_errors;
        self.refused += other.refused;
        self.cut_before += other.cut_before;
        self.cut_after += other.cut_after;
        self.conflicts += other.conflicts;
        self.in_progress += other.in_progress;
        self.items_sent += other.items_sent;
        self.items_executed += other.items_executed;
        self.items_unprocessed += other.items_unprocessed;
    }
}

impl FaultLog {
    /// Returns the counts of one operation, such as `PutItem`.
    ///
    /// ```
    /// assert_eq!(dynorm::testing::FaultLog::default().of("PutItem").requests, 0);
    /// ```
    #[must_use]
    pub fn of(&self, operation: &str) -> Tally {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(operation).copied().unwrap_or_default()
    }

    /// Returns the sum of the counts of all operations.
    ///
    /// ```
    /// assert_eq!(dynorm::testing::FaultLog::default().total().requests, 0);
    /// ```
    #[must_use]
    pub fn total(&self) -> Tally {
        let mut total = Tally::default();
        for tally in self.0.lock().unwrap_or_else(PoisonError::into_inner).values() {
            total += *tally;
        }
        total
    }

    /// Resets all counts to 0. The faults are not affected: the number of the next request does not change.
    ///
    /// ```
    /// let log = dynorm::testing::FaultLog::default();
    /// log.clear();
    /// ```
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(super) fn count(&self, operation: &'static str, count: impl FnOnce(&mut Tally)) {
        count(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(operation).or_default());
    }
}

impl fmt::Debug for FaultLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(&*self.0.lock().unwrap_or_else(PoisonError::into_inner)).finish()
    }
}

/// Shows one line for each operation.
impl fmt::Display for FaultLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tallies = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if tallies.is_empty() {
            return f.write_str("no requests");
        }
        for (position, (operation, tally)) in tallies.iter().enumerate() {
            if position > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{operation}: {tally}")?;
        }
        Ok(())
    }
}

/// Shows the counts that are not 0.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.requests == 1 { "" } else { "s" };
        write!(f, "{} request{plural}, {} executed", self.requests, self.executed)?;
        for (count, what) in [
            (self.throttled, "throttled"),
            (self.hot_key_ranges, "throttled for a hot key range"),
            (self.partly_unprocessed, "partly unprocessed"),
            (self.server_errors, "failed with status 500"),
            (self.refused, "refused"),
            (self.cut_before, "cut before"),
            (self.cut_after, "cut after"),
            (self.conflicts, "in conflict"),
            (self.in_progress, "said to be in progress"),
        ] {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        write!(f, "; {} items sent, {} executed", self.items_sent, self.items_executed)?;
        if self.items_unprocessed > 0 {
            write!(f, ", {} unprocessed", self.items_unprocessed)?;
        }
        Ok(())
    }
}
