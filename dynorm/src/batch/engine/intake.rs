//! Turns inputs into jobs, and decides between two inputs with the same key.

use std::sync::Arc;

use super::super::job::{Indices, Job};
use super::super::work::Work;
use super::super::{Duplicates, Fate};
use super::input::{Input, Unsent};
use super::state::Engine;
use crate::codec::ValueError;
use crate::error::Error;

impl Engine<'_> {
    /// Takes in an input. One that cannot be sent is settled at once, so that it does not replace a valid
    /// one.
    pub(super) fn admit(&mut self, input: Input) {
        let index = self.admitted;
        self.admitted += 1;
        self.checkpoint.open();
        let Input { table, info, body, earlier } = input;
        let body = match body {
            Ok(body) => body,
            Err(Unsent { fate, error }) => return self.settle_one(index, fate, Some(&Arc::new(error))),
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
            place: 0,
            attempts: 0,
            fruitless: 0,
            settled_before: 0,
            is_under_way: false,
            is_early: false,
            is_fresh: false,
            sent: was_sent,
            unanswered: fate == Some(Fate::Unknown),
            cause: reason.filter(|reason| was_sent && !reason.outcome_known()),
            successor: None,
        };
        let is_held = |id: &usize| self.jobs.get(*id).is_some_and(|held| held.body.is_of_key(&job.body));
        match self.keys.find(job.body.hash, is_held).copied() {
            Some(held) => self.meet(held, job),
            None => self.queue(job),
        }
    }

    pub(super) fn queue(&mut self, job: Job) {
        let (table, hash) = (job.table, job.body.hash);
        let id = self.jobs.insert(job);
        let jobs = &self.jobs;
        self.keys.insert_unique(hash, id, |id| jobs.get(*id).map_or(0, |job| job.body.hash));
        if let Some(table) = self.tables.get_mut(table) {
            table.fresh.push_back(id);
        }
    }

    /// Handles an input whose key has an unfinished job.
    pub(super) fn meet(&mut self, held: usize, job: Job) {
        let Some(earlier) = self.jobs.get_mut(held) else { return };
        let index = job.inputs.first;
        if self.work == Work::Get {
            // The key is read once, and the item is returned at each position.
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
                let first = self.inputs.position(earlier.inputs.first);
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
                // The attempts belong to the earlier write.
                (waiting.sent, waiting.unanswered, waiting.cause) = (job.sent, job.unanswered, job.cause);
            }
        }
    }

    /// Replaces a job that came back by a later write of the same key.
    pub(super) fn give_way(&mut self, id: usize) {
        let Some(mut job) = self.remove(id) else { return };
        let Some(mut successor) = job.successor.take() else { return };
        self.held_bytes -= job.body.len();
        let open = job.open();
        successor.inputs.add(job.inputs.first, job.unanswered, open);
        successor.inputs.others.append(&mut job.inputs.others);
        self.queue(*successor);
    }
}
