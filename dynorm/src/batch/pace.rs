//! The pace of the requests to a table: how many are in flight, and how many capacity units they consume per
//! second.
//!
//! Both follow from the answers, for each table separately.
//!
//! - The *window* is the number of requests in flight. It grows while answers process what was sent, and is
//!   halved when one processes less than half of it.
//! - The *rate* is unlimited until more than half of what was sent comes back unprocessed. From then on it is
//!   the throughput that was observed, and is reviewed every second: raised a little while nearly nothing
//!   comes back, and otherwise set to what was processed in that second. If the limit does not help, it was
//!   not the reason for the unprocessed items, and is removed.
//!
//! A table that processes nothing at all in several answers in a row is *closed*: one request at a time
//! probes it, until one is processed at least in part.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// The initial window, in requests.
const FIRST_WINDOW: f64 = 8.0;

/// The number of answers that decide whether a table is saturated.
const RECENT: usize = 16;

/// The number of answers in a row without any progress that closes a table.
const FRUITLESS: u32 = 8;

/// The share of unprocessed items up to which a rate limit is not lowered.
const TOLERATED: f64 = 0.08;

/// How often a rate limit is reviewed.
const PERIOD: Duration = Duration::from_secs(1);

/// The pace of one table.
#[derive(Debug)]
pub(super) struct Pace {
    concurrency: Concurrency,
    window: f64,
    /// True until the first failure: the window doubles with each round trip.
    is_starting: bool,
    /// The number of times that the window was halved. Answers to requests that were sent before the last
    /// time do not halve it again.
    generation: u32,
    under_way: usize,
    recent: VecDeque<Taken>,
    rate: Option<Rate>,
    period: Period,
    /// The rate limit that the caller has set.
    cap: Option<Rate>,
    fruitless: u32,
}

/// The limit on the requests in flight.
#[derive(Clone, Copy, Debug)]
pub(super) enum Concurrency {
    Fixed(usize),
    /// As many as make progress, up to this number.
    Adaptive(usize),
}

/// What one request asked for, and what was processed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    pub(super) asked: f64,
    pub(super) taken: f64,
    pub(super) at: Instant,
}

#[derive(Clone, Copy, Debug)]
struct Period {
    start: Instant,
    asked: f64,
    taken: f64,
    /// The throughput per second before the rate was last lowered, if the previous period lowered it.
    lowered_from: Option<f64>,
}

impl Pace {
    pub(super) fn new(concurrency: Concurrency, units_per_second: Option<f64>) -> Self {
        let window = match concurrency {
            Concurrency::Fixed(requests) => requests.max(1) as f64,
            Concurrency::Adaptive(most) => FIRST_WINDOW.min(most as f64),
        };
        let now = Instant::now();
        Self {
            concurrency,
            window,
            is_starting: true,
            generation: 0,
            under_way: 0,
            recent: VecDeque::with_capacity(RECENT),
            rate: None,
            period: Period::starting(now),
            cap: units_per_second.map(|units| Rate::new(units, now)),
            fruitless: 0,
        }
    }

    /// True if another request may be in flight.
    pub(super) fn has_room(&self) -> bool {
        self.under_way < if self.is_closed() { 1 } else { self.window as usize }
    }

    /// Returns when the rate allows another request: `now`, or later.
    pub(super) fn ready_at(&self, now: Instant) -> Instant {
        let rates = [&self.rate, &self.cap].into_iter().flatten();
        rates.map(|rate| rate.ready_at(now)).max().unwrap_or(now)
    }

    /// True if the table processes nothing.
    pub(super) fn is_closed(&self) -> bool {
        self.fruitless >= FRUITLESS
    }

    /// Records that a request for this many units is sent. Returns the generation to pass to
    /// [`answered`](Self::answered).
    pub(super) fn sent(&mut self, units: f64, now: Instant) -> u32 {
        self.under_way += 1;
        for rate in [&mut self.rate, &mut self.cap].into_iter().flatten() {
            rate.take(units, now);
        }
        self.generation
    }

    /// Records that a request is no longer in flight.
    pub(super) fn ended(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }

    /// Records the capacity that a request consumed beyond its estimate.
    pub(super) fn consumed(&mut self, surplus: f64, now: Instant) {
        if let Some(cap) = &mut self.cap {
            cap.take(surplus, now);
        }
    }

