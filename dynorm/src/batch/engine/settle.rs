//! Schedules a job for another attempt, or settles it.

use std::future::poll_fn;
use std::sync::Arc;

use tokio::time::Instant;

use super::super::Fate;
use super::super::job::{Indices, Job, Other};
use super::super::work::Work;
use super::input::{Left, Unsent};
use super::state::Engine;
use super::table::Probe;
use crate::error::{Error, Report, Subject};

/// After this number of attempts, an item waits longer with each further one, even if others are processed.
const PATIENCE: u32 = 3;

/// How a job that came back waits for its next attempt.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wait {
    /// Not at all, since the answer was full.
    Not,
    /// Until it is due, or until another request has room for it.
    Together,
    /// Not at all: the write is made anew for the stored item.
    Again,
    /// Until it is due.
    Alone,
    /// Until it is due, for an item that other clients are changing.
    Contended,
}

/// The counters of a job that came back, which determine its wait.
pub(super) struct Returned {
    pub(super) attempts: u32,
    pub(super) fruitless: u32,
    pub(super) has_successor: bool,
}

impl Engine<'_> {
    /// Schedules jobs for another attempt, unless they or the batch have used up their attempts.
    pub(super) fn put_back(
        &mut self,
        chunk: Vec<usize>,
        cause: Option<&Arc<Error>>,
        wait: Wait,
        now: Instant,
    ) {
        let retry = self.settings.options.retry;
        // Jobs with equal counters get one random wait, so that they may share a request again.
        let mut waits: Vec<((u32, u32), Instant)> = Vec::new();
        for id in chunk {
            let Some(Returned { attempts, mut fruitless, has_successor }) = self.come_back(id, cause) else {
                continue;
            };
            let pauses = !matches!(wait, Wait::Not | Wait::Again);
            if !pauses && let Some(job) = self.jobs.get_mut(id) {
                // The answer had no room for the item, or the stored item was another one: not counted as an
                // attempt.
                job.attempts = attempts.saturating_sub(1);
            }
            // Another client's write succeeded, so the table has capacity.
            if matches!(wait, Wait::Again | Wait::Contended)
                && let Some(job) = self.jobs.get_mut(id)
            {
                (job.fruitless, fruitless) = (0, 0);
            }
            let level = match wait {
                Wait::Alone | Wait::Contended => attempts,
                // While other items are processed, a few returns are chance; more of them mean a busy key.
                _ => attempts.saturating_sub(PATIENCE),
            };
            let level = (level, fruitless);
            let due = match waits.iter().find(|(known, _)| *known == level) {
                _ if !pauses => now,
                Some((_, due)) => *due,
                None => {
                    let due = now + self.delay(level);
                    waits.push((level, due));
                    due
                }
            };
            if pauses && (retry.rounds == 0 || attempts >= retry.backoff.attempts) {
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

    /// Returns the wait after this many attempts, and this many recent rounds in which nothing was done.
    fn delay(&mut self, (attempts, fruitless): (u32, u32)) -> std::time::Duration {
        let retry = self.settings.options.retry;
        let delay = retry.backoff.delay(attempts, &mut self.random);
        if fruitless == 0 { delay } else { delay.max(retry.backoff.round(fruitless, &mut self.random)) }
    }

    /// Puts a job into the waiting queue of its table.
    pub(super) fn wait(&mut self, id: usize, due: Instant, wait: Wait) {
        let Some(table) = self.jobs.get(id).and_then(|job| self.tables.get_mut(job.table)) else { return };
        if let Some(error) = table.stopped.clone() {
            return self.abandon(id, &error);
        }
        match (wait, &mut table.probe) {
            (Wait::Not | Wait::Again, _) => table.due.push_back(id),
            // The first jobs that come back together from a closed table become its probe.
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

    /// Updates the counters of a job that came back.
    pub(super) fn come_back(&mut self, id: usize, cause: Option<&Arc<Error>>) -> Option<Returned> {
        let settled = self.settled;
        let job = self.jobs.get_mut(id)?;
        // A job that was sent before it was due has not had its round.
        let is_early = std::mem::take(&mut job.is_early);
        job.fruitless = if settled > job.settled_before { 0 } else { job.fruitless + u32::from(!is_early) };
        // An error with an unknown outcome takes precedence over a later one with a known outcome.
        if job.cause.as_ref().is_none_or(|cause| cause.outcome_known()) {
            job.cause = cause.cloned();
        }
        let Job { attempts, fruitless, .. } = *job;
        Some(Returned { attempts, fruitless, has_successor: job.successor.is_some() })
    }

    pub(super) fn remove(&mut self, id: usize) -> Option<Job> {
        let job = self.jobs.try_remove(id)?;
        if let Ok(entry) = self.keys.find_entry(job.body.hash, |known| *known == id) {
            entry.remove();
        }
        Some(job)
    }

    /// Removes a job and settles its inputs.
    pub(super) fn settle(&mut self, id: usize, fate: Fate, reason: Option<&Arc<Error>>) {
        let Some(mut job) = self.remove(id) else { return };
        self.held_items -= job.inputs.len();
        self.held_bytes -= job.body.len();
        if let Some(successor) = job.successor.take() {
            match self.tables.get(job.table).and_then(|table| table.stopped.clone()) {
                Some(error) => {
                    // It was never sent, and will not be.
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

    pub(super) fn settle_one(&mut self, index: usize, fate: Fate, reason: Option<&Arc<Error>>) {
        match (fate, reason) {
            (Fate::Done, _) => self.stats.items += 1,
            (Fate::Superseded { .. }, None) => self.stats.superseded += 1,
            _ => self.stats.failed += 1,
        }
        self.checkpoint.close(index);
        self.inputs.settle(index, fate, reason);
    }

    /// Settles a job that is not done, because of an error that is not its own.
    pub(super) fn abandon(&mut self, id: usize, error: &Arc<Error>) {
        let Some(job) = self.jobs.get(id) else { return };
        let cause = job.cause.clone().unwrap_or_else(|| error.clone());
        let fate = job.fate();
        self.settle(id, fate, Some(&cause));
    }

    /// Settles a job whose table or batch was stopped, in whatever queue it waits.
    pub(super) fn forsake(&mut self, id: usize, error: &Arc<Error>) {
        if let Some(job) = self.jobs.get_mut(id)
            && job.open().is_none()
        {
            job.cause = Some(error.clone());
        }
        self.abandon(id, error);
    }

    /// Settles a job that is not done, with its own last error.
    pub(super) fn abandon_unfinished(&mut self, id: usize) {
        let error = self.cause_of(id);
        self.abandon(id, &error);
    }

    pub(super) fn cause_of(&self, id: usize) -> Arc<Error> {
        let Some(job) = self.jobs.get(id) else {
            return Arc::new(Error::internal("a batch settles an item twice"));
        };
        job.cause.clone().unwrap_or_else(|| {
            let text = "DynamoDB handed it back";
            Arc::new(Error::Throttled(Report::new(self.subject(job), text, None)))
        })
    }

    /// Ends the batch at its deadline. The outcome of the requests in flight stays unknown.
    pub(super) fn pass_deadline(&mut self) {
        let tables: Vec<&str> = self.specs.iter().map(|spec| spec.name.as_str()).collect();
        let subject = match self.specs.as_slice() {
            [spec] => Subject::of(spec.info),
            _ => Subject::default(),
        };
        let subject = subject.in_table(tables.join("`, `")).during(self.work.doing());
        let is_write = self.work != Work::Get;
        let open = Arc::new(self.deadline.passed(subject.clone(), !is_write));
        for (_, job) in self.jobs.iter_mut().filter(|(_, job)| job.is_under_way) {
            job.unanswered |= is_write;
            job.sent = true;
            if job.open().is_none() {
                job.cause = Some(open.clone());
            }
        }
        self.stopped = Some(Arc::new(self.deadline.passed(subject, true)));
    }

    /// Settles the inputs that were taken from the caller but not sent when the batch ended.
    pub(super) async fn settle_left(&mut self) {
        let Some(stopped) = self.stopped.clone() else { return };
        while let Some(Left { unsent }) = poll_fn(|context| self.inputs.poll_left(context)).await {
            let index = self.admitted;
            self.admitted += 1;
            self.checkpoint.open();
            match unsent {
                Some(Unsent { fate, error }) => self.settle_one(index, fate, Some(&Arc::new(error))),
                None => self.settle_one(index, Fate::NotSent, Some(&stopped)),
            }
        }
    }

    /// Settles the remaining jobs when the batch ends.
    pub(super) fn give_up(&mut self) {
        let left: Vec<usize> = self.jobs.iter().map(|(id, _)| id).collect();
        for id in left {
            // Its successor is not sent either.
            let successor = self.jobs.get_mut(id).and_then(|job| job.successor.take());
            let error = self.stopped.clone().unwrap_or_else(|| self.cause_of(id));
            self.abandon(id, &error);
            if let Some(successor) = successor {
                let id = self.jobs.insert(*successor);
                self.abandon(id, &error);
            }
        }
    }

    pub(super) fn subject(&self, job: &Job) -> Subject {
        let table = self.specs.get(job.table).map_or("", |spec| spec.name.as_str());
        Subject::of(job.info).in_table(table).during(job.body.kind.doing())
    }

    /// The subject of a request: an entity, if it has only one.
    pub(super) fn subject_of(&self, chunk: &[usize]) -> Subject {
        let Some(first) = chunk.first().and_then(|id| self.jobs.get(*id)) else { return Subject::default() };
        let mut names: Vec<&str> = Vec::new();
        for job in chunk.iter().filter_map(|id| self.jobs.get(*id)) {
            let name = self.specs.get(job.table).map_or("", |spec| spec.name.as_str());
            if !names.contains(&name) {
                names.push(name);
            }
        }
        if names.len() <= 1 {
            return self.subject(first);
        }
        Subject::default().in_table(names.join("`, `")).during(self.work.doing())
    }
}
