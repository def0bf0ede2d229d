//! A single batch: its settings, and its measurements.

use std::fmt::Write as _;
use std::time::Duration;

use dynorm::Retry;
use dynorm::prelude::*;
use dynorm::testing::{FaultLog, Faults};
use indicatif::HumanCount;
use tokio::time::Instant;

#[derive(Entity, Clone, Debug)]
struct Event {
    #[entity(partition)]
    number: u32,
    name: String,
}

/// A batch to measure.
#[derive(Clone, Default)]
pub(crate) struct Batch {
    pub(crate) name: &'static str,
    pub(crate) items: u32,
    pub(crate) faults: Faults,
    pub(crate) concurrency: Option<usize>,
    pub(crate) units_per_second: Option<u32>,
    /// The least time that any program needs.
    pub(crate) at_least: Duration,
}

/// The measurements of a batch.
pub(crate) struct Run {
    pub(crate) took: Duration,
    batch: Batch,
    requests: u64,
    /// The number of items sent, counting repetitions.
    sends: u64,
    waited: Duration,
    samples: Vec<Sample>,
}

/// The progress at the time of an answer.
struct Sample {
    at: Duration,
    done: u64,
    /// The total time spent waiting with no request in flight.
    waited: Duration,
}

impl Batch {
    pub(crate) async fn save(self) -> dynorm::Result<Run> {
        let db = Database::memory()?;
        db.create_table::<Event>().await?;
        let log = FaultLog::default();
        let faulty = self.faults.clone().log(&log).on(&db);

        let events = (0..self.items).map(|number| Event { number, name: format!("event {number}") });
        let mut samples = Vec::new();
        let start = Instant::now();
        let mut save = EventRepo::batch_save(events).on(&faulty).retry(Retry::default().seed(1)).on_progress(
            |progress| {
                let waited = progress.stats.waited;
                samples.push(Sample { at: start.elapsed(), done: progress.done, waited });
            },
        );
        if let Some(requests) = self.concurrency {
            save = save.concurrency(requests);
        }
        if let Some(units) = self.units_per_second {
            save = save.max_units_per_second(units);
        }
        let saved = save.await?;
        let (took, stats) = (start.elapsed(), saved.stats());
        let (requests, waited) = (stats.requests, stats.waited);
        Ok(Run { took, batch: self, requests, sends: log.total().items_sent, waited, samples })
    }
}

impl Run {
    /// The number of items done, by seconds, with a step for each answer.
    pub(crate) fn done(&self) -> Vec<(f64, f64)> {
        let mut points = vec![(0.0, 0.0)];
        for Sample { at, done, .. } in &self.samples {
            let (_, before) = points.last().copied().unwrap_or_default();
            points.extend([(at.as_secs_f64(), before), (at.as_secs_f64(), *done as f64)]);
        }
        points
    }

    /// The number of items done per second in each interval, by seconds.
    pub(crate) fn throughput(&self, interval: Duration) -> Vec<(f64, f64)> {
        let mut before = 0;
        self.steps(interval, |samples| {
            let done = samples.last().map_or(before, |sample| sample.done);
            (done - std::mem::replace(&mut before, done)) as f64 / interval.as_secs_f64()
        })
    }

    /// The percentage of each interval spent waiting, by seconds.
    pub(crate) fn waits(&self, interval: Duration) -> Vec<(f64, f64)> {
        let mut before = Duration::ZERO;
        self.steps(interval, |samples| {
            let waited = samples.last().map_or(before, |sample| sample.waited);
            let since = waited.saturating_sub(std::mem::replace(&mut before, waited));
            // A wait counts in the interval in which it ends.
            100.0 * since.as_secs_f64() / interval.as_secs_f64()
        })
    }

    /// A step for each whole interval, with the height that its samples give. The last, shorter interval is
    /// left out.
    fn steps(&self, interval: Duration, mut height: impl FnMut(&[Sample]) -> f64) -> Vec<(f64, f64)> {
        let (mut points, mut left, mut end) = (Vec::new(), self.samples.as_slice(), interval);
        while end <= self.took {
            let (samples, later) = left.split_at(left.partition_point(|sample| sample.at <= end));
            let height = height(samples);
            points.extend([((end - interval).as_secs_f64(), height), (end.as_secs_f64(), height)]);
            (left, end) = (later, end + interval);
        }
        points
    }
}

/// A table of the runs, with the least time that any program needs.
pub(crate) fn table(runs: &[&Run]) -> String {
    let mut table = String::new();
    let mut row = |cells: [&str; 8]| {
        let [name, items, requests, at_least, took, ratio, waited, sends] = cells;
        let _ = writeln!(
            table,
            "{name:<36} {items:>7} {requests:>9} {at_least:>9} {took:>9} {ratio:>6} {waited:>9} {sends:>11}"
        );
    };
    row(["batch", "items", "requests", "at least", "took", "ratio", "waited", "sends/item"]);
    for Run { took, batch, requests, sends, waited, .. } in runs {
        let seconds = |time: Duration| format!("{:.3} s", time.as_secs_f64());
        row([
            batch.name,
            &HumanCount(batch.items.into()).to_string(),
            &HumanCount(*requests).to_string(),
            &seconds(batch.at_least),
            &seconds(*took),
            &format!("{:.3}", took.as_secs_f64() / batch.at_least.as_secs_f64()),
            &seconds(*waited),
            &format!("{:.3}", *sends as f64 / f64::from(batch.items)),
        ]);
    }
    table
}
