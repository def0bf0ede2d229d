//! The loop behind every batch. It knows bytes and keys, not entities, so it exists once in a program.
//!
//! Inputs come in from [`Inputs`], become jobs, wait in the queue of their table, travel in requests with others, and leave
//! as fates. A job that comes back unfinished waits a while and travels on with fresh ones; there are no rounds.

mod answer;
mod intake;
mod job;
mod settle;
mod table;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use hashbrown::HashTable;
use slab::Slab;
use tokio::time::Instant;

use super::body::Body;
use super::deadline::Deadline;
use super::pace::{Concurrency, Pace};
use super::progress::{Checkpoint, Progress};
use super::work::Work;
use super::{Fate, Settings, Stats, count};
use crate::codec::{Item, ValueError};
use crate::database::Database;
use crate::entity::EntityInfo;
use crate::error::{Error, Result};
use crate::transport::{self, Answer, Failure, Operation};
use crate::write::Known;
pub(super) use job::Job;
use job::{Indices, Other};
use settle::Wait;
use table::Probe;
pub(super) use table::Table;

/// For how long a few items wait for others, so that they fill a request, while a request is under way.
const LINGER: Duration = Duration::from_millis(50);

/// The inputs of a batch, on the side that knows their types: it hands them in one after another, and hears what becomes of
/// each.
pub(super) trait Inputs: Send {
    /// The next input. The engine numbers them from 0.
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Input>>;

    /// The fate of an input, once for each. A reason says why it is not done.
    fn settle(&mut self, index: usize, fate: Fate, reason: Option<&Arc<Error>>);

    /// The item that answers these inputs, before they are settled.
    fn found(&mut self, _: &[usize], _: &Item<'_>) -> Result<(), ValueError> {
        Ok(())
    }

    /// An input once more, with what is known of its item by now.
    fn again(&mut self, _: usize, _: &Known) -> Option<Result<Body>> {
        None
    }

    /// The next of those that were taken from the caller and not handed in, when nothing more is to be begun.
    fn poll_left(&mut self, _: &mut Context<'_>) -> Poll<Option<Left>> {
        Poll::Ready(None)
    }

    /// How many inputs that are done wait for their hooks.
    fn waiting_for_hooks(&self) -> usize {
        0
    }

    /// Ready when what was settled has been passed on, and more may be.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }

    /// The first of the inputs that are settled here, and not passed on yet.
    fn held_back(&self) -> Option<usize> {
        None
    }

    /// Why nothing more is to be begun, if whoever gave the inputs has had enough.
    fn stopped(&self) -> Option<Arc<Error>> {
        None
    }

    /// Where an input stands among those that the caller gave.
    fn position(&self, index: usize) -> usize {
        index
    }

    /// How many there are, if that is known.
    fn total(&self) -> Option<u64>;
}

/// One input, encoded, or the reason why it cannot be sent.
pub(super) struct Input {
    pub(super) table: usize,
    pub(super) info: &'static EntityInfo,
    pub(super) body: Result<Body>,
    /// What an earlier batch has said of it.
    pub(super) earlier: Option<(Fate, Arc<Error>)>,
}

/// An input that was taken from the caller and not handed in, with the reason if it was refused meanwhile.
pub(super) struct Left {
    pub(super) refused: Option<Error>,
}

/// A table of a batch.
#[derive(Debug)]
pub(super) struct TableSpec {
    /// One of the entities in it: they all have the same key.
    pub(super) info: &'static EntityInfo,
    pub(super) name: String,
    /// Reads are consistent.
    pub(super) consistent: bool,
}

/// Where inputs come from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Origin {
    /// They are all at hand. As many as may share their keys come first, and are taken in before anything is sent, so that of
    /// several with one key one is sent.
    AtHand { first: usize },
    /// They come one after another.
    Stream,
}

/// How many inputs may be on their way: twice what the requests under way take.
pub(super) fn room(work: Work, settings: &Settings<'_>) -> usize {
    let requests = settings.options.concurrency.unwrap_or(work.most_under_way());
    requests.saturating_mul(work.most_items()).saturating_mul(2)
}

/// The encoded inputs that may be on their way, in bytes.
const ROOM_BYTES: usize = 16 * 1024 * 1024;

/// What a batch came to, beside the fates of its inputs.
pub(super) struct Outcome {
    pub(super) stats: Stats,
    /// Why the batch did not go on to the end of its inputs.
    pub(super) stopped: Option<Arc<Error>>,
    /// How many inputs were taken in.
    pub(super) admitted: usize,
}

/// Carries out all that can be, and says what became of each.
pub(super) async fn run(
    database: &Database,
    work: Work,
    tables: Vec<TableSpec>,
    origin: Origin,
    settings: Settings<'_>,
    inputs: &mut dyn Inputs,
) -> Outcome {
    Engine::new(work, tables, origin, settings, inputs).run(database).await
}

