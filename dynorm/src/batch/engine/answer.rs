//! What an answer, or a failed request, means for the jobs of the request and the pace of its tables.

use std::sync::Arc;

use tokio::time::Instant;

use super::super::Fate;
use super::super::pace::{Pace, Taken};
use super::super::wire::{Reading, Verdict};
use super::super::work::{MAX_BATCH_WRITE_ITEMS, Work};
use super::settle::Wait;
use super::state::{Engine, Flight, Part};
use crate::codec::{Item, ValueError};
use crate::error::{Error, Subject};
use crate::transport::{Failure, FailureKind};
use crate::write::{Known, unsettled};

impl Engine<'_> {
    pub(super) fn digest(&mut self, flight: Flight) {
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
                let jobs = (&self.jobs, &self.keys);
                let found = &mut |inputs: &[usize], item: &Item<'_>| self.inputs.found(inputs, item);
                let reading = self.work.read(&answer, &chunk, jobs, &self.specs, found);
                match reading {
                    Ok(reading) => self.take(&chunk, &parts, reading, now),
                    Err(error) => {
                        // Something was done, but we cannot tell what: as if there was no answer.
                        let error = Arc::new(self.unreadable(&chunk, &error));
                        self.leave(chunk, &parts, &error, true, now);
                    }
                }
            }
            Some(Err(failure)) => self.fail(chunk, &parts, failure, now),
            None => {}
        }
    }

    /// The error of an answer that cannot be read.
    fn unreadable(&self, chunk: &[usize], error: &ValueError) -> Error {
        let mut error = Error::undecodable(self.subject_of(chunk), error);
        if let Error::Undecodable(report) = &mut error {
            report.outcome_known = self.work == Work::Get;
        }
        error
    }

    /// Applies the verdicts of an answer to its jobs.
    pub(super) fn take(&mut self, chunk: &[usize], parts: &[Part], reading: Reading, now: Instant) {
        let Reading { verdicts, capacity } = reading;
        let mut tallies = vec![Tally::default(); self.tables.len()];
        let (mut handed_back, mut without_room) = (Vec::new(), Vec::new());
        let nobody_knows =
            verdicts.iter().any(|verdict| matches!(verdict, Verdict::HandedBack { unanswered: true }));
        let nobody_knows = nobody_knows.then(|| {
            let error = ValueError::new("the answer names a key that was not sent");
            Arc::new(self.unreadable(chunk, &error))
        });
        for (id, verdict) in chunk.iter().zip(verdicts) {
            let Some(job) = self.jobs.get_mut(*id) else { continue };
            job.sent = true;
            if let Some(tally) = tallies.get_mut(job.table)
                && !matches!(verdict, Verdict::NoRoom)
            {
                tally.count(job.attempts == 1, matches!(verdict, Verdict::HandedBack { .. }));
            }
            match verdict {
                Verdict::Done => {
                    self.settled += 1;
                    self.settle(*id, Fate::Done, None);
                }
                Verdict::Rejected(error) => {
                    self.settled += 1;
                    self.settle(*id, Fate::Rejected, Some(&error));
                }
                Verdict::HandedBack { unanswered } => {
                    job.unanswered |= unanswered;
                    if unanswered {
                        job.cause.clone_from(&nobody_knows);
                    }
                    handed_back.push(*id);
                }
                Verdict::NoRoom => without_room.push(*id),
            }
        }
        for part in parts {
            let Some(table) = self.tables.get_mut(part.table) else { continue };
            let tally = tallies.get(part.table).copied().unwrap_or_default();
            let share = tally.share();
            let taken = Taken { asked: part.units, taken: part.units * share, at: now };
            table.pace.answered(taken, part.generation);
            if tally.done > 0 {
                table.pace.brought_something();
            }
            let Some(spec) = self.specs.get(part.table) else { continue };
            if let Some((_, units)) = capacity.iter().find(|(name, _)| *name == spec.name) {
                table.pace.consumed(units - part.units, now);
            }
        }
        self.stats.consumed_capacity += capacity.iter().map(|(_, units)| units).sum::<f64>();
        self.put_back(handed_back, None, Wait::Together, now);
        self.put_back(without_room, None, Wait::Not, now);
    }

    /// Handles a failed request.
    pub(super) fn fail(&mut self, chunk: Vec<usize>, parts: &[Part], mut failure: Failure, now: Instant) {
        let (kind, answered) = (failure.kind_of_all(), failure.answered);
        let unanswered = !failure.outcome_known && !answered;
        // A read changes nothing, even if it gets no answer.
        failure.outcome_known |= self.work == Work::Get;
        match kind {
            // Refused because of one of its items or tables.
            FailureKind::Rejected if chunk.len() > 1 => return self.isolate(chunk),
            FailureKind::TableNotFound | FailureKind::AccessDenied if parts.len() > 1 => {
                return self.isolate(chunk);
            }
            _ => {}
        }
        let subject = self.subject_of(&chunk);
        let alone = chunk.first().filter(|_| self.work == Work::Each).and_then(|id| self.jobs.get(*id));
        let error = Arc::new(match alone {
            Some(job) => match job.body.explain(failure, &subject) {
                Ok(known) => return self.try_again(chunk, parts, &known, subject, now),
                Err(error) => error,
            },
            None => failure.into_error(subject),
        });
        match kind {
            FailureKind::Rejected | FailureKind::ConditionFailed => {
                self.pace(parts, Pace::brought_something);
                for id in &chunk {
                    let job = self.jobs.get(*id);
                    // The refusal of a transaction settles all earlier attempts as well.
                    let job = job.filter(|job| !job.body.is_transaction());
                    let unanswered = job.is_some_and(|job| job.unanswered);
                    // The item that exists may be the result of an earlier attempt at which the server
                    // failed.
                    let may_be_own =
                        kind == FailureKind::ConditionFailed && job.is_some_and(|job| job.open().is_some());
                    let fate = if unanswered || may_be_own { Fate::Unknown } else { Fate::Rejected };
                    self.settled += 1;
                    self.settle(*id, fate, Some(&error));
                }
                if kind == FailureKind::Rejected {
                    self.stop_if_all_are_refused(&chunk, parts, &error);
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
            // The rest of the table has capacity, so only these keys wait.
            FailureKind::HotKeys => {
                self.return_units(parts, now);
                self.mark(&chunk, &error, unanswered);
                self.put_back(chunk, Some(&error), Wait::Alone, now);
            }
            FailureKind::Conflict
            | FailureKind::Server
            | FailureKind::Undecodable
            | FailureKind::Timeout
            | FailureKind::Unreachable => {
                self.leave(chunk, parts, &error, unanswered, now);
            }
            FailureKind::TableNotFound | FailureKind::AccessDenied => {
                for part in parts {
                    self.stop_table(part.table, &error);
                }
                for id in chunk {
                    self.forsake(id, &error);
                }
            }
            FailureKind::Credentials | FailureKind::Configuration => {
                for id in chunk {
                    self.forsake(id, &error);
                }
                self.stopped = Some(error);
            }
        }
    }

    /// The stored item is not the one that the write was made for, so the write is made anew for the stored
    /// item.
    fn try_again(
        &mut self,
        chunk: Vec<usize>,
        parts: &[Part],
        known: &Known,
        subject: Subject,
        now: Instant,
    ) {
        self.pace(parts, Pace::brought_something);
        let error = Arc::new(unsettled(subject));
        let mut wait = Wait::Contended;
        for id in &chunk {
            let Some(job) = self.jobs.get_mut(*id) else { continue };
            // The answer is the freshest state that there is, so the new write is sent at once. If the item
            // has changed again by then, other clients are changing it: the next write waits, and is based on
            // an older state.
            job.is_fresh = job.body.is_guessed() || !job.is_fresh;
            if job.is_fresh {
                wait = Wait::Again;
            }
            let body = match self.inputs.again(job.inputs.first, known) {
                Some(Ok(body)) => body,
                Some(Err(error)) => {
                    self.settled += 1;
                    return self.settle(*id, Fate::Rejected, Some(&Arc::new(error)));
                }
                None => continue,
            };
            self.held_bytes = self.held_bytes - job.body.len() + body.len();
            (job.body, job.unanswered, job.sent) = (body, false, true);
        }
        self.put_back(chunk, Some(&error), wait, now);
    }

    /// Splits a refused request in two: between its tables, or in the middle.
    pub(super) fn isolate(&mut self, chunk: Vec<usize>) {
        let table = |id: &usize| self.jobs.get(*id).map(|job| job.table);
        let first = chunk.first().and_then(table);
        let border = chunk.iter().position(|id| table(id) != first).unwrap_or(chunk.len() / 2);
        let mut half = chunk;
        let other = half.split_off(border);
        self.isolating.extend([half, other]);
    }

    /// If every request was refused down to its last item, the items may not be the cause: tries the last
    /// waiting item, and if that is refused too, stops the table.
    pub(super) fn stop_if_all_are_refused(&mut self, chunk: &[usize], parts: &[Part], error: &Arc<Error>) {
        for part in parts {
            let Some(table) = self.tables.get_mut(part.table) else { continue };
            table.refused += 1;
            if table.done > 0 || table.refused < MAX_BATCH_WRITE_ITEMS {
                continue;
            }
            match table.sample {
                None => {
                    table.sample = table.fresh.pop_back();
                    if let Some(sample) = table.sample {
                        self.isolating.push_front(vec![sample]);
                    }
                }
                Some(sample) if chunk.contains(&sample) => self.stop_table(part.table, error),
                Some(_) => {}
            }
        }
    }

    /// Stops a table: nothing more is sent to it, and its waiting jobs are not sent.
    pub(super) fn stop_table(&mut self, table: usize, error: &Arc<Error>) {
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
            self.forsake(id, error);
        }
    }

    pub(super) fn pace(&mut self, parts: &[Part], tell: impl Fn(&mut Pace)) {
        for part in parts {
            if let Some(table) = self.tables.get_mut(part.table) {
                tell(&mut table.pace);
            }
        }
    }

    /// Gives the reserved units back, since a throttled request consumes none.
    pub(super) fn return_units(&mut self, parts: &[Part], now: Instant) {
        for part in parts {
            if let Some(table) = self.tables.get_mut(part.table) {
                table.pace.consumed(-part.units, now);
            }
        }
    }

    /// Schedules the jobs of a failed request for another attempt.
    pub(super) fn leave(
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

    /// Records the failure of a request in its jobs.
    pub(super) fn mark(&mut self, chunk: &[usize], error: &Arc<Error>, unanswered: bool) {
        let answered = matches!(**error, Error::Throttled(_) | Error::Conflict(_) | Error::Server(_));
        let is_write = self.work != Work::Get;
        for id in chunk {
            if let Some(job) = self.jobs.get_mut(*id) {
                job.unanswered |= unanswered && is_write;
                job.sent |= answered || unanswered;
            }
        }
    }
}

/// How many items of a request a table processed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    done: usize,
    handed_back: usize,
    fresh_done: usize,
    fresh_handed_back: usize,
}

impl Tally {
    pub(super) fn count(&mut self, is_fresh: bool, is_handed_back: bool) {
        let (done, fresh) = (usize::from(!is_handed_back), usize::from(is_fresh));
        self.done += done;
        self.handed_back += 1 - done;
        self.fresh_done += fresh * done;
        self.fresh_handed_back += fresh * (1 - done);
    }

    /// Returns the share of items that were processed. Items that came back before say more about their key
    /// than about the table, so only new items count, if there are any.
    pub(super) fn share(&self) -> f64 {
        let (done, handed_back) = match self.fresh_done + self.fresh_handed_back {
            0 => (self.done, self.handed_back),
            _ => (self.fresh_done, self.fresh_handed_back),
        };
        done as f64 / (done + handed_back).max(1) as f64
    }
}
