//! Retry limits and delays: exponential backoff with full jitter, and the least length of a batch's rounds
//! without progress.
//!
//! To change how single writes, transactions, `retry_on_conflict` or batches are retried, change the constant
//! of [`Backoff`] with that name: each has its own, so a change does not affect the others. To add a kind of
//! request, add a constant. To change the defaults of batches, change [`Backoff::BATCH`] and [`MAX_RETRIES`],
//! and also the docs of [`Retry`](crate::Retry) (`batch/retry.rs`), which state them. Which failures are
//! retried is decided by `FailureKind::is_retryable` (`transport/failure.rs`); how many requests are in
//! flight at a time by `batch/pace.rs`.

use std::time::Duration;

/// The number of retry rounds without progress after which a batch ends, unless [`Retry`](crate::Retry) sets
/// another.
pub const MAX_RETRIES: u32 = 3;

/// How long a write is repeated whose unique values other clients are changing.
pub(crate) const CLAIM_TIME: Duration = Duration::from_secs(30);

/// The number of attempts, and the limits of the delays between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Backoff {
    /// The most attempts, including the first.
    pub(crate) attempts: u32,
    /// The longest delay after the first attempt. It doubles with each further attempt.
    pub(crate) base_delay: Duration,
    /// The longest delay after any attempt.
    pub(crate) max_delay: Duration,
}

/// The longest delay that a caller can set: adding it to the current time must not overflow.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);

impl Backoff {
    /// A single write with a condition: delays of up to 50, 100, 200, 400 and 800 ms.
    pub(crate) const WRITE: Self = Self::of(6);

    /// A transaction: delays of up to 50, 100, 200, … 3,200 ms. It has more attempts than a write, since
    /// transactions on the same item have to wait for each other.
    pub(crate) const TRANSACTION: Self = Self::of(8);

    /// A write whose unique values other clients are changing: as many attempts as fit [`CLAIM_TIME`], with
    /// delays of up to 50, 100, 200 ms, … and then a second.
    pub(crate) const CLAIM: Self = Self { max_delay: Duration::from_secs(1), ..Self::of(u32::MAX) };

    /// `retry_on_conflict`: delays of up to 5 seconds. It has many attempts, since other clients may be
    /// faster many times.
    pub(crate) const CONFLICT: Self = Self::of(100);

    /// An item of a batch, unless [`Retry`](crate::Retry) sets another.
    pub(crate) const BATCH: Self = Self::of(50);

    const fn of(attempts: u32) -> Self {
        Self { attempts, base_delay: Duration::from_millis(50), max_delay: Duration::from_secs(5) }
    }

    /// Returns a random delay after `fruitless` failed attempts: from zero to a limit that doubles with each
    /// attempt, so that the retries of many clients are spread out.
    pub(crate) fn delay(&self, fruitless: u32, random: &mut fastrand::Rng) -> Duration {
        let factor = 2u32.saturating_pow(fruitless.saturating_sub(1).min(30));
        let limit = self.base_delay.saturating_mul(factor).min(self.max_delay).min(LONGEST);
        limit.mul_f64(random.f64())
    }

    /// How long to wait after so many rounds in which nothing at all was done: a limit that grows four times
    /// with each, or a half of it at least, so that it is known for how long nobody gives up.
    pub(crate) fn round(&self, rounds: u32, random: &mut fastrand::Rng) -> Duration {
        let factor = 4u32.saturating_pow(rounds.saturating_sub(1).min(15));
        let limit = self.base_delay.saturating_mul(factor).min(self.max_delay).min(LONGEST);
        limit.mul_f64(0.5 + random.f64() / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Backoff;
    use std::time::Duration;

    #[test]
    fn the_delay_doubles_up_to_its_limit_and_is_spread_over_the_whole_range() {
        let backoff = Backoff {
            attempts: 100,
            base_delay: Duration::from_millis(100),
            max_delay: Duration::from_millis(350),
        };
        let mut random = fastrand::Rng::with_seed(1);
        for (fruitless, limit) in [(0, 100), (1, 100), (2, 200), (3, 350), (60, 350)] {
            let delays: Vec<Duration> = (0..500).map(|_| backoff.delay(fruitless, &mut random)).collect();
            let limit = Duration::from_millis(limit);
            assert!(delays.iter().all(|delay| *delay <= limit));
            assert!(delays.iter().any(|delay| *delay > limit.mul_f64(0.8)));
            assert!(delays.iter().any(|delay| *delay < limit.mul_f64(0.2)));
        }
    }

    #[test]
    fn a_round_without_progress_takes_half_of_its_limit_at_least() {
        let backoff = Backoff::BATCH;
        let mut random = fastrand::Rng::with_seed(1);
        for (round, limit) in [(1, 50), (2, 200), (3, 800), (4, 3200), (5, 5000), (u32::MAX, 5000)] {
            let waits: Vec<Duration> = (0..500).map(|_| backoff.round(round, &mut random)).collect();
            let limit = Duration::from_millis(limit);
            assert!(waits.iter().all(|wait| (limit / 2..=limit).contains(wait)));
            assert!(waits.iter().any(|wait| *wait > limit.mul_f64(0.9)));
            assert!(waits.iter().any(|wait| *wait < limit.mul_f64(0.6)));
        }
    }

    #[test]
    fn no_wait_is_longer_than_the_clock_can_show() {
        let backoff = Backoff { attempts: 1, base_delay: Duration::MAX, max_delay: Duration::MAX };
        let mut random = fastrand::Rng::with_seed(1);
        assert!(std::time::Instant::now().checked_add(backoff.delay(u32::MAX, &mut random)).is_some());
    }
}
