//! How often, and after which wait, something is tried again: exponential backoff with full jitter; and
//! the rounds of a batch that bring nothing, which have a least length.
//!
//! To change how single writes, transactions, `retry_on_conflict` or batches are repeated, change the
//! constant of that name below: each has its own, so that none changes with another. What a caller may choose
//! for a batch is [`Retry`](crate::Retry) (`batch/retry.rs`), which starts from [`Backoff::BATCH`] and
//! [`MAX_RETRIES`] and says them in its docs. Which failures are worth another attempt is
//! `FailureKind::may_pass` (`transport/failure.rs`); how many requests are sent at a time is `batch/pace.rs`.

use std::time::Duration;

/// How many rounds of retries without any progress end a batch, unless [`Retry`](crate::Retry) says
/// otherwise.
pub const MAX_RETRIES: u32 = 3;

/// For how long a write is made again whose unique values others are changing.
pub(crate) const CLAIM_TIME: Duration = Duration::from_secs(30);

/// How often one thing is tried, and how long the waits in between may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Backoff {
    /// The most attempts, the first one included.
    pub(crate) attempts: u32,
    /// The longest wait after the first attempt. It doubles with each further one.
    pub(crate) base_delay: Duration,
    /// The longest wait after any.
    pub(crate) max_delay: Duration,
}

/// No wait is longer, whatever a caller says: the clock must be able to show its end.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);

impl Backoff {
    /// One write with a condition: between the attempts there are up to 50, 100, 200, 400 and 800 ms.
    pub(crate) const WRITE: Self = Self::of(6);

    /// One transaction: between the attempts there are up to 50, 100, 200, … 3,200 ms. They are more than
    /// those of a write, since transactions that meet at an item all have to wait for each other.
    pub(crate) const TRANSACTION: Self = Self::of(8);

    /// A write whose unique values others are changing: as often as it takes within [`CLAIM_TIME`], with up
    /// to 50, 100, 200 ms, … and a second in between.
    pub(crate) const CLAIM: Self = Self { max_delay: Duration::from_secs(1), ..Self::of(u32::MAX) };

    /// `retry_on_conflict`: as often as others may be faster, with up to 5 seconds in between.
    pub(crate) const CONFLICT: Self = Self::of(100);

    /// One item of a batch, unless [`Retry`](crate::Retry) says otherwise.
    pub(crate) const BATCH: Self = Self::of(50);

    const fn of(attempts: u32) -> Self {
        Self { attempts, base_delay: Duration::from_millis(50), max_delay: Duration::from_secs(5) }
    }

    /// How long to wait before the next attempt after `fruitless` attempts: anything from nothing to a limit
    /// that doubles with each, so that the attempts of many clients do not come back all at once.
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
