//! A job: the unit that is sent, one for each key, with the inputs that it stands for.

use std::sync::Arc;

use super::Fate;
use super::body::Body;
use crate::entity::EntityInfo;
use crate::error::Error;

/// The unfinished work for one key.
pub(super) struct Job {
    pub(super) table: usize,
    pub(super) info: &'static EntityInfo,
    pub(super) body: Body,
    pub(super) inputs: Indices,
    /// Its position in the last request that it was sent in.
    pub(super) place: usize,
    pub(super) attempts: u32,
    /// The number of its latest attempts in a row during which nothing of the batch was done.
    pub(super) fruitless: u32,
    /// The number of settled jobs of the batch when it was sent.
    pub(super) settled_before: u64,
    pub(super) is_under_way: bool,
    pub(super) sent: bool,
    /// True if it was sent before it was due, since a request had room for it.
    pub(super) is_early: bool,
    /// True if it was made for the item that the last answer showed, and sent at once.
    pub(super) is_fresh: bool,
    /// True if it was sent once without an answer: unless it is done in the end, its fate is unknown.
    pub(super) unanswered: bool,
    /// Its last error.
    pub(super) cause: Option<Arc<Error>>,
    /// A later write of the same key, which came while this one was in flight.
    pub(super) successor: Option<Box<Job>>,
}

impl Job {
    /// Returns the error that leaves the outcome open, if it is open.
    pub(super) fn open(&self) -> Option<Arc<Error>> {
        self.cause.clone().filter(|cause| !cause.outcome_known())
    }

    /// Returns the fate of a job that is not done.
    pub(super) fn fate(&self) -> Fate {
        match (self.unanswered, self.sent) {
            (true, _) => Fate::Unknown,
            (false, true) => Fate::Unprocessed,
            (false, false) => Fate::NotSent,
        }
    }
}

/// The inputs that one job stands for: its own, and others with the same key.
#[derive(Debug)]
pub(super) struct Indices {
    pub(super) first: usize,
    pub(super) others: Vec<Other>,
}

#[derive(Debug)]
pub(super) struct Other {
    pub(super) index: usize,
    /// True if it was sent without an answer: if its replacement is not done, its fate is unknown.
    pub(super) unanswered: bool,
    /// The error that leaves its outcome open.
    pub(super) open: Option<Arc<Error>>,
}

impl Indices {
    pub(super) fn one(index: usize) -> Self {
        Self { first: index, others: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        1 + self.others.len()
    }

    pub(super) fn add(&mut self, index: usize, unanswered: bool, open: Option<Arc<Error>>) {
        self.others.push(Other { index, unanswered, open });
    }

    /// Makes `index` the input that is sent and stands for the others.
    pub(super) fn replace(&mut self, index: usize, unanswered: bool, open: Option<Arc<Error>>) {
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
