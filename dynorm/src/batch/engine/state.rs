//! The state of the engine: jobs, tables and requests in flight.

use std::collections::VecDeque;
use std::sync::Arc;

use hashbrown::HashTable;
use slab::Slab;
use tokio::time::Instant;

use super::super::Stats;
use super::super::deadline::Deadline;
use super::super::job::Job;
use super::super::pace::{Concurrency, Pace};
use super::super::progress::{Checkpoint, Progress};
use super::super::settings::Settings;
use super::super::work::{TableSpec, Work};
use super::input::{Inputs, Origin, room};
use super::table::Table;
use crate::error::Error;
use crate::transport::{Answer, Failure};

/// A request in flight, with what is needed to update the pace of its tables.
pub(super) struct Flight {
    pub(super) chunk: Vec<usize>,
    pub(super) parts: Vec<Part>,
    pub(super) answered: Option<std::result::Result<Answer, Failure>>,
}

pub(super) struct Part {
    pub(super) table: usize,
    pub(super) units: f64,
    pub(super) generation: u32,
}

pub(super) struct Engine<'e> {
    pub(super) work: Work,
    pub(super) settings: Settings<'e>,
    pub(super) random: fastrand::Rng,
    pub(super) inputs: &'e mut dyn Inputs,
    pub(super) origin: Origin,
    /// The number of inputs that may be in flight or waiting.
    pub(super) room: usize,
    /// True after the last input.
    pub(super) ended: bool,
    /// True if the inputs were pending when they were last polled.
    pub(super) is_idle: bool,
    /// Since when a request that is not full waits for more jobs.
    pub(super) holding_since: Option<Instant>,
    pub(super) admitted: usize,
    pub(super) jobs: Slab<Job>,
    /// The unfinished job of each key.
    pub(super) keys: HashTable<usize>,
    pub(super) held_items: usize,
    pub(super) held_bytes: usize,
    pub(super) specs: Vec<TableSpec>,
    /// The state of each table, in the order of `specs`.
    pub(super) tables: Vec<Table>,
    /// The table from which the next request takes its first jobs.
    pub(super) turn: usize,
    /// Parts of refused requests, which are split until the item that caused the refusal is alone.
    pub(super) isolating: VecDeque<Vec<usize>>,
    pub(super) under_way: usize,
    /// The number of jobs that answers have settled.
    pub(super) settled: u64,
    /// The number of answers.
    pub(super) answers: u64,
    pub(super) sequence: u64,
    pub(super) stats: Stats,
    pub(super) progress: Progress,
    pub(super) checkpoint: Checkpoint,
    pub(super) deadline: Deadline,
    pub(super) stopped: Option<Arc<Error>>,
}

impl<'e> Engine<'e> {
    pub(super) fn new(
        work: Work,
        specs: Vec<TableSpec>,
        origin: Origin,
        mut settings: Settings<'e>,
        inputs: &'e mut dyn Inputs,
    ) -> Self {
        let concurrency = settings
            .options
            .concurrency
            .map_or(Concurrency::Adaptive(work.most_under_way()), Concurrency::Fixed);
        let pace = || Pace::new(concurrency, settings.options.units_per_second);
        let mut tables: Vec<Table> = specs.iter().map(|_| Table::new(pace())).collect();
        let (total, room) = (inputs.total(), room(work, &settings));
        // Nearly every input becomes a job.
        let jobs = match origin {
            Origin::AtHand { first } => first,
            Origin::Stream => 0,
        };
        if let [table] = tables.as_mut_slice() {
            table.fresh.reserve(jobs);
        }
        Self {
            work,
            random: settings.options.retry.random(),
            origin,
            room,
            ended: false,
            is_idle: false,
            holding_since: None,
            admitted: 0,
            jobs: Slab::with_capacity(jobs),
            keys: HashTable::with_capacity(jobs),
            held_items: 0,
            held_bytes: 0,
            specs,
            tables,
            turn: 0,
            isolating: VecDeque::new(),
            under_way: 0,
            settled: 0,
            answers: 0,
            sequence: 0,
            stats: Stats::default(),
            progress: Progress { total, ..Progress::default() },
            checkpoint: Checkpoint::of(jobs),
            deadline: settings.deadline(),
            stopped: None,
            settings,
            inputs,
        }
    }
}
