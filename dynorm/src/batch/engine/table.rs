//! Where jobs wait: a queue for each table, and how requests are filled from it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use slab::Slab;
use tokio::time::Instant;

use super::super::pace::Pace;
use super::super::work::MAX_REQUEST_BYTES;
use super::{Engine, Flight, Job, LINGER, Part, TableSpec};
use crate::error::Error;

/// A table of the batch, with what is to be done there.
pub(in crate::batch) struct Table {
    pub(in crate::batch) spec: TableSpec,
    pub(super) fresh: VecDeque<usize>,
    /// What came back and has waited.
    pub(super) due: VecDeque<usize>,
    /// What came back, by the time at which it is due. What may travel before, in a request that has room, is marked.
    pub(super) waiting: BTreeMap<(Instant, u64), (usize, bool)>,
    /// The request that probes the table while it is closed.
    pub(super) probe: Option<Probe>,
    pub(super) pace: Pace,
    /// How many were refused one by one, while nothing was done yet.
    pub(super) refused: usize,
    pub(super) done: u64,
    /// One of the last items, which is tried when all of the first were refused.
    pub(super) sample: Option<usize>,
    /// The error that makes sending anything else pointless, such as a missing table.
    pub(super) stopped: Option<Arc<Error>>,
}

/// What came back last from a closed table, and when it goes there again.
pub(super) struct Probe {
    pub(super) due: Instant,
    /// Of the answer that it came back with.
    pub(super) answer: u64,
    pub(super) chunk: Vec<usize>,
}

impl Table {
    pub(super) fn new(spec: TableSpec, pace: Pace) -> Self {
        Self {
            spec,
            fresh: VecDeque::new(),
            due: VecDeque::new(),
            waiting: BTreeMap::new(),
            probe: None,
            pace,
            refused: 0,
            sample: None,
            done: 0,
            stopped: None,
        }
    }

    /// What has waited long enough is due.
    pub(super) fn call_due(&mut self, now: Instant) {
        while let Some(first) = self.waiting.first_entry() {
            if first.key().0 > now {
                break;
            }
            self.due.push_back(first.remove().0);
        }
    }

    /// True if an ordinary request may be sent now. To a closed table nothing goes but what probes it.
    pub(super) fn is_open(&self, now: Instant) -> bool {
        self.probe.is_none() && self.pace.has_room() && self.pace.ready_at(now) <= now
    }

    /// Adds as much to a request as it takes.
    pub(super) fn fill(
        &mut self,
        chunk: &mut Vec<usize>,
        most: usize,
        bytes: &mut usize,
        jobs: &mut Slab<Job>,
    ) {
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
            if let Some((id, _)) = self.waiting.remove(&at)
                && let Some(job) = jobs.get_mut(id)
            {
                job.is_early = true;
            }
        }
    }

    /// When there is something to do here, if nothing happens before.
    pub(super) fn wake(&self, now: Instant) -> Option<Instant> {
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

/// Putting requests together.
impl Engine<'_> {
    /// The next request that may be sent now.
    pub(super) fn next_request(&mut self, now: Instant) -> Option<Flight> {
        let most = self.settings.options.concurrency.unwrap_or(self.work.most_under_way());
        if self.stopped.is_some() || self.under_way >= most {
            return None;
        }
        let chunk = self.isolated().or_else(|| self.probe(now)).or_else(|| self.pack(now))?;
        let mut parts: Vec<Part> = Vec::with_capacity(1);
        for (place, id) in chunk.iter().enumerate() {
            let Some(job) = self.jobs.get_mut(*id) else { continue };
            job.place = place;
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
    pub(super) fn isolated(&mut self) -> Option<Vec<usize>> {
        let table = self.jobs.get(*self.isolating.front()?.first()?)?.table;
        if self.tables.get(table)?.pace.has_room() { self.isolating.pop_front() } else { None }
    }

    /// What probes a table that takes nothing.
    pub(super) fn probe(&mut self, now: Instant) -> Option<Vec<usize>> {
        let is_due = |table: &&mut Table| {
            table.pace.has_room() && table.probe.as_ref().is_some_and(|probe| probe.due <= now)
        };
        self.tables.iter_mut().find(is_due)?.probe.take().map(|probe| probe.chunk)
    }

    /// Fills a request: with what came back and has waited, with fresh items, and with what would wait a while longer.
    pub(super) fn pack(&mut self, now: Instant) -> Option<Vec<usize>> {
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
        let Some(first) = first else {
            self.holding_since = None;
            return None;
        };
        // What is left of this table may travel with what is left of a table that has no room right now.
        if waiting + fresh < most && (elsewhere > 0 || !self.may_send_little(fresh > 0)) {
            // But not for long: what is under way may take its time.
            let since = *self.holding_since.get_or_insert(now);
            if now < since + LINGER {
                return None;
            }
        }
        self.holding_since = None;
        let (mut chunk, mut bytes) = (Vec::with_capacity(most.min(waiting + fresh)), 0);
        for turn in (first..tables).chain(0..first) {
            if let Some(table) = self.tables.get_mut(turn)
                && table.is_open(now)
            {
                table.fill(&mut chunk, most, &mut bytes, &mut self.jobs);
            }
        }
        self.turn = (first + 1) % tables;
        Some(chunk)
    }

    /// True if a request may go at once that is not full. While other requests are under way, what they hand back may fill it,
    /// and so may inputs that are still to come.
    pub(super) fn may_send_little(&self, has_fresh: bool) -> bool {
        if self.under_way == 0 && (self.ended || self.is_idle) {
            return true;
        }
        if self.ended { has_fresh } else { !self.wants_input() }
    }
}
