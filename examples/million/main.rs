//! Saves a million items to a table that throttles, returns items unprocessed, fails and loses answers. Then
//! compares the fate that the batch reports for each item with the table. Run it with `cargo run --release
//! --example million`; `-- --help` shows how to save fewer.

mod fates;
mod options;

use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::ensure;
use dynorm::prelude::*;
use dynorm::testing::{FaultLog, Faults};
use dynorm::{Retry, Stats};
use indicatif::{HumanCount, ProgressBar, ProgressStyle};

use fates::{Failure, Fates};
use options::{HELP, Options};

/// An item that says which input wrote it.
#[derive(Entity, Clone, Debug, PartialEq)]
struct Measurement {
    #[entity(partition)]
    sensor: u64,
    input: u64,
    text: String,
}

/// Every hundredth input writes the same item as the one before it.
fn measurement(input: u64) -> Measurement {
    let sensor = if input % 100 == 99 { input - 1 } else { input };
    Measurement { sensor, input, text: format!("input {input} of sensor {sensor}") }
}

/// The number of items that are read at a time.
const AT_A_TIME: u64 = 10_000;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> anyhow::Result<()> {
    let Some(options) = Options::from_args()? else {
        return Ok(write!(io::stdout(), "{HELP}")?);
    };
    let db = Database::memory()?;
    db.create_table::<Measurement>().await?;
    let log = FaultLog::default();
    let faulty = Faults::seeded(options.seed)
        .unprocessed(0.20)
        .throttle(0.05)
        .server_error(0.02)
        .cut_before(0.01)
        .cut_after(0.01)
        .log(&log)
        .on(&db);

    let (mut fates, stats) = save(&options, &faulty).await?;
    let stored = compare(&options, &db, &mut fates).await?;

    let mut out = io::stdout();
    write!(out, "{fates}")?;
    writeln!(out, "\nin the table  {}", HumanCount(stored))?;
    writeln!(out, "the batch     {stats}")?;
    writeln!(out, "the faults    {log}")?;

    let told = stats.items + stats.superseded + stats.failed;
    ensure!(told == options.count, "{told} of {} inputs have a fate", options.count);
    ensure!(stats.failed == fates.failed(), "{} failures were passed on", fates.failed());
    ensure!(fates.are_compatible(), "what the batch says is not what the table holds");
    Ok(())
}

/// Saves all items, and collects the failures.
async fn save(options: &Options, faulty: &Database) -> anyhow::Result<(Fates, Stats)> {
    let bar = bar(options, "saved")?;
    let mut fates = Fates::default();
    let retry = Retry::default().rounds(20).attempts(options.attempts).seed(options.seed);
    let stats = MeasurementRepo::batch_save_stream((0..options.count).map(measurement))
        .retry(retry)
        .on_progress(|progress| bar.set_position(progress.done + progress.failed))
        .on_failure(|failure| {
            let is_known = failure.reason.outcome_known();
            fates.fail(failure.entity.input, Failure { fate: failure.fate, is_known });
        })
        .on(faulty)
        .await?;
    bar.finish_and_clear();
    fates.succeed(&stats);
    Ok((fates, stats))
}

/// Reads all items without faults. Returns the number of stored ones.
async fn compare(options: &Options, db: &Database, fates: &mut Fates) -> anyhow::Result<u64> {
    let bar = bar(options, "compared")?;
    let mut stored = 0;
    for start in (0..options.count).step_by(AT_A_TIME as usize) {
        let inputs = start..options.count.min(start + AT_A_TIME);
        // A sensor has the number of the first input that writes it.
        let read = MeasurementRepo::batch_get(inputs.clone()).consistent().positional().on(db).await?;
        for (sensor, item) in inputs.clone().zip(read) {
            stored += u64::from(item.is_some());
            let writers = [sensor, sensor + 1].map(measurement).into_iter();
            let writers = writers.filter(|writer| writer.sensor == sensor && writer.input < options.count);
            fates.compare(&writers.collect::<Vec<_>>(), item.as_ref());
        }
        bar.set_position(inputs.end);
    }
    bar.finish_and_clear();
    let count = MeasurementRepo::count().on(db).await?;
    ensure!(count == stored, "the table holds {count} items, and {stored} of them were to be written");
    Ok(stored)
}

fn bar(options: &Options, what: &'static str) -> anyhow::Result<ProgressBar> {
    let style = ProgressStyle::with_template("{bar:40} {percent:>3} %  {human_pos} {msg}, {per_sec}, {eta}")?;
    Ok(ProgressBar::new(options.count).with_style(style).with_message(what))
}
