//! The fate of every input, compared with the table.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use dynorm::{Fate, Stats};
use indicatif::HumanCount;

use crate::Measurement;

/// The fate that the batch reports for an input that did not succeed.
#[derive(Clone, Copy)]
pub(crate) struct Failure {
    pub(crate) fate: Fate,
    /// The outcome is known.
    pub(crate) is_known: bool,
}

impl Failure {
    /// It may have been stored all the same.
    fn is_open(self) -> bool {
        self.fate == Fate::Unknown || !self.is_known
    }
}

/// The fates of all inputs. Only failures are stored: all other inputs are done, or superseded by one that
/// is.
#[derive(Default)]
pub(crate) struct Fates {
    failures: HashMap<u64, Failure>,
    /// The number of inputs of each kind, and those that contradict the table.
    rows: BTreeMap<&'static str, Row>,
}

#[derive(Default)]
struct Row {
    count: u64,
    /// The inputs that agree with the table because they are stored.
    stored: u64,
    incompatible: Vec<u64>,
}

const DONE: &str = "done";
const SUPERSEDED: &str = "done by a later write of the same item";

impl Fates {
    pub(crate) fn fail(&mut self, input: u64, failure: Failure) {
        self.failures.insert(input, failure);
        self.rows.entry(name(failure)).or_default().count += 1;
    }

    /// Counts the inputs without a failure.
    pub(crate) fn succeed(&mut self, stats: &Stats) {
        self.rows.entry(DONE).or_default().count = stats.items;
        self.rows.entry(SUPERSEDED).or_default().count = stats.superseded;
    }

    pub(crate) fn failed(&self) -> u64 {
        self.failures.len() as u64
    }

    /// Compares the inputs that write one item, in order, with the stored item.
    pub(crate) fn compare(&mut self, writers: &[Measurement], held: Option<&Measurement>) {
        let foreign = held.is_some_and(|held| !writers.contains(held));
        for (position, writer) in writers.iter().enumerate() {
            let is_held = held == Some(writer);
            let later = writers.get(position + 1..).unwrap_or_default();
            let failure = self.failures.get(&writer.input);
            let (row, is_compatible) = match failure {
                // The input is stored, or a later one if it was superseded.
                None => (
                    DONE,
                    is_held || later.iter().any(|later| held == Some(later) && self.may_be_stored(later)),
                ),
                Some(failure) => (name(*failure), failure.is_open() || !is_held),
            };
            let row = self.rows.entry(row).or_default();
            row.stored += u64::from(is_held);
            if foreign || !is_compatible {
                row.incompatible.push(writer.input);
            }
        }
    }

    fn may_be_stored(&self, writer: &Measurement) -> bool {
        self.failures.get(&writer.input).is_none_or(|failure| failure.is_open())
    }

    pub(crate) fn are_compatible(&self) -> bool {
        self.rows.values().all(|row| row.incompatible.is_empty())
    }
}

fn name(failure: Failure) -> &'static str {
    match (failure.fate, failure.is_known) {
        (Fate::Unknown, _) => "unknown",
        (Fate::Unprocessed, true) => "unprocessed",
        (Fate::Unprocessed, false) => "unprocessed, after a status of 500",
        (Fate::Rejected, _) => "rejected",
        (Fate::NotSent, _) => "not sent",
        (Fate::Superseded { .. }, _) => "superseded by one that has failed",
        _ => "something else",
    }
}

impl fmt::Display for Fates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<40} {:>9} {:>9}  compatible", "fate", "inputs", "stored")?;
        for (name, Row { count, stored, incompatible }) in &self.rows {
            let numbers = [count, stored].map(|number| HumanCount(*number).to_string());
            let [count, stored] = numbers;
            write!(f, "{name:<40} {count:>9} {stored:>9}  ")?;
            match incompatible.first() {
                None => writeln!(f, "yes")?,
                Some(first) => writeln!(f, "no: {}, such as #{first}", incompatible.len())?,
            }
        }
        Ok(())
    }
}
