//! The queues of a table, in which jobs wait.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use slab::Slab;
use tokio::time::Instant;

use super::super::job::Job;
use super::super::pace::Pace;
use super::super::work::MAX_REQUEST_BYTES;
use crate::error::Error;

/// A table of the batch, with its waiting jobs.
pub(super) struct Table {
    pub(super) fresh: VecDeque<usize>,
    /// Jobs that came back and have waited.
    pub(super) due: VecDeque<usize>,
    /// Jobs that came back, by the time at which they are due. The flag is true if a job may be sent earlier,
    /// in a request that has room.
    pub(super) waiting: BTreeMap<(Instant, u64), (usize, bool)>,
    /// The request that probes the table while it is closed.
    pub(super) probe: Option<Probe>,
    pub(super) pace: Pace,
    /// The number of items that were refused one by one, while nothing was done yet.
    pub(super) refused: usize,
    pub(super) done: u64,
    /// One of the last items, which is tried after the first ones were all refused.
    pub(super) sample: Option<usize>,
    /// The error that stopped the table, such as a missing table.
    pub(super) stopped: Option<Arc<Error>>,
}

/// The jobs that came back last from a closed table, and when they are sent again.
pub(super) struct Probe {
    pub(super) due: Instant,
    /// The number of the answer with which they came back.
    pub(super) answer: u64,
    pub(super) chunk: Vec<usize>,
}

impl Table {
    pub(super) fn new(pace: Pace) -> Self {
        Self {
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

    /// Moves the jobs that have waited long enough to `due`.
    pub(super) fn call_due(&mut self, now: Instant) {
        while let Some(first) = self.waiting.first_entry() {
            if first.key().0 > now {
                break;
            }
            self.due.push_back(first.remove().0);
        }
    }

    /// True if an ordinary request may be sent now. A closed table gets only its probe.
    pub(super) fn is_open(&self, now: Instant) -> bool {
        self.probe.is_none() && self.pace.has_room() && self.pace.ready_at(now) <= now
    }

    /// Adds jobs to a request as long as it has room.
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

    /// Returns when to check this table again if nothing happens before.
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
