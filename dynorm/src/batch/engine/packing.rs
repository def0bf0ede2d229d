//! Packs the waiting jobs of the tables into requests.

use std::time::Duration;

use tokio::time::Instant;

use super::state::{Engine, Flight, Part};
use super::table::Table;

/// How long a request that is not full waits for more jobs, while another request is in flight.
pub(super) const LINGER: Duration = Duration::from_millis(50);

/// Packing.
impl Engine<'_> {
    /// Returns the next request that may be sent now.
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
            let units = self.work.units(&job.body, self.specs.get(job.table));
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

    /// Returns a part of a refused request.
    pub(super) fn isolated(&mut self) -> Option<Vec<usize>> {
        let table = self.jobs.get(*self.isolating.front()?.first()?)?.table;
        if self.tables.get(table)?.pace.has_room() { self.isolating.pop_front() } else { None }
    }

    /// Returns the request that probes a closed table.
    pub(super) fn probe(&mut self, now: Instant) -> Option<Vec<usize>> {
        let is_due = |table: &&mut Table| {
            table.pace.has_room() && table.probe.as_ref().is_some_and(|probe| probe.due <= now)
        };
        self.tables.iter_mut().find(is_due)?.probe.take().map(|probe| probe.chunk)
    }

    /// Packs a request: first jobs whose wait is over, then new jobs, then jobs whose wait is not over yet.
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
        // The remaining jobs may share a request with those of a table that has no room right now.
        if waiting + fresh < most && (elsewhere > 0 || !self.may_send_little(fresh > 0)) {
            // Only for a short time, since the requests in flight may take long.
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

    /// True if a request that is not full may be sent at once. While other requests are in flight,
    /// unprocessed items and further inputs may still fill it.
    pub(super) fn may_send_little(&self, has_fresh: bool) -> bool {
        if self.under_way == 0 && (self.ended || self.is_idle) {
            return true;
        }
        if self.ended { has_fresh } else { !self.wants_input() }
    }
}