    /// Records a failed request, or an answer that says nothing about the capacity.
    pub(super) fn failed(&mut self) {
        self.fruitless += 1;
    }

    /// Records that the table is responsive: an item was processed, or was refused for its own reasons.
    pub(super) fn brought_something(&mut self) {
        if self.is_closed()
            && let Concurrency::Adaptive(_) = self.concurrency
        {
            self.window = 1.0;
        }
        self.fruitless = 0;
    }

    /// Records what the table processed of a request that was sent in `generation`.
    pub(super) fn answered(&mut self, answer: Taken, generation: u32) {
        if answer.taken > 0.0 {
            self.brought_something();
        } else {
            self.failed();
        }
        let Concurrency::Adaptive(most) = self.concurrency else { return };
        let share = answer.taken / answer.asked;
        if share >= 0.5 {
            let more = if self.is_starting { 1.0 } else { 1.0 / self.window };
            self.window = (self.window + more).min(most as f64);
        } else if generation == self.generation {
            self.window = (self.window / 2.0).max(1.0);
            self.generation += 1;
            self.is_starting = false;
        }
        self.judge(answer);
        self.review(answer);
    }

    /// Limits the rate when more than half of what was recently sent came back.
    fn judge(&mut self, answer: Taken) {
        self.recent.push_back(answer);
        if self.recent.len() < RECENT {
            return;
        }
        let (asked, taken) =
            self.recent.iter().fold((0.0, 0.0), |sum, answer| (sum.0 + answer.asked, sum.1 + answer.taken));
        let first = self.recent.pop_front();
        if taken > asked / 2.0 {
            return;
        }
        if let Some(first) = first {
            let span = answer.at.saturating_duration_since(first.at).as_secs_f64();
            // What the first answer processed lies before this time span.
            let seen = if span > 0.0 { (taken - first.taken) / span } else { f64::INFINITY };
            let units = seen.clamp(1.0, 1e9);
            match &mut self.rate {
                Some(rate) => rate.per_second = rate.per_second.min(units),
                None => self.rate = Some(Rate::new(units, answer.at)),
            }
        }
        self.recent.clear();
        self.period = Period::starting(answer.at);
    }

    /// Reviews the rate limit every second.
    fn review(&mut self, answer: Taken) {
        let Some(rate) = &mut self.rate else { return };
        let period = &mut self.period;
        period.asked += answer.asked;
        period.taken += answer.taken;
        let span = answer.at.saturating_duration_since(period.start);
        if span < PERIOD || period.asked <= 0.0 {
            return;
        }
        let taken = period.taken / span.as_secs_f64();
        let mut next = Period::starting(answer.at);
        if period.taken >= period.asked * (1.0 - TOLERATED) {
            // Additive increase: a twentieth of the throughput.
            rate.per_second += taken / 20.0;
        } else if period.lowered_from.is_some_and(|before| taken < before * 0.9) {
            // Less was sent and less was processed, but as much came back: the limit is the cause, not the
            // capacity.
            self.rate = None;
        } else {
            rate.per_second = rate.per_second.min(taken).max(1.0);
            next.lowered_from = Some(taken);
        }
        self.period = next;
    }
}

impl Period {
    fn starting(start: Instant) -> Self {
        Self { start, asked: 0.0, taken: 0.0, lowered_from: None }
    }
}

/// A rate limit in units per second: a token bucket, which one request may overdraw.
#[derive(Clone, Copy, Debug)]
struct Rate {
    per_second: f64,
    balance: f64,
    at: Instant,
}

impl Rate {
    /// How long an unused balance is kept, in seconds.
    const BURST: f64 = 0.05;

    fn new(per_second: f64, now: Instant) -> Self {
        Self { per_second, balance: 0.0, at: now }
    }

    fn balance(&self, now: Instant) -> f64 {
        let elapsed = now.saturating_duration_since(self.at).as_secs_f64();
        (self.balance + elapsed * self.per_second).min(self.per_second * Self::BURST)
    }

    fn ready_at(&self, now: Instant) -> Instant {
        let missing = -self.balance(now);
        if missing <= 0.0 {
            return now;
        }
        // At most an hour, so that the clock cannot overflow, and rounded up by a tick.
        now + Duration::from_secs_f64((missing / self.per_second).min(3600.0)) + Duration::from_micros(1)
    }

    fn take(&mut self, units: f64, now: Instant) {
        self.balance = self.balance(now) - units;
        self.at = now;
    }
}
