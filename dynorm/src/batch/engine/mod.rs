//! The loop behind every batch. It knows bytes and keys, not entities, so it exists once in a program.
//!
//! Inputs come in from [`Inputs`], become jobs, wait in the queue of their table, travel in requests with
//! others, and leave as fates. A job that comes back unfinished waits a while and travels on with fresh ones;
//! there are no rounds.

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
    /// Inputs were taken in, or there are none at the moment, or no more at all.
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

    /// What is on its way has all been sent and came back, and there is more at hand: that does not wait for
    /// what came back.
    fn is_starved(&self) -> bool {
        let fresh: usize = self.tables.iter().map(|table| table.fresh.len()).sum();
        matches!(self.origin, Origin::AtHand { .. }) && fresh < self.work.most_items()
    }

    /// Takes in inputs: of a stream as many as fill a request, if there are so many. Ready if anything has
    /// changed.
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
            // Nothing new is taken in before what has failed is passed on: that is how a slow consumer of
            // failures slows all.
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