/// One request, with what the pace of its tables needs to know.
struct Flight {
    chunk: Vec<usize>,
    parts: Vec<Part>,
    answered: Option<std::result::Result<Answer, Failure>>,
}

struct Part {
    table: usize,
    units: f64,
    generation: u32,
}

struct Engine<'e> {
    work: Work,
    settings: Settings<'e>,
    random: fastrand::Rng,
    inputs: &'e mut dyn Inputs,
    origin: Origin,
    /// How many inputs may be on their way.
    room: usize,
    /// The inputs have ended.
    ended: bool,
    /// They had nothing to give when they were asked the last time.
    is_idle: bool,
    /// Since when a few items wait for others, so that they fill a request.
    holding_since: Option<Instant>,
    admitted: usize,
    jobs: Slab<Job>,
    /// The job of each key that is on its way.
    keys: HashTable<usize>,
    held_items: usize,
    held_bytes: usize,
    tables: Vec<Table>,
    /// The table that the next request begins with.
    turn: usize,
    /// Parts of requests that were refused, until the item that caused it stands alone.
    isolating: VecDeque<Vec<usize>>,
    under_way: usize,
    /// How many jobs an answer has brought to their end.
    settled: u64,
    /// How many answers came.
    answers: u64,
    sequence: u64,
    stats: Stats,
    progress: Progress,
    checkpoint: Checkpoint,
    deadline: Deadline,
    stopped: Option<Arc<Error>>,
}

/// What the engine waits for.
enum Event {
    Answered(Box<Flight>),
    /// Inputs were taken in, or there are none at the moment, or no more at all.
    Inputs,
    Time,
}

impl<'e> Engine<'e> {
    fn new(
        work: Work,
        tables: Vec<TableSpec>,
        origin: Origin,
        mut settings: Settings<'e>,
        inputs: &'e mut dyn Inputs,
    ) -> Self {
        let concurrency = settings
            .options
            .concurrency
            .map_or(Concurrency::Adaptive(work.most_under_way()), Concurrency::Fixed);
        let pace = || Pace::new(concurrency, settings.options.units_per_second);
        let mut tables: Vec<Table> = tables.into_iter().map(|spec| Table::new(spec, pace())).collect();
        let (total, room) = (inputs.total(), room(work, &settings));
        // Each but a few becomes a job.
        let jobs = match origin {
            Origin::AtHand { first } => first,
            Origin::Stream => 0,
        };
        if let [table] = tables.as_mut_slice() {
            table.fresh.reserve(jobs);
        }
        Self {
            work,
            random: settings.options.retry.random(),
            origin,
            room,
            ended: false,
            is_idle: false,
            holding_since: None,
            admitted: 0,
            jobs: Slab::with_capacity(jobs),
            keys: HashTable::with_capacity(jobs),
            held_items: 0,
            held_bytes: 0,
            tables,
            turn: 0,
            isolating: VecDeque::new(),
            under_way: 0,
            settled: 0,
            answers: 0,
            sequence: 0,
            stats: Stats::default(),
            progress: Progress { total, ..Progress::default() },
            checkpoint: Checkpoint::of(jobs),
            deadline: settings.deadline(),
            stopped: None,
            settings,
            inputs,
        }
    }

    async fn run(mut self, database: &Database) -> Outcome {
        if let Origin::AtHand { first } = self.origin {
            self.take_in(first).await;
        }
        let mut under_way = FuturesUnordered::new();
        let mut timer = None;
        loop {
            let now = Instant::now();
            if self.deadline.has_passed() {
                self.pass_deadline();
                break;
            }
            if self.stopped.is_none() {
                self.stopped = self.inputs.stopped();
            }
            while let Some(flight) = self.next_request(now) {
                let body = self.work.request(&flight.chunk, &self.jobs, &self.tables);
                self.stats.requests += 1;
                self.stats.bytes += count(body.len());
                let names = flight.parts.iter().filter_map(|part| self.tables.get(part.table));
                let names: Vec<String> = names.map(|table| table.spec.name.clone()).collect();
                let operation = self.work.operation(&flight.chunk, &self.jobs);
                under_way.push(send(database, operation, names, flight, body));
            }
            self.under_way = under_way.len();
            if self.is_over() {
                break;
            }
            let wake = self.wake(now);
            let sleeps = under_way.is_empty() && !self.wants_input();
            match wake {
                None => timer = None,
                Some(wake) => match &mut timer {
                    None => timer = Some(Box::pin(tokio::time::sleep_until(wake))),
                    Some(timer) => timer.as_mut().reset(wake),
                },
            }
            let event = poll_fn(|context| {
                if let Poll::Ready(Some(flight)) = under_way.poll_next_unpin(context) {
                    return Poll::Ready(Event::Answered(Box::new(flight)));
                }
                if self.poll_inputs(context).is_ready() {
                    return Poll::Ready(Event::Inputs);
                }
                match &mut timer {
                    Some(timer) => timer.as_mut().poll(context).map(|()| Event::Time),
                    None => Poll::Pending,
                }
            })
            .await;
            match event {
                Event::Answered(flight) => {
                    self.under_way = under_way.len();
                    self.digest(*flight);
                    self.publish();
                }
                Event::Time if sleeps => self.stats.waited += now.elapsed(),
                Event::Time | Event::Inputs => {}
            }
        }
        drop(under_way);
        self.give_up();
        if !self.ended {
            self.settle_left().await;
        }
        // What was settled last is passed on before the batch ends, if there is time for it.
        self.deadline.bound(poll_fn(|context| self.inputs.poll_ready(context))).await;
        self.stats.dropped_hooks += count(self.inputs.waiting_for_hooks());
        self.publish();
        Outcome { stats: self.stats, stopped: self.stopped, admitted: self.admitted }
    }

