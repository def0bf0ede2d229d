use std::time::Duration;

use super::MAX_RETRIES;

/// How a batch repeats what DynamoDB leaves unprocessed: with exponential backoff and full jitter, until several rounds in
/// a row have brought nothing.
///
/// ```
/// use std::time::Duration;
/// use dynorm::Retry;
///
/// let patient = Retry::default().rounds(8).base_delay(Duration::from_millis(100)).max_delay(Duration::from_secs(10));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    pub(crate) rounds: u32,
    base_delay: Duration,
    max_delay: Duration,
}

impl Default for Retry {
    /// [`MAX_RETRIES`] rounds, waiting at random up to 50 ms before the first and up to twice as long before each
    /// further one, 5 seconds at most.
    fn default() -> Self {
        Self { rounds: MAX_RETRIES, base_delay: Duration::from_millis(50), max_delay: Duration::from_secs(5) }
    }
}

impl Retry {
    /// The number of rounds of retries without any progress that ends the batch; 0 never sends anything twice.
    #[must_use]
    pub const fn rounds(mut self, rounds: u32) -> Self {
        self.rounds = rounds;
        self
    }

    /// The most that the first round waits.
    #[must_use]
    pub const fn base_delay(mut self, delay: Duration) -> Self {
        self.base_delay = delay;
        self
    }

    /// The most that any round waits.
    #[must_use]
    pub const fn max_delay(mut self, delay: Duration) -> Self {
        self.max_delay = delay;
        self
    }

    /// How long to wait before the next round after `fruitless` rounds in a row without progress: anything from nothing to a
    /// limit that doubles with each, so that the batches of many clients do not come back all at once.
    pub(super) fn delay(&self, fruitless: u32) -> Duration {
        let factor = 2u32.saturating_pow(fruitless.saturating_sub(1).min(30));
        self.base_delay.saturating_mul(factor).min(self.max_delay).mul_f64(fastrand::f64())
    }
}

#[cfg(test)]
mod tests {
    use super::Retry;
    use std::time::Duration;

    #[test]
    fn the_delay_doubles_up_to_its_limit_and_is_spread_over_the_whole_range() {
        let retry =
            Retry::default().base_delay(Duration::from_millis(100)).max_delay(Duration::from_millis(350));
        for (fruitless, limit) in [(0, 100), (1, 100), (2, 200), (3, 350), (60, 350)] {
            let delays: Vec<Duration> = (0..500).map(|_| retry.delay(fruitless)).collect();
            let limit = Duration::from_millis(limit);
            assert!(delays.iter().all(|delay| *delay <= limit));
            assert!(delays.iter().any(|delay| *delay > limit.mul_f64(0.8)));
            assert!(delays.iter().any(|delay| *delay < limit.mul_f64(0.2)));
        }
    }
}
