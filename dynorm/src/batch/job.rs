//! What travels: a job for each key, and the inputs that it stands for.

use std::sync::Arc;

use super::Fate;
use super::body::Body;
use crate::entity::EntityInfo;
use crate::error::Error;

/// The items of one key, on their way.
pub(super) struct Job {
    pub(super) table: usize,
    pub(super) info: &'static EntityInfo,
    pub(super) body: Body,
    pub(super) inputs: Indices,
    /// Its position in the last request that it travelled in.
    pub(super) place: usize,
    pub(super) attempts: u32,
    /// How many of its attempts in a row went by without anything of the batch being done.
    pub(super) fruitless: u32,
    /// How many jobs of the batch were settled when it was sent.
    pub(super) settled_before: u64,
    pub(super) is_under_way: bool,
    pub(super) sent: bool,
    /// It travels before it is due, since a request had room for it.
    pub(super) is_early: bool,
    /// It was made for what the last answer has shown, and sent at once.
    pub(super) is_fresh: bool,
    /// It was sent once without an answer: unless it is done in the end, nobody knows.
    pub(super) unanswered: bool,
    /// Why it is not done yet.
    pub(super) cause: Option<Arc<Error>>,
    /// A later write of the same key, which came while this one was under way.
    pub(super) successor: Option<Box<Job>>,
}

impl Job {
    /// Why it may be done, if it may.
    pub(super) fn open(&self) -> Option<Arc<Error>> {
        self.cause.clone().filter(|cause| !cause.outcome_known())
    }

    /// What is known of a job that is not done.
    pub(super) fn fate(&self) -> Fate {
        match (self.unanswered, self.sent) {
            (true, _) => Fate::Unknown,
            (false, true) => Fate::Unprocessed,
            (false, false) => Fate::NotSent,
        }
    }
}

/// The inputs that one job stands for: itself, and others with the same key.
#[derive(Debug)]
pub(super) struct Indices {
    pub(super) first: usize,
    pub(super) others: Vec<Other>,
}

#[derive(Debug)]
pub(super) struct Other {
    pub(super) index: usize,
    /// It was sent itself, without an answer: if what stands for it is not done, nobody knows.
    pub(super) unanswered: bool,
    /// Why it may be done itself.
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

    /// `index` is what is sent, and stands for the others.
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
