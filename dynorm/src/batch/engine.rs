//! The loop behind every batch. It knows bytes and keys, not entities, so it exists once in a program.
//!
//! Inputs come in from [`Inputs`], become jobs, wait in the queue of their table, travel in requests with others, and leave
//! as fates. A job that comes back unfinished waits a while and travels on with fresh ones; there are no rounds.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use slab::Slab;
use tokio::time::Instant;

use super::pace::{Concurrency, Pace, Taken};
use super::progress::{Checkpoint, Progress};
use super::wire::{Body, Reading, Verdict, Work};
use super::{Duplicates, Fate, MAX_REQUEST_BYTES, Settings, Stats, count};
use crate::codec::{Item, ValueError};
use crate::database::Database;
use crate::entity::EntityInfo;
use crate::error::{Error, Report, Result, Subject};
use crate::transport::{self, Answer, Failure, FailureKind};

/// After so many attempts an item waits longer with each further one, even if others get through.
const PATIENCE: u32 = 3;

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

    /// Ready when what was settled has been passed on, and more may be.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }

    /// Why nothing more is to be begun, if whoever gave the inputs has had enough.
    fn stopped(&self) -> Option<Arc<Error>> {
        None
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

/// A table of a batch.
#[derive(Debug)]
pub(super) struct TableSpec {
    /// One of the entities in it: they all have the same key.
    pub(super) info: &'static EntityInfo,
    pub(super) name: String,
    /// Reads are consistent.
    pub(super) consistent: bool,
}

/// How many inputs may be on their way. A batch of inputs at hand takes in all of them before it sends any, so that of
/// several with one key only one is sent.
#[derive(Clone, Copy, Debug)]
pub(super) enum Room {
    All,
    Bounded { items: usize, bytes: usize },
}

/// What a batch came to, beside the fates of its inputs.
pub(super) struct Outcome {
    pub(super) stats: Stats,
    /// Why the batch did not go on to the end of its inputs.
    pub(super) stopped: Option<Arc<Error>>,
}

/// Carries out all that can be, and says what became of each.
pub(super) async fn run(
    database: &Database,
    work: Work,
    tables: Vec<TableSpec>,
    room: Room,
    settings: Settings<'_>,
    inputs: &mut dyn Inputs,
) -> Outcome {
    Engine::new(work, tables, room, settings, inputs).run(database).await
}

/// The items of one key, on their way.
pub(super) struct Job {
    pub(super) table: usize,
    pub(super) info: &'static EntityInfo,
    pub(super) body: Body,
    pub(super) inputs: Indices,
    attempts: u32,
    /// How many of its attempts in a row went by without anything of the batch being done.
    fruitless: u32,
    /// How many jobs of the batch were settled when it was sent.
    settled_before: u64,
    is_under_way: bool,
    sent: bool,
    /// It was sent once without an answer: unless it is done in the end, nobody knows.
    unanswered: bool,
    /// Why it is not done yet.
    cause: Option<Arc<Error>>,
    /// A later write of the same key, which came while this one was under way.
    successor: Option<Box<Job>>,
}

/// The inputs that one job stands for: itself, and others with the same key.
#[derive(Debug)]
pub(super) struct Indices {
    first: usize,
    others: Vec<Other>,
}

#[derive(Debug)]
struct Other {
    index: usize,
    /// It was sent itself, without an answer: if what stands for it is not done, nobody knows.
    unanswered: bool,
    /// Why it may be done itself.
    open: Option<Arc<Error>>,
}

impl Indices {
    fn one(index: usize) -> Self {
        Self { first: index, others: Vec::new() }
    }

    fn len(&self) -> usize {
        1 + self.others.len()
    }

    fn add(&mut self, index: usize, unanswered: bool, open: Option<Arc<Error>>) {
        self.others.push(Other { index, unanswered, open });
    }

    /// `index` is what is sent, and stands for the others.
    fn replace(&mut self, index: usize, unanswered: bool, open: Option<Arc<Error>>) {
        let first = std::mem::replace(&mut self.first, index);
        self.add(first, unanswered, open);
    }

    pub(super) fn with_all<T>(&self, visit: impl FnOnce(&[usize]) -> T) -> T {
        if self.others.is_empty() {
            return visit(&[self.first]);
        }
        let others = self.others.iter().map(|other| other.index);
        let all: Vec<usize> = std::iter::once(self.first).chain(others).collect();
        visit(&all)
    }
}

/// A table of the batch, with what is to be done there.
pub(super) struct Table {
    pub(super) spec: TableSpec,
    fresh: VecDeque<usize>,
    /// What came back and has waited.
    due: VecDeque<usize>,
    /// What came back, by the time at which it is due. What may travel before, in a request that has room, is marked.
    waiting: BTreeMap<(Instant, u64), (usize, bool)>,
    /// The request that probes the table while it is closed.
    probe: Option<Probe>,
    pace: Pace,
    /// How many were refused one by one, while nothing was done yet.
    refused: usize,
    done: u64,
    /// The error that makes sending anything else pointless, such as a missing table.
    stopped: Option<Arc<Error>>,
}

/// What came back last from a closed table, and when it goes there again.
struct Probe {
    due: Instant,
    /// Of the answer that it came back with.
    answer: u64,
    chunk: Vec<usize>,
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
    room: Room,
    /// The inputs have ended.
    ended: bool,
    /// Since when they have had nothing to give.
    idle_since: Option<Instant>,
    admitted: usize,
    jobs: Slab<Job>,
    /// The job of each key that is on its way.
    keys: HashMap<Arc<[u8]>, usize>,
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
    start: Instant,
    deadline: Option<Instant>,
    stopped: Option<Arc<Error>>,
}

/// What the engine waits for.
enum Event {
    Answered(Box<Flight>),
    Input(Input),
    Ended,
    /// There is no input at the moment.
    Idle,
    Time,
}

impl<'e> Engine<'e> {
    fn new(
        work: Work,
        tables: Vec<TableSpec>,
        room: Room,
        settings: Settings<'e>,
        inputs: &'e mut dyn Inputs,
    ) -> Self {
        let concurrency = settings
            .options
            .concurrency
            .map_or(Concurrency::Adaptive(work.most_under_way()), Concurrency::Fixed);
        let tables = tables.into_iter().map(|spec| Table {
            spec,
            fresh: VecDeque::new(),
            due: VecDeque::new(),
            waiting: BTreeMap::new(),
            probe: None,
            pace: Pace::new(concurrency, settings.options.units_per_second),
            refused: 0,
            done: 0,
            stopped: None,
        });
        let start = Instant::now();
        Self {
            work,
            random: settings.options.retry.random(),
            room,
            ended: false,
            idle_since: None,
            admitted: 0,
            jobs: Slab::new(),
            keys: HashMap::new(),
            held_items: 0,
            held_bytes: 0,
            tables: tables.collect(),
            turn: 0,
            isolating: VecDeque::new(),
            under_way: 0,
            settled: 0,
            answers: 0,
            sequence: 0,
            stats: Stats::default(),
            progress: Progress { total: inputs.total(), ..Progress::default() },
            checkpoint: Checkpoint::default(),
            start,
            deadline: settings.options.retry.deadline.and_then(|deadline| start.checked_add(deadline)),
            stopped: None,
            settings,
            inputs,
        }
    }

    async fn run(mut self, database: &Database) -> Outcome {
        if matches!(self.room, Room::All) {
            self.collect().await;
        }
        let mut under_way = FuturesUnordered::new();
        let mut timer = None;
        loop {
            let now = Instant::now();
            if self.deadline.is_some_and(|deadline| now >= deadline) {
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
                under_way.push(send(database, self.work, names, flight, body));
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
                if let Poll::Ready(event) = self.poll_input(context) {
                    return Poll::Ready(event);
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
                Event::Input(input) => {
                    self.idle_since = None;
                    self.admit(input);
                }
                Event::Ended => self.ended = true,
                // What is at hand may go now, even if it does not fill a request.
                Event::Idle => self.idle_since = Some(now),
                Event::Time if sleeps => self.stats.waited += now.elapsed(),
                Event::Time => {}
            }
        }
        drop(under_way);
        self.give_up();
        // What was settled last is passed on before the batch ends, if there is time for it.
        let pass_on = poll_fn(|context| self.inputs.poll_ready(context));
        match self.deadline {
            Some(deadline) => drop(tokio::time::timeout_at(deadline, pass_on).await),
            None => pass_on.await,
        }
        self.stats.elapsed = self.start.elapsed();
        self.publish();
        Outcome { stats: self.stats, stopped: self.stopped }
    }

    /// Takes in all inputs, before any of them is sent.
    async fn collect(&mut self) {
        while let Some(input) = poll_fn(|context| self.inputs.poll_next(context)).await {
            self.admit(input);
            if self.admitted.is_multiple_of(256) {
                // To encode a large batch takes a while, and other tasks want to run.
                tokio::task::yield_now().await;
            }
        }
        self.ended = true;
    }

    fn is_over(&self) -> bool {
        self.under_way == 0 && (self.stopped.is_some() || (self.ended && self.jobs.is_empty()))
    }

    fn wants_input(&self) -> bool {
        let has_room = match self.room {
            Room::All => true,
            Room::Bounded { items, bytes } => self.held_items < items && self.held_bytes < bytes,
        };
        has_room && !self.ended && self.stopped.is_none()
    }

    fn poll_input(&mut self, context: &mut Context<'_>) -> Poll<Event> {
        let ready = self.inputs.poll_ready(context);
        if !self.wants_input() {
            return Poll::Pending;
        }
        // Nothing new is taken in before what has failed is passed on: that is how a slow consumer of failures slows all.
        let next = if ready.is_ready() { self.inputs.poll_next(context) } else { Poll::Pending };
        match next {
            Poll::Ready(Some(input)) => Poll::Ready(Event::Input(input)),
            Poll::Ready(None) => Poll::Ready(Event::Ended),
            Poll::Pending if self.idle_since.is_some() => Poll::Pending,
            Poll::Pending => Poll::Ready(Event::Idle),
        }
    }

    /// Takes an input in. One that cannot be sent leaves at once, so that it supersedes none that can.
    fn admit(&mut self, input: Input) {
        let index = self.admitted;
        self.admitted += 1;
        self.checkpoint.open();
        let Input { table, info, body, earlier } = input;
        let body = match body {
            Ok(body) => body,
            Err(error) => return self.settle_one(index, Fate::Rejected, Some(&Arc::new(error))),
        };
        self.held_items += 1;
        self.held_bytes += body.len();
        let (fate, reason) = earlier.unzip();
        let was_sent = matches!(fate, Some(Fate::Unknown | Fate::Unprocessed | Fate::Rejected));
        let job = Job {
            table,
            info,
            body,
            inputs: Indices::one(index),
            attempts: 0,
            fruitless: 0,
            settled_before: 0,
            is_under_way: false,
            sent: was_sent,
            unanswered: fate == Some(Fate::Unknown),
            cause: reason.filter(|reason| was_sent && !reason.outcome_known()),
            successor: None,
        };
        match self.keys.get(&job.body.canonical).copied() {
            Some(held) => self.meet(held, job),
            None => self.queue(job),
        }
    }

    fn queue(&mut self, job: Job) {
        let (table, key) = (job.table, job.body.canonical.clone());
        let id = self.jobs.insert(job);
        self.keys.insert(key, id);
        if let Some(table) = self.tables.get_mut(table) {
            table.fresh.push_back(id);
        }
    }

    /// Two inputs have one key, and the first is still on its way.
    fn meet(&mut self, held: usize, job: Job) {
        let Some(earlier) = self.jobs.get_mut(held) else { return };
        let index = job.inputs.first;
        if self.work == Work::Get {
            // Asked for once, answered at each place.
            self.held_bytes -= job.body.len();
            earlier.inputs.add(index, false, None);
            return;
        }
        match self.settings.options.duplicates {
            Duplicates::FirstWins => {
                self.held_bytes -= job.body.len();
                let open = job.open();
                earlier.inputs.add(index, job.unanswered, open);
            }
            Duplicates::Refuse => {
                let first = earlier.inputs.first;
                let error = ValueError::new(format!("input #{first} of the same batch has the same key"));
                let error = Arc::new(Error::invalid(self.subject(&job), &error));
                self.held_items -= 1;
                self.held_bytes -= job.body.len();
                self.settle_one(index, Fate::Rejected, Some(&error));
            }
            Duplicates::LastWins => {
                let mut waiting = earlier;
                if waiting.is_under_way || waiting.successor.is_some() {
                    match &mut waiting.successor {
                        Some(successor) => waiting = &mut **successor,
                        none => {
                            *none = Some(Box::new(job));
                            return;
                        }
                    }
                }
                self.held_bytes -= waiting.body.len();
                let open = waiting.open();
                waiting.inputs.replace(index, waiting.unanswered, open);
                waiting.body = job.body;
                waiting.info = job.info;
                // What was sent was the other one.
                (waiting.sent, waiting.unanswered, waiting.cause) = (job.sent, job.unanswered, job.cause);
            }
        }
    }

    /// The next request that may be sent now.
    fn next_request(&mut self, now: Instant) -> Option<Flight> {
        if self.stopped.is_some() {
            return None;
        }
        let chunk = self.isolated().or_else(|| self.probe(now)).or_else(|| self.pack(now))?;
        let mut parts: Vec<Part> = Vec::with_capacity(1);
        for id in &chunk {
            let Some(job) = self.jobs.get_mut(*id) else { continue };
            self.stats.retries += u64::from(job.attempts > 0);
            job.attempts += 1;
            job.is_under_way = true;
            job.settled_before = self.settled;
            let units = self.work.units(&job.body, self.tables.get(job.table));
            match parts.last_mut() {
                Some(part) if part.table == job.table => part.units += units,
                _ => parts.push(Part { table: job.table, units, generation: 0 }),
            }
        }
        for part in &mut parts {
            if let Some(table) = self.tables.get_mut(part.table) {
                part.generation = table.pace.sent(part.units, now);
            }
        }
        self.under_way += 1;
        Some(Flight { chunk, parts, answered: None })
    }

    /// A part of a request that was refused.
    fn isolated(&mut self) -> Option<Vec<usize>> {
        let table = self.jobs.get(*self.isolating.front()?.first()?)?.table;
        if self.tables.get(table)?.pace.has_room() { self.isolating.pop_front() } else { None }
    }

    /// What probes a table that takes nothing.
    fn probe(&mut self, now: Instant) -> Option<Vec<usize>> {
        let is_due = |table: &&mut Table| {
            table.pace.has_room() && table.probe.as_ref().is_some_and(|probe| probe.due <= now)
        };
        self.tables.iter_mut().find(is_due)?.probe.take().map(|probe| probe.chunk)
    }

    /// Fills a request: with what came back and has waited, with fresh items, and with what would wait a while longer.
    fn pack(&mut self, now: Instant) -> Option<Vec<usize>> {
        let most = self.work.most_items();
        let tables = self.tables.len();
        let (mut first, mut waiting, mut fresh, mut elsewhere) = (None, 0, 0, 0);
        for turn in (self.turn..tables).chain(0..self.turn) {
            let Some(table) = self.tables.get_mut(turn) else { continue };
            table.call_due(now);
            if table.is_open(now) && !(table.due.is_empty() && table.fresh.is_empty()) {
                first = first.or(Some(turn));
                waiting += table.due.len();
                fresh += table.fresh.len();
            } else if !table.pace.has_room() {
                elsewhere += table.fresh.len();
            }
        }
        let first = first?;
        // What is left of this table may travel with what is left of a table that has no room right now.
        if waiting + fresh < most && (elsewhere > 0 || !self.may_send_little(fresh > 0, now)) {
            return None;
        }
        let (mut chunk, mut bytes) = (Vec::with_capacity(most.min(waiting + fresh)), 0);
        for turn in (first..tables).chain(0..first) {
            if let Some(table) = self.tables.get_mut(turn)
                && table.is_open(now)
            {
                table.fill(&mut chunk, most, &mut bytes, &self.jobs);
            }
        }
        self.turn = (first + 1) % tables;
        Some(chunk)
    }

    /// True if a request may go that is not full. While other requests are under way, what they hand back may fill it, and so
    /// may inputs that are still to come, for a while.
    fn may_send_little(&self, has_fresh: bool, now: Instant) -> bool {
        let has_waited = self.idle_since.is_some_and(|since| now >= since + LINGER);
        if self.under_way == 0 && (self.ended || self.idle_since.is_some()) {
            return true;
        }
        if self.ended { has_fresh } else { has_waited || !self.wants_input() }
    }

    /// When to look again, if nothing happens before.
    fn wake(&self, now: Instant) -> Option<Instant> {
        let tables = self.tables.iter().filter(|_| self.stopped.is_none());
        let tables = tables.filter_map(|table| table.wake(now));
        let has_fresh = self.tables.iter().any(|table| !table.fresh.is_empty());
        let lingering = self.idle_since.map(|since| since + LINGER).filter(|end| has_fresh && *end > now);
        tables.chain(self.deadline).chain(lingering).min()
    }

    fn digest(&mut self, flight: Flight) {
        let now = Instant::now();
        self.answers += 1;
        let Flight { chunk, parts, answered } = flight;
        for part in &parts {
            if let Some(table) = self.tables.get_mut(part.table) {
                table.pace.ended();
            }
        }
        for id in &chunk {
            if let Some(job) = self.jobs.get_mut(*id) {
                job.is_under_way = false;
            }
        }
        match answered {
            Some(Ok(answer)) => {
                let reading = self.work.read(&answer, &chunk, &self.jobs, &self.tables, self.inputs);
                match reading {
                    Ok(reading) => self.take(&chunk, &parts, reading, now),
                    Err(error) => {
                        // Something was done, and we cannot say what: as good as no answer.
                        let mut error = Error::undecodable(self.subject_of(&chunk), &error);
                        if let Error::Undecodable(report) = &mut error {
                            report.outcome_known = self.work == Work::Get;
                        }
                        let error = Arc::new(error);
                        self.leave(chunk, &parts, &error, true, now);
                    }
                }
            }
            Some(Err(failure)) => self.fail(chunk, &parts, failure, now),
            None => {}
        }
    }

    /// Takes in what an answer says of each of its jobs.
    fn take(&mut self, chunk: &[usize], parts: &[Part], reading: Reading, now: Instant) {
        let Reading { verdicts, capacity, cut_short } = reading;
        let mut tallies = vec![Tally::default(); self.tables.len()];
        let mut handed_back = Vec::new();
        for (id, verdict) in chunk.iter().zip(verdicts) {
            let Some(job) = self.jobs.get_mut(*id) else { continue };
            job.sent = true;
            if let Some(tally) = tallies.get_mut(job.table) {
                tally.count(job.attempts == 1, matches!(verdict, Verdict::HandedBack { .. }));
            }
            match verdict {
                Verdict::Done => {
                    self.settled += 1;
                    self.settle(*id, Fate::Done, None);
                }
                Verdict::Rejected(error) => {
                    self.settled += 1;
                    self.settle(*id, Fate::Rejected, Some(&Arc::new(error)));
                }
                Verdict::HandedBack { unanswered } => {
                    job.unanswered |= unanswered;
                    handed_back.push(*id);
                }
            }
        }
        for part in parts {
            let Some(table) = self.tables.get_mut(part.table) else { continue };
            let tally = tallies.get(part.table).copied().unwrap_or_default();
            let share = if cut_short { 1.0 } else { tally.share() };
            let taken = Taken { asked: part.units, taken: part.units * share, at: now };
            table.pace.answered(taken, part.generation);
            if tally.done > 0 {
                table.pace.brought_something();
            }
            let consumed = capacity.iter().find(|(name, _)| *name == table.spec.name);
            if let Some((_, units)) = consumed {
                table.pace.consumed(units - part.units, now);
            }
        }
        self.stats.consumed_capacity += capacity.iter().map(|(_, units)| units).sum::<f64>();
        let wait = if cut_short { Wait::Not } else { Wait::Together };
        self.put_back(handed_back, None, wait, now);
    }

    /// A request without a success.
    fn fail(&mut self, chunk: Vec<usize>, parts: &[Part], failure: Failure, now: Instant) {
        let (kind, answered) = (failure.kind, failure.answered);
        let unanswered = !failure.outcome_known && !answered;
        match kind {
            // For one of its items, or one of its tables.
            FailureKind::Rejected if chunk.len() > 1 => return self.isolate(chunk),
            FailureKind::TableNotFound | FailureKind::AccessDenied if parts.len() > 1 => {
                return self.isolate(chunk);
            }
            _ => {}
        }
        let error = Arc::new(failure.into_error(self.subject_of(&chunk)));
        match kind {
            FailureKind::Rejected | FailureKind::ConditionFailed => {
                self.pace(parts, Pace::brought_something);
                for id in &chunk {
                    let job = self.jobs.get(*id);
                    let unanswered = job.is_some_and(|job| job.unanswered);
                    // What is found to exist may be what an attempt made at which the server failed.
                    let may_be_own =
                        kind == FailureKind::ConditionFailed && job.is_some_and(|job| job.open().is_some());
                    let fate = if unanswered || may_be_own { Fate::Unknown } else { Fate::Rejected };
                    self.settled += 1;
                    self.settle(*id, fate, Some(&error));
                }
                if kind == FailureKind::Rejected {
                    self.stop_if_all_are_refused(parts, &error);
                }
            }
            FailureKind::Throttled => {
                for part in parts {
                    if let Some(table) = self.tables.get_mut(part.table) {
                        let nothing = Taken { asked: part.units, taken: 0.0, at: now };
                        table.pace.answered(nothing, part.generation);
                    }
                }
                self.return_units(parts, now);
                self.leave(chunk, &[], &error, unanswered, now);
            }
            // The rest of the table has capacity, so it is these keys alone that wait.
            FailureKind::HotKeys => {
                self.return_units(parts, now);
                self.mark(&chunk, &error, unanswered);
                self.put_back(chunk, Some(&error), Wait::Alone, now);
            }
            FailureKind::Conflict | FailureKind::Server | FailureKind::Timeout | FailureKind::Unreachable => {
                self.leave(chunk, parts, &error, unanswered, now);
            }
            FailureKind::TableNotFound | FailureKind::AccessDenied => {
                for part in parts {
                    self.stop_table(part.table, &error);
                }
                for id in chunk {
                    self.abandon(id, &error);
                }
            }
            FailureKind::Credentials => {
                for id in chunk {
                    self.abandon(id, &error);
                }
                self.stopped = Some(error);
            }
        }
    }

    /// Cuts a refused request in two: between its tables, or in the middle.
    fn isolate(&mut self, chunk: Vec<usize>) {
        let table = |id: &usize| self.jobs.get(*id).map(|job| job.table);
        let first = chunk.first().and_then(table);
        let border = chunk.iter().position(|id| table(id) != first).unwrap_or(chunk.len() / 2);
        let mut half = chunk;
        let other = half.split_off(border);
        self.isolating.extend([half, other]);
    }

    /// When one request after the other was refused down to its last item, it is not the items that are wrong.
    fn stop_if_all_are_refused(&mut self, parts: &[Part], error: &Arc<Error>) {
        for part in parts {
            let Some(table) = self.tables.get_mut(part.table) else { continue };
            table.refused += 1;
            if table.done == 0 && table.refused >= super::MAX_BATCH_WRITE_ITEMS {
                self.stop_table(part.table, error);
            }
        }
    }

    /// Nothing more is sent to a table. What waits for it is not sent.
    fn stop_table(&mut self, table: usize, error: &Arc<Error>) {
        let Some(stopped) = self.tables.get_mut(table) else { return };
        stopped.stopped = Some(error.clone());
        let mut left: Vec<usize> = stopped.fresh.drain(..).chain(stopped.due.drain(..)).collect();
        left.extend(std::mem::take(&mut stopped.waiting).into_values().map(|(id, _)| id));
        left.extend(stopped.probe.take().into_iter().flat_map(|probe| probe.chunk));
        let jobs = &self.jobs;
        let is_of_table = |id: &usize| jobs.get(*id).is_some_and(|job| job.table == table);
        for chunk in &mut self.isolating {
            left.extend(chunk.extract_if(.., |id| is_of_table(id)));
        }
        self.isolating.retain(|chunk| !chunk.is_empty());
        if self.tables.iter().all(|table| table.stopped.is_some()) {
            self.stopped = Some(error.clone());
        }
        for id in left {
            self.abandon(id, error);
        }
    }

    fn pace(&mut self, parts: &[Part], tell: impl Fn(&mut Pace)) {
        for part in parts {
            if let Some(table) = self.tables.get_mut(part.table) {
                tell(&mut table.pace);
            }
        }
    }

    /// A throttled request takes nothing of what the caller permits.
    fn return_units(&mut self, parts: &[Part], now: Instant) {
        for part in parts {
            if let Some(table) = self.tables.get_mut(part.table) {
                table.pace.consumed(-part.units, now);
            }
        }
    }

    /// Keeps the jobs of a failed request for another attempt.
    fn leave(
        &mut self,
        chunk: Vec<usize>,
        failed: &[Part],
        error: &Arc<Error>,
        unanswered: bool,
        now: Instant,
    ) {
        self.pace(failed, Pace::failed);
        self.mark(&chunk, error, unanswered);
        self.put_back(chunk, Some(error), Wait::Together, now);
    }

    /// Notes what a failed request means for its jobs.
    fn mark(&mut self, chunk: &[usize], error: &Arc<Error>, unanswered: bool) {
        let answered = matches!(**error, Error::Throttled(_) | Error::Conflict(_) | Error::Server(_));
        let is_write = self.work != Work::Get;
        for id in chunk {
            if let Some(job) = self.jobs.get_mut(*id) {
                job.unanswered |= unanswered && is_write;
                job.sent |= answered || unanswered;
            }
        }
    }

    /// Jobs that came back wait for another attempt, unless they have had their last, or the batch has.
    fn put_back(&mut self, chunk: Vec<usize>, cause: Option<&Arc<Error>>, wait: Wait, now: Instant) {
        let retry = self.settings.options.retry;
        // One wait for all that wait equally long: they may travel together again.
        let mut waits: Vec<(u32, Instant)> = Vec::new();
        for id in chunk {
            let Some(Returned { attempts, fruitless, has_successor }) = self.come_back(id, cause) else {
                continue;
            };
            let level = match wait {
                Wait::Alone => attempts,
                // Among items that get through, to come back a few times is bad luck, and more often a busy key.
                _ => fruitless.max(attempts.saturating_sub(PATIENCE)),
            };
            let due = match waits.iter().find(|(known, _)| *known == level) {
                _ if matches!(wait, Wait::Not) => now,
                Some((_, due)) => *due,
                None => {
                    let due = now + retry.delay(level, &mut self.random);
                    waits.push((level, due));
                    due
                }
            };
            if retry.rounds == 0 || attempts >= retry.attempts {
                self.abandon_unfinished(id);
                continue;
            }
            if fruitless > retry.rounds && self.stopped.is_none() {
                self.stopped = Some(self.cause_of(id));
            }
            if has_successor {
                self.give_way(id);
            } else {
                self.wait(id, due, wait);
            }
        }
    }

    /// A job waits at its table.
    fn wait(&mut self, id: usize, due: Instant, wait: Wait) {
        let Some(table) = self.jobs.get(id).and_then(|job| self.tables.get_mut(job.table)) else { return };
        if let Some(error) = table.stopped.clone() {
            return self.abandon(id, &error);
        }
        match (wait, &mut table.probe) {
            (Wait::Not, _) => table.due.push_back(id),
            // The first that comes back from a closed table, with its companions, is what probes it.
            (Wait::Together, Some(probe)) if probe.answer == self.answers && probe.due == due => {
                probe.chunk.push(id);
            }
            (Wait::Together, probe @ None) if table.pace.is_closed() => {
                *probe = Some(Probe { due, answer: self.answers, chunk: vec![id] });
            }
            (wait, _) => {
                self.sequence += 1;
                table.waiting.insert((due, self.sequence), (id, matches!(wait, Wait::Together)));
            }
        }
    }

    /// A job came back from an attempt.
    fn come_back(&mut self, id: usize, cause: Option<&Arc<Error>>) -> Option<Returned> {
        let settled = self.settled;
        let job = self.jobs.get_mut(id)?;
        job.fruitless = if settled > job.settled_before { 0 } else { job.fruitless + 1 };
        // An answer that leaves open whether something was done outweighs a later one that does not.
        if job.cause.as_ref().is_none_or(|cause| cause.outcome_known()) {
            job.cause = cause.cloned();
        }
        let Job { attempts, fruitless, .. } = *job;
        Some(Returned { attempts, fruitless, has_successor: job.successor.is_some() })
    }

    /// A later write of the same key takes the place of one that came back.
    fn give_way(&mut self, id: usize) {
        let Some(mut job) = self.remove(id) else { return };
        let Some(mut successor) = job.successor.take() else { return };
        self.held_bytes -= job.body.len();
        let open = job.open();
        successor.inputs.add(job.inputs.first, job.unanswered, open);
        successor.inputs.others.append(&mut job.inputs.others);
        self.queue(*successor);
    }

    fn remove(&mut self, id: usize) -> Option<Job> {
        let job = self.jobs.try_remove(id)?;
        self.keys.remove(&job.body.canonical);
        Some(job)
    }

    /// The end of a job.
    fn settle(&mut self, id: usize, fate: Fate, reason: Option<&Arc<Error>>) {
        let Some(mut job) = self.remove(id) else { return };
        self.held_items -= job.inputs.len();
        self.held_bytes -= job.body.len();
        if let Some(successor) = job.successor.take() {
            match self.tables.get(job.table).and_then(|table| table.stopped.clone()) {
                Some(error) => {
                    // Never sent, and never will be.
                    let id = self.jobs.insert(*successor);
                    self.abandon(id, &error);
                }
                None => self.queue(*successor),
            }
        }
        if fate == Fate::Done
            && let Some(table) = self.tables.get_mut(job.table)
        {
            table.done += 1;
        }
        let Indices { first, others } = job.inputs;
        self.settle_one(first, fate, reason);
        for Other { index, unanswered, open } in others {
            let fate = match fate {
                fate if self.work == Work::Get => fate,
                Fate::Done => Fate::Superseded { by: first },
                _ if unanswered => Fate::Unknown,
                _ => Fate::Superseded { by: first },
            };
            self.settle_one(index, fate, reason.map(|reason| open.as_ref().unwrap_or(reason)));
        }
    }

    fn settle_one(&mut self, index: usize, fate: Fate, reason: Option<&Arc<Error>>) {
        match (fate, reason) {
            (Fate::Done, _) => self.stats.items += 1,
            (Fate::Superseded { .. }, None) => self.stats.superseded += 1,
            _ => self.stats.failed += 1,
        }
        self.checkpoint.close(index);
        self.inputs.settle(index, fate, reason);
    }

    /// The end of a job that is not done, for a reason that is not its own.
    fn abandon(&mut self, id: usize, error: &Arc<Error>) {
        let Some(job) = self.jobs.get(id) else { return };
        let cause = job.cause.clone().unwrap_or_else(|| error.clone());
        let fate = job.fate();
        self.settle(id, fate, Some(&cause));
    }

    /// The end of a job that is not done, for its own reason.
    fn abandon_unfinished(&mut self, id: usize) {
        let error = self.cause_of(id);
        self.abandon(id, &error);
    }

    fn cause_of(&self, id: usize) -> Arc<Error> {
        let Some(job) = self.jobs.get(id) else { return Arc::new(Error::NoDatabase) };
        job.cause.clone().unwrap_or_else(|| {
            let text = "DynamoDB handed it back in every attempt";
            Arc::new(Error::Throttled(Report::new(self.subject(job), text, None)))
        })
    }

    /// The time is up: what is under way is abandoned, and nobody will know.
    fn pass_deadline(&mut self) {
        for (_, job) in &mut self.jobs {
            if job.is_under_way {
                job.unanswered |= self.work != Work::Get;
                job.sent = true;
            }
        }
        let deadline = self.settings.options.retry.deadline.unwrap_or_default();
        let tables: Vec<&str> = self.tables.iter().map(|table| table.spec.name.as_str()).collect();
        let subject = match self.tables.first() {
            Some(table) if tables.len() == 1 => Subject::of(table.spec.info),
            _ => Subject::default(),
        };
        let subject = subject.in_table(tables.join("`, `")).during(self.work.doing());
        let text = format!("the deadline of the batch, {deadline:?}, has passed");
        self.stopped = Some(Arc::new(Error::Timeout(Report::new(subject, text, None))));
    }

    /// Settles what is left when the batch ends.
    fn give_up(&mut self) {
        let left: Vec<usize> = self.jobs.iter().map(|(id, _)| id).collect();
        for id in left {
            // What came after it is not sent either.
            let successor = self.jobs.get_mut(id).and_then(|job| job.successor.take());
            let error = self.stopped.clone().unwrap_or_else(|| self.cause_of(id));
            self.abandon(id, &error);
            if let Some(successor) = successor {
                let id = self.jobs.insert(*successor);
                self.abandon(id, &error);
            }
        }
    }

    fn subject(&self, job: &Job) -> Subject {
        let table = self.tables.get(job.table).map_or("", |table| table.spec.name.as_str());
        Subject::of(job.info).in_table(table).during(job.body.kind.doing())
    }

    /// What a request is about: an entity, if it is about one.
    fn subject_of(&self, chunk: &[usize]) -> Subject {
        let Some(first) = chunk.first().and_then(|id| self.jobs.get(*id)) else { return Subject::default() };
        let mut names: Vec<&str> = Vec::new();
        for job in chunk.iter().filter_map(|id| self.jobs.get(*id)) {
            let name = self.tables.get(job.table).map_or("", |table| table.spec.name.as_str());
            if !names.contains(&name) {
                names.push(name);
            }
        }
        if names.len() <= 1 {
            return self.subject(first);
        }
        Subject::default().in_table(names.join("`, `")).during(self.work.doing())
    }

    fn publish(&mut self) {
        self.stats.elapsed = self.start.elapsed();
        self.progress.update(&self.stats, self.admitted, &self.checkpoint);
        self.settings.publish(&self.progress);
    }
}

/// What a table took of a request.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    done: usize,
    handed_back: usize,
    fresh_done: usize,
    fresh_handed_back: usize,
}

impl Tally {
    fn count(&mut self, is_fresh: bool, is_handed_back: bool) {
        let (done, fresh) = (usize::from(!is_handed_back), usize::from(is_fresh));
        self.done += done;
        self.handed_back += 1 - done;
        self.fresh_done += fresh * done;
        self.fresh_handed_back += fresh * (1 - done);
    }

    /// The share that was taken. What has come back before says more of its key than of its table, so the fresh items
    /// speak, if there are any.
    fn share(&self) -> f64 {
        let (done, handed_back) = match self.fresh_done + self.fresh_handed_back {
            0 => (self.done, self.handed_back),
            _ => (self.fresh_done, self.fresh_handed_back),
        };
        done as f64 / (done + handed_back).max(1) as f64
    }
}

/// What counts for the wait of a job that came back.
struct Returned {
    attempts: u32,
    fruitless: u32,
    has_successor: bool,
}

/// How what came back waits.
#[derive(Clone, Copy, Debug)]
enum Wait {
    /// Not at all: the answer was full.
    Not,
    /// Until it is due, or until another request has room.
    Together,
    /// Until it is due.
    Alone,
}

impl Job {
    /// Why it may be done, if it may.
    fn open(&self) -> Option<Arc<Error>> {
        self.cause.clone().filter(|cause| !cause.outcome_known())
    }

    /// What is known of a job that is not done.
    fn fate(&self) -> Fate {
        match (self.unanswered, self.sent) {
            (true, _) => Fate::Unknown,
            (false, true) => Fate::Unprocessed,
            (false, false) => Fate::NotSent,
        }
    }
}

impl Table {
    /// What has waited long enough is due.
    fn call_due(&mut self, now: Instant) {
        while let Some(first) = self.waiting.first_entry() {
            if first.key().0 > now {
                break;
            }
            self.due.push_back(first.remove().0);
        }
    }

    /// True if an ordinary request may be sent now. To a closed table nothing goes but what probes it.
    fn is_open(&self, now: Instant) -> bool {
        self.probe.is_none() && self.pace.has_room() && self.pace.ready_at(now) <= now
    }

    /// Adds as much to a request as it takes.
    fn fill(&mut self, chunk: &mut Vec<usize>, most: usize, bytes: &mut usize, jobs: &Slab<Job>) {
        let mut add = |id: usize| {
            let size = jobs.get(id).map_or(0, |job| job.body.wire_size());
            let fits = chunk.len() < most && (*bytes + size <= MAX_REQUEST_BYTES || chunk.is_empty());
            if fits {
                *bytes += size;
                chunk.push(id);
            }
            fits
        };
        for queue in [&mut self.due, &mut self.fresh] {
            while let Some(id) = queue.front().copied() {
                if !add(id) {
                    return;
                }
                queue.pop_front();
            }
        }
        let joining = self.waiting.iter().filter(|(_, (_, may_join))| *may_join);
        let joined: Vec<(Instant, u64)> =
            joining.take_while(|(_, (id, _))| add(*id)).map(|(at, _)| *at).collect();
        for at in joined {
            self.waiting.remove(&at);
        }
    }

    /// When there is something to do here, if nothing happens before.
    fn wake(&self, now: Instant) -> Option<Instant> {
        if !self.pace.has_room() {
            return None;
        }
        if let Some(probe) = &self.probe {
            return Some(probe.due);
        }
        let due = self.waiting.first_key_value().map(|((due, _), _)| *due);
        let ready = self.pace.ready_at(now);
        let queued = (ready > now && !(self.due.is_empty() && self.fresh.is_empty())).then_some(ready);
        let waiting = due.map(|due| due.max(ready));
        queued.into_iter().chain(waiting).min()
    }
}

async fn send(
    database: &Database,
    work: Work,
    tables: Vec<String>,
    mut flight: Flight,
    body: Vec<u8>,
) -> Flight {
    let tables: Vec<&str> = tables.iter().map(String::as_str).collect();
    let items = Some(flight.chunk.len());
    let answer = transport::send_batch(database.once(), work.operation(), &tables, items, body).await;
    flight.answered = Some(answer);
    flight
}
