//! How a batch repeats what comes back, as far as the caller chooses it.

use std::time::Duration;

use crate::backoff::{Backoff, MAX_RETRIES};

/// How a batch repeats what DynamoDB leaves unprocessed: with exponential backoff and jitter, until several
/// rounds in a row have brought nothing.
///
/// An item that comes back while others are done waits at random up to [`base_delay`](Self::base_delay), and
/// from its fifth attempt on up to twice as long with each further one, up to [`max_delay`](Self::max_delay).
///
/// A round in which nothing of the whole batch is done is waited for longer, since it ends the batch when it
/// has been the last: at random from half of a limit to all of it. The limit is the `base_delay`, then four
/// times as much with each round, up to `max_delay`. A batch of one item is no exception.
///
/// # In time
///
/// How long it takes until an operation gives up on a table that takes nothing at all. The times of the
/// requests come on top.
///
/// | operation | attempts | waits between them | together |
/// |---|---|---|---|
/// | a batch of one request, with the defaults | 4 | 25–50, 100–200, 400–800 ms | 0.525 to 1.05 s |
/// | a batch of several requests | 4 each and more | the same; they have their rounds one after another | 0.525 to 2.1 s |
/// | a batch of one request with `rounds(8)` | 9 | and 1.6–3.2 s, then 2.5–5 s | 12.1 to 24.3 s |
/// | an item whose batch goes on without it | 50 | up to 50, 50, 50, 50, 100, 200 ms, …, then up to 5 s | up to 200 s |
/// | a single write with a condition, an update | 6 | up to 50, 100, 200, 400, 800 ms | up to 1.55 s |
/// | a transaction | 8 | up to 50, 100, 200 ms, … 3.2 s | up to 6.35 s |
/// | a write of unique values that others keep changing | as many as it takes | up to 50, 100, 200 ms, …, then up to 1 s | 30 to 31 s |
/// | a single read, a write without a condition | those of the SDK's client: by default 3 | | |
/// | [`retry_on_conflict`](crate::Repository::retry_on_conflict) | 100 | up to 50, 100, 200 ms, …, then up to 5 s | up to 467 s |
///
/// Single operations have no `Retry` of their own. A timeout around one, such as `tokio::time::timeout`,
/// drops it: what is known of it then is nothing.
///
/// ```
/// use std::time::Duration;
/// use dynorm::Retry;
///
/// let patient = Retry::default().rounds(8).base_delay(Duration::from_millis(100)).max_delay(Duration::from_secs(10));
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
    /// [`MAX_RETRIES`](crate::MAX_RETRIES) rounds, a base delay of 50 ms and 5 seconds at most: a batch that
    /// brings nothing gives up after 0.525 seconds at the earliest, and after 1.05 if it is one request, or
    /// 2.1; the time of the requests comes on top. No item is sent more than 50 times; no deadline.
    fn default() -> Self {
        Self { rounds: MAX_RETRIES, deadline: None, seed: None, backoff: Backoff::BATCH }
    }
}

impl Retry {
    /// The number of rounds of retries without any progress that ends the batch; 0 repeats nothing, but for
    /// the halves of a request that was refused for one of its items. More than [`attempts`](Self::attempts)
    /// are never used up.
    ///
    /// A round is one more attempt at an item, and it is without progress if no item of the whole batch was done
    /// meanwhile. What travels along with others before its wait is over has not had that round. As long as the
    /// batch brings something, it goes on.
    #[must_use]
    pub const fn rounds(mut self, rounds: u32) -> Self {
        self.rounds = rounds;
        self
    }

    /// The most often that one item is sent, however well the others do: the end for an item whose key is
    /// used so much that it never gets through, in a batch that never ends. At least 1.
    #[must_use]
    pub const fn attempts(mut self, attempts: u32) -> Self {
        self.backoff.attempts = if attempts == 0 { 1 } else { attempts };
        self
    }

    /// The most that an item waits when it has come back once.
    #[must_use]
    pub const fn base_delay(mut self, delay: Duration) -> Self {
        self.backoff.base_delay = delay;
        self
    }

    /// The most that an item ever waits.
    #[must_use]
    pub const fn max_delay(mut self, delay: Duration) -> Self {
        self.backoff.max_delay = delay;
        self
    }

    /// The most that the whole batch takes, from its first await: hooks, the reads that they need, waits for
    /// capacity and for whoever takes the failures included. What is not done by then is not done: items
    /// under way are [unknown](crate::Fate::Unknown), the others keep the fate that they have, all with an
    /// [`Error::Timeout`](crate::Error::Timeout) if nothing worse happened to them.
    ///
    /// A [hook](crate::Hooks) that would wait past it is dropped. One that comes before a write leaves its
    /// item, and those behind it, [not sent](crate::Fate::NotSent). One that comes after a write cannot take
    /// it back: the item is done, and [`Stats::dropped_hooks`](crate::Stats::dropped_hooks) counts it. An
    /// item that was read, and whose hook did not come to its end, counts as unprocessed.
    ///
    /// What does not wait cannot be cut off: a callback or a hook that blocks its thread holds the batch up
    /// as long as it likes.
    #[must_use]
    pub const fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Makes the random part of the waits the same in every run, for tests. The clock is tokio's, which
    /// `tokio::time::pause` stops: a test waits for nothing.
    ///
    /// ```
    /// let repeatable = dynorm::Retry::default().seed(42);
    /// ```
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Where the random part of the waits comes from.
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
