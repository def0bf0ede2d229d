//! How fast a table is asked: how many requests at a time, and how many units a second.
//!
//! Two things are learnt from the answers, for each table by itself.
//!
//! - The *window* is the number of requests that are under way. It grows while answers bring what was asked for, and is
//!   halved when one brings less than half of it.
//! - The *rate* has no bound until more than half of what was sent comes back. From then on it is what the table was seen to
//!   take, and is looked at every second: a little more while nearly nothing comes back, what was taken in that second
//!   otherwise. Should that not help, the rate was not what items came back for, and its bound is lifted.
//!
//! A table that brings nothing at all, answer after answer, is *closed*: one request at a time probes it, until one brings
//! something.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// How many requests are under way at first.
const FIRST_WINDOW: f64 = 8.0;

/// How many answers tell whether a table is saturated.
const RECENT: usize = 16;

/// So many answers in a row that brought nothing close a table.
const FRUITLESS: u32 = 8;

/// The share of what is sent that may come back before a known rate is lowered.
const TOLERATED: f64 = 0.08;

/// How often a known rate is looked at.
const PERIOD: Duration = Duration::from_secs(1);

/// The pace of one table.
#[derive(Debug)]
pub(super) struct Pace {
    concurrency: Concurrency,
    window: f64,
    /// Nothing has gone wrong so far, so the window doubles with each round trip.
    is_starting: bool,
    /// Counts the times that the window was halved: what was sent before the last of them says nothing new.
    generation: u32,
    under_way: usize,
    recent: VecDeque<Taken>,
    rate: Option<Rate>,
    period: Period,
    /// What the caller leaves to this batch.
    cap: Option<Rate>,
    fruitless: u32,
}

/// How many requests are under way at a time.
#[derive(Clone, Copy, Debug)]
pub(super) enum Concurrency {
    Fixed(usize),
    /// As many as bring something, and never more than this.
    Adaptive(usize),
}

/// What one request was to bring, and brought.
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
    /// What was taken in a second before the rate was lowered the last time, if the period before lowered it.
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

    /// True if another request may be under way.
    pub(super) fn has_room(&self) -> bool {
        self.under_way < if self.is_closed() { 1 } else { self.window as usize }
    }

    /// When the rate permits another request: `now`, or later.
    pub(super) fn ready_at(&self, now: Instant) -> Instant {
        let rates = [&self.rate, &self.cap].into_iter().flatten();
        rates.map(|rate| rate.ready_at(now)).max().unwrap_or(now)
    }

    /// True if nothing comes back from the table but what was sent to it.
    pub(super) fn is_closed(&self) -> bool {
        self.fruitless >= FRUITLESS
    }

    /// A request for so many units is sent. Gives what [`answered`](Self::answered) is to be told.
    pub(super) fn sent(&mut self, units: f64, now: Instant) -> u32 {
        self.under_way += 1;
        for rate in [&mut self.rate, &mut self.cap].into_iter().flatten() {
            rate.take(units, now);
        }
        self.generation
    }

    /// A request is no longer under way.
    pub(super) fn ended(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }

    /// What a request took of the capacity, beside what was reckoned when it was sent.
    pub(super) fn consumed(&mut self, surplus: f64, now: Instant) {
        if let Some(cap) = &mut self.cap {
            cap.take(surplus, now);
        }
    }

    /// No answer, or one that says nothing of the capacity.
    pub(super) fn failed(&mut self) {
        self.fruitless += 1;
    }

    /// An answer that is an answer: something was done, or refused for itself.
    pub(super) fn brought_something(&mut self) {
        if self.is_closed()
            && let Concurrency::Adaptive(_) = self.concurrency
        {
            self.window = 1.0;
        }
        self.fruitless = 0;
    }

    /// What the table took of a request that was sent in `generation`.
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

    /// Puts a bound to the rate when more than half of what was sent lately came back.
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
            // What the first brought, it brought before this span.
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

    /// Looks, every second, whether the bound of the rate is right.
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
            // Additive: a twentieth of what the table takes.
            rate.per_second += taken / 20.0;
        } else if period.lowered_from.is_some_and(|before| taken < before * 0.9) {
            // Less was sent, less was taken, and as much came back: the bound is to blame, not the capacity.
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

/// So many units a second: a balance that fills with time, and may be overdrawn by one request.
#[derive(Clone, Copy, Debug)]
struct Rate {
    per_second: f64,
    balance: f64,
    at: Instant,
}

impl Rate {
    /// For how long an unused balance is kept.
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
        // Never so far off that the clock could not show it, and a tick late rather than early.
        now + Duration::from_secs_f64((missing / self.per_second).min(3600.0)) + Duration::from_micros(1)
    }

    fn take(&mut self, units: f64, now: Instant) {
        self.balance = self.balance(now) - units;
        self.at = now;
    }
}