    /// Takes in the first inputs, before any of them is sent.
    async fn take_in(&mut self, first: usize) {
        while self.admitted < first {
            match poll_fn(|context| self.inputs.poll_next(context)).await {
                Some(input) => self.admit(input),
                None => break,
            }
            if self.admitted.is_multiple_of(256) {
                // To encode a large batch takes a while, and other tasks want to run.
                tokio::task::yield_now().await;
                if self.deadline.has_passed() {
                    break;
                }
            }
        }
        self.ended = self.inputs.total() == Some(count(self.admitted));
    }

    fn is_over(&self) -> bool {
        self.under_way == 0 && (self.stopped.is_some() || (self.ended && self.jobs.is_empty()))
    }

    fn wants_input(&self) -> bool {
        let is_low = match self.origin {
            // Many at a time: to encode them one after another takes less than to do it between requests.
            Origin::AtHand { .. } => self.held_items <= self.room / 2 || self.is_starved(),
            Origin::Stream => true,
        };
        is_low && self.has_room() && !self.ended && self.stopped.is_none()
    }

    fn has_room(&self) -> bool {
        self.is_starved() || (self.held_items < self.room && self.held_bytes < ROOM_BYTES)
    }

    /// What is on its way has all been sent and came back, and there is more at hand: that does not wait for what came back.
    fn is_starved(&self) -> bool {
        let fresh: usize = self.tables.iter().map(|table| table.fresh.len()).sum();
        matches!(self.origin, Origin::AtHand { .. }) && fresh < self.work.most_items()
    }

    /// Takes in inputs: of a stream as many as fill a request, if there are so many. Ready if anything has changed.
    fn poll_inputs(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let most = match self.origin {
            Origin::AtHand { .. } => self.room,
            Origin::Stream => self.work.most_items(),
        };
        let (before, wants_input) = (self.admitted, self.wants_input());
        loop {
            let ready = self.inputs.poll_ready(context);
            let taken = self.admitted - before;
            if !wants_input || !self.has_room() || taken == most {
                return if taken > 0 { Poll::Ready(()) } else { Poll::Pending };
            }
            // Nothing new is taken in before what has failed is passed on: that is how a slow consumer of failures slows all.
            let next = if ready.is_ready() { self.inputs.poll_next(context) } else { Poll::Pending };
            match next {
                Poll::Ready(Some(input)) => {
                    self.is_idle = false;
                    self.admit(input);
                }
                Poll::Ready(None) => {
                    self.ended = true;
                    return Poll::Ready(());
                }
                Poll::Pending if taken == 0 && self.is_idle => return Poll::Pending,
                Poll::Pending => {
                    // What is at hand may go now, even if it does not fill a request.
                    self.is_idle = true;
                    return Poll::Ready(());
                }
            }
        }
    }

    /// When to look again, if nothing happens before.
    fn wake(&self, now: Instant) -> Option<Instant> {
        let tables = self.tables.iter().filter(|_| self.stopped.is_none());
        let tables = tables.filter_map(|table| table.wake(now));
        let holding = self.holding_since.map(|since| since + LINGER);
        // What is past has had its chance just now.
        tables.chain(self.deadline.at()).chain(holding).filter(|wake| *wake > now).min()
    }

    fn publish(&mut self) {
        self.stats.elapsed = self.deadline.elapsed();
        // What has failed is settled only once somebody has it.
        let checkpoint = self.inputs.held_back().map_or(u64::MAX, count).min(self.checkpoint.get());
        self.progress.update(&self.stats, self.admitted, checkpoint);
        self.settings.publish(&self.progress);
    }
}

async fn send(
    database: &Database,
    operation: Operation,
    tables: Vec<String>,
    mut flight: Flight,
    body: Vec<u8>,
) -> Flight {
    let tables: Vec<&str> = tables.iter().map(String::as_str).collect();
    let items = Some(flight.chunk.len());
    let answer = transport::send_batch(database.once(), operation, &tables, items, body).await;
    flight.answered = Some(answer);
    flight
}
