//! The options of a batch for retries.

use std::time::Duration;

use crate::backoff::{Backoff, MAX_RETRIES};

/// How a batch retries items that DynamoDB leaves unprocessed: with exponential backoff and jitter, until
/// several rounds in a row have made no progress.
///
/// An item that comes back while others are done waits for a random time up to
/// [`base_delay`](Self::base_delay). From its fifth attempt on, this limit doubles with each attempt, up to
/// [`max_delay`](Self::max_delay).
///
/// After a round in which nothing of the whole batch was done, the wait is longer, since the batch ends after
/// the last such round: a random time from half of a limit to the whole limit. The limit is `base_delay`, and
/// four times as long with each further round, up to `max_delay`. This also applies to a batch of one item.
///
/// # In time
///
/// How long an operation takes to give up on a table that processes nothing at all, without the time of the
/// requests:
///
/// | operation | attempts | waits between them | together |
/// |---|---|---|---|
/// | a batch of one request, with the defaults | 4 | 25–50, 100–200, 400–800 ms | 0.525 to 1.05 s |
/// | a batch of several requests | 4 or more | the same, in consecutive rounds | 0.525 to 2.1 s |
/// | a batch of one request with `rounds(8)` | 9 | and 1.6–3.2 s, then 2.5–5 s | 12.1 to 24.3 s |
/// | an item whose batch makes progress | 50 | up to 50, 50, 50, 50, 100, … ms, then 5 s | up to 200 s |
/// | a single write with a condition, an update | 6 | up to 50, 100, 200, 400, 800 ms | up to 1.55 s |
/// | a transaction | 8 | up to 50, 100, 200 ms, … 3.2 s | up to 6.35 s |
/// | a write of contended unique values | any number | up to 50, 100, 200, … ms, then 1 s | 30 to 31 s |
/// | a single read, a write without a condition | those of the SDK's client: by default 3 | | |
/// | [`retry_on_conflict`][retried] | 100 | up to 50, 100, … ms, then 5 s | up to 467 s |
///
/// [retried]: crate::Repository::retry_on_conflict
///
/// Single operations have no `Retry`. A timeout around one, such as `tokio::time::timeout`, drops its future;
/// then the outcome is unknown.
///
/// ```
/// use std::time::Duration;
/// use dynorm::Retry;
///
/// let patient = Retry::default()
///     .rounds(8)
///     .base_delay(Duration::from_millis(100))
///     .max_delay(Duration::from_secs(10));
/// let in_a_hurry = Retry::default().deadline(Duration::from_secs(3));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    pub(super) rounds: u32,
    pub(super) deadline: Option<Duration>,
    pub(super) seed: Option<u64>,
    pub(super) backoff: Backoff,
}

impl Default for Retry {
    /// [`MAX_RETRIES`](crate::MAX_RETRIES) rounds, a base delay of 50 ms, a maximum delay of 5 seconds, at
    /// most 50 attempts for each item, and no deadline. A batch that makes no progress gives up after 0.525
    /// to 1.05 seconds if it is one request, and after at most 2.1 seconds otherwise, plus the time of the
    /// requests.
    fn default() -> Self {
        Self { rounds: MAX_RETRIES, deadline: None, seed: None, backoff: Backoff::BATCH }
    }
}

impl Retry {
    /// Sets the number of rounds without any progress that ends the batch. 0 disables retries, except for the
    /// two halves of a request that was refused because of one of its items. At most
    /// [`attempts`](Self::attempts) rounds are used.
    ///
    /// A round is one more attempt at an item. It is without progress if no item of the whole batch was done
    /// meanwhile. An attempt that was sent early, together with others, does not count as a round. The batch
    /// continues as long as it makes progress.
    #[must_use]
    pub const fn rounds(mut self, rounds: u32) -> Self {
        self.rounds = rounds;
        self
    }

    /// Sets the maximum number of times that one item is sent, even while others are done: it bounds the
    /// batch if a hot key is never processed. At least 1.
    #[must_use]
    pub const fn attempts(mut self, attempts: u32) -> Self {
        self.backoff.attempts = if attempts == 0 { 1 } else { attempts };
        self
    }

    /// Sets the maximum wait of an item that has come back once.
    #[must_use]
    pub const fn base_delay(mut self, delay: Duration) -> Self {
        self.backoff.base_delay = delay;
        self
    }

    /// Sets the maximum wait of an item.
    #[must_use]
    pub const fn max_delay(mut self, delay: Duration) -> Self {
        self.backoff.max_delay = delay;
        self
    }

    /// Sets the maximum time of the whole batch, from its first await: including hooks, the reads for them,
    /// and waits for capacity and for the consumer of failures. Items that are in flight at the deadline are
    /// [unknown](crate::Fate::Unknown); the others keep their fates. All unfinished items get an
    /// [`Error::Timeout`](crate::Error::Timeout), unless they have a more specific error.
    ///
    /// A [hook](crate::Hooks) that is pending at the deadline is dropped. If it runs before a write, its item
    /// and those after it are [not sent](crate::Fate::NotSent). If it runs after a write, the item is done,
    /// and [`Stats::dropped_hooks`](crate::Stats::dropped_hooks) counts it. An item that was read, and whose
    /// hook did not finish, counts as unprocessed.
    ///
    /// Only waits can be cut off: a callback or a hook that blocks its thread also blocks the batch, even
    /// past the deadline.
    #[must_use]
    pub const fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Makes the random waits the same in every run, for tests. The clock is tokio's; after
    /// `tokio::time::pause` a test does not wait at all.
    ///
    /// ```
    /// let repeatable = dynorm::Retry::default().seed(42);
    /// ```
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Returns the source of the random waits.
    pub(super) fn random(&self) -> fastrand::Rng {
        self.seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed)
    }
}

#[cfg(test)]
mod tests {
    use super::Retry;

    #[test]
    fn a_seed_makes_the_waits_repeat() {
        let waits = |seed| {
            let mut random = Retry::default().seed(seed).random();
            (1..9).map(|round| Retry::default().backoff.delay(round, &mut random)).collect::<Vec<_>>()
        };
        assert_eq!(waits(1), waits(1));
        assert_ne!(waits(1), waits(2));
    }
}
