//! The loop that carries out every batch: saves, creations, deletes, restores and reads, of inputs in memory
//! and of streams, of one entity and of several. It handles bytes and keys, not entities, so a program
//! contains it once. The code that knows the entity types implements [`Inputs`]: it hands over the inputs and
//! is told the fate of each.
//!
//! The steps:
//!
//! 1. *Intake* (`intake.rs`, `state.rs`). An input that cannot be sent is rejected at once, so that it never
//!    replaces a valid one. Every other input becomes a job, with one job for each key. Keys are compared as
//!    DynamoDB compares them (`KeyTexts`). Inputs in memory that may share a key are taken in before anything
//!    is sent (`inputs.rs`), so that only one of them is sent. In a stream, a later write of the same key
//!    replaces a job that waits, and waits itself while the job is in flight. So at most one write of a key
//!    is in flight, and an older write never follows a newer one.
//! 2. *Packing* (`packing.rs`, `table.rs`). Jobs wait in the queue of their table, and are packed into
//!    requests of up to 25 writes or 100 reads and 16 MB, across tables. A request that is not full waits up
//!    to 50 ms for more jobs while other requests are in flight. Writes with a condition (`Work::Each`) are
//!    sent one by one, since `BatchWriteItem` takes no conditions. `body.rs` holds one input as it is sent;
//!    `wire.rs` writes the requests and reads the answers. The SDK's own retries are off.
//! 3. *Pace* (`pace.rs`). For each table, a window limits the requests in flight and a rate limits the
//!    capacity units per second. A table that processes nothing in eight answers in a row is closed: one
//!    request at a time probes it.
//! 4. *Answers* (`answer.rs`, `settle.rs`). An item that comes back unprocessed waits with full jitter, and
//!    is then packed together with new jobs; there are no fixed rounds. After a round in which nothing was
//!    done, it waits for at least half of the limit. Items that a full answer had no room for are sent again
//!    at once, without counting an attempt. Keys of a hot partition wait alone, while the rest of their table
//!    goes on.
//! 5. *Limits*. The batch ends when a job has used up `Retry::rounds` while nothing else of the batch was
//!    done. `Retry::attempts` limits how often one item is sent, and `Retry::deadline` (`deadline.rs`) the
//!    time of the whole batch, from before the first hook until after the last.
//! 6. *Refusals*. A refused request is split in two, first between its tables, until the item that caused the
//!    refusal is alone. A missing table or missing permissions stop the work on that table, and missing
//!    credentials stop the batch; the remaining inputs are `NotSent`. If as many items as fit into one
//!    request were refused one by one and none was written, the last waiting item is tried. If that is
//!    refused too, the cause is not the items, and the rest of the table is `NotSent`.
//! 7. *Fates*. An item that was once sent without an answer is `Unknown`, unless it is done in the end. An
//!    input that another one replaced fails if that one fails.
//!
//! Memory: the inputs in flight or waiting are at most twice as many as fit into the requests in flight
//! (1,600 writes, 3,200 reads, or 64 writes with a condition, by default), and their encoded items take at
//! most 16 MB. A batch in memory may hold more: inputs that share keys, a batch of several tables, and new
//! inputs taken in while all earlier ones wait for another attempt. The answers of at most 32 write requests,
//! or 16 read requests, are in memory by default. Inputs are encoded one after another into a
//! [`Buffer`](super::buffer::Buffer).

mod answer;
mod input;
mod intake;
mod packing;
mod settle;
mod state;
mod table;

pub(super) use input::{Input, Inputs, Left, Origin, Unsent, room};

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::Instant;

use super::settings::Settings;
use super::work::{TableSpec, Work};
use super::{Stats, count};
use crate::database::Database;
use crate::error::Error;
use crate::transport::{self, Operation};
use packing::LINGER;
use state::{Engine, Flight};

/// The maximum size of the encoded inputs in flight or waiting, in bytes.
const ROOM_BYTES: usize = 16 * 1024 * 1024;

/// The result of a batch, without the fates of its inputs.
pub(super) struct Outcome {
    pub(super) stats: Stats,
    /// Why the batch stopped before the end of its inputs.
    pub(super) stopped: Option<Arc<Error>>,
    /// The number of inputs that were taken in.
    pub(super) admitted: usize,
}

/// Carries out the batch, and tells `inputs` the fate of every input.
pub(super) async fn run(
    database: &Database,
    work: Work,
    specs: Vec<TableSpec>,
    origin: Origin,
    settings: Settings<'_>,
    inputs: &mut dyn Inputs,
) -> Outcome {
    Engine::new(work, specs, origin, settings, inputs).run(database).await
}

/// What the engine waits for.
enum Event {
    Answered(Box<Flight>),
    /// Inputs were taken in, or there are none at the moment, or none left.
    Inputs,
    Time,
}

impl Engine<'_> {
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
                let body = self.work.request(&flight.chunk, &self.jobs, &self.specs);
                self.stats.requests += 1;
                self.stats.bytes += count(body.len());
                let names = flight.parts.iter().filter_map(|part| self.specs.get(part.table));
                let names: Vec<String> = names.map(|spec| spec.name.clone()).collect();
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
        // Passes on the last failures and hooks before the batch ends, if the deadline allows.
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
                // Encoding a large batch takes a while, so other tasks get their turn.
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
            // Many at a time: encoding them in a row is faster than encoding between requests.
            Origin::AtHand { .. } => self.held_items <= self.room / 2 || self.is_starved(),
            Origin::Stream => true,
        };
        is_low && self.has_room() && !self.ended && self.stopped.is_none()
    }

    fn has_room(&self) -> bool {
        self.is_starved() || (self.held_items < self.room && self.held_bytes < ROOM_BYTES)
    }

    /// True if everything taken in was sent and waits for another attempt, while more inputs are in memory.
    /// Those are sent without waiting.
    fn is_starved(&self) -> bool {
        let fresh: usize = self.tables.iter().map(|table| table.fresh.len()).sum();
        matches!(self.origin, Origin::AtHand { .. }) && fresh < self.work.most_items()
    }

    /// Takes in inputs, from a stream at most as many as fill a request. Ready if anything has changed.
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
            // Takes in nothing while failures wait to be passed on, so that a slow consumer of failures slows
            // the batch down.
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
                    // The inputs taken in so far may be sent now, even if they do not fill a request.
                    self.is_idle = true;
                    return Poll::Ready(());
                }
            }
        }
    }

    /// Returns when to check again if nothing happens before.
    fn wake(&self, now: Instant) -> Option<Instant> {
        let tables = self.tables.iter().filter(|_| self.stopped.is_none());
        let tables = tables.filter_map(|table| table.wake(now));
        let holding = self.holding_since.map(|since| since + LINGER);
        // Due times in the past were handled just now.
        tables.chain(self.deadline.at()).chain(holding).filter(|wake| *wake > now).min()
    }

    fn publish(&mut self) {
        self.stats.elapsed = self.deadline.elapsed();
        // A failure counts as settled only after it was passed on.
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
