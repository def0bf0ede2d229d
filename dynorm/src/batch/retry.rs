//! How a batch repeats what comes back, as far as the caller chooses it.

use std::time::Duration;

use crate::backoff::{Backoff, MAX_RETRIES};

/// How a batch repeats what DynamoDB leaves unprocessed: with exponential backoff and full jitter, until
/// several rounds in a row have brought nothing.
///
/// An item that comes back waits at random up to [`base_delay`](Self::base_delay). That doubles with each
/// round without progress, and from its fourth attempt on with each further one, up to
/// [`max_delay`](Self::max_delay).
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
    /// [`MAX_RETRIES`](crate::MAX_RETRIES) rounds, waiting at random up to 50 ms before the first and up to
    /// twice as long before each further one, 5 seconds at most; no item is sent more than 50 times; no
    /// deadline.
    fn default() -> Self {
        Self { rounds: MAX_RETRIES, deadline: None, seed: None, backoff: Backoff::BATCH }
    }
}

impl Retry {
    /// The number of rounds of retries without any progress that ends the batch; 0 repeats nothing, but for
    /// the halves of a request that was refused for one of its items. More than [`attempts`](Self::attempts)
    /// are never used up.
    ///
    /// A round is one more attempt at an item, and it is without progress if no item of the whole batch was
    /// done meanwhile. As long as the batch brings something, it goes on.
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

    /// The most that the whole batch takes, from its first await. What is not done by then is not done: items
    /// under way are [unknown](crate::Fate::Unknown), the others keep the fate that they have, all with an
    /// [`Error::Timeout`](crate::Error::Timeout) if nothing worse happened to them.
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
