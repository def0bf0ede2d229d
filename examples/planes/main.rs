//! Imports a file of aircraft, then changes some of them, deletes others and counts the rest. Run it with
//! `cargo run --example planes`; `-- --help` shows how to use another file or database.

mod file;
mod options;
mod report;

use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use dynorm::prelude::*;
use dynorm::{Fate, Stats};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;
use tokio::sync::mpsc;

use file::{PlaneFile, Rows};
use options::{HELP, Options};
use report::{Report, thousands};

/// An aircraft: an item of the table `planes` and, through serde, a row of the file.
#[derive(Entity, Deserialize, Clone, Debug, PartialEq)]
struct Plane {
    #[entity(partition)]
    tailnum: String,
    year: Option<u16>,
    #[entity(rename = "type")]
    #[serde(rename = "type")]
    kind: String,
    #[entity(index = "by_manufacturer")]
    manufacturer: String,
    model: String,
    engines: u8,
    seats: u16,
    speed: Option<u16>,
    engine: Engine,
    #[entity(created_at)]
    #[serde(skip)]
    created_at: Timestamp,
    #[entity(updated_at)]
    #[serde(skip)]
    updated_at: Timestamp,
}

/// Stored as `turbo_fan`, `turbo_jet`, …; the file spells them differently.
#[derive(Attribute, Deserialize, Clone, Copy, Debug, PartialEq)]
enum Engine {
    #[serde(rename = "Turbo-fan")]
    TurboFan,
    #[serde(rename = "Turbo-jet")]
    TurboJet,
    #[serde(rename = "Turbo-prop")]
    TurboProp,
    #[serde(rename = "Turbo-shaft")]
    TurboShaft,
    Reciprocating,
    #[serde(rename = "4 Cycle")]
    FourCycle,
}

/// Your own operations stand beside the generated ones.
impl PlaneRepo {
    /// Assigns all planes of one manufacturer to another.
    async fn rename_manufacturer(from: &str, to: &str) -> dynorm::Result<Collection<Plane>> {
        let mut planes = Self::by_manufacturer(from).get_all().await?;
        for plane in &mut planes {
            plane.manufacturer = to.to_owned();
        }
        Ok(Self::batch_save(planes).await?)
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}"); // with `#`, the whole chain of causes in one line
            ExitCode::FAILURE
        }
    }
}

async fn run() -> anyhow::Result<()> {
    let Some(options) = Options::from_args()? else {
        return Ok(write!(io::stdout(), "{HELP}")?);
    };
    let file = PlaneFile::open(&options.file)?;
    let db = options.database().await?;
    db.create_table::<Plane>().await?;
    db.install(); // from here on, every `PlaneRepo::…` uses it

    let mut report = import(file).await?;

    // On AWS, an index lags behind its table, so a query of it may miss what was saved just now.
    let renamed = PlaneRepo::rename_manufacturer("AIRBUS INDUSTRIE", "AIRBUS").await?;
    report.batch("AIRBUS INDUSTRIE renamed to AIRBUS", renamed.stats());

    let old = PlaneRepo::by_manufacturer("BOEING").filter(Plane::YEAR.lt(1985)).get_all().await?;
    let deleted = PlaneRepo::batch_delete_entities(&old).await?;
    report.batch("BOEING of before 1985 deleted", &deleted);

    report.number("in the table now", PlaneRepo::count().await?);

    Ok(write!(io::stdout(), "{report}")?)
}

/// Saves every plane of the file, and reads it back.
async fn import(file: PlaneFile) -> anyhow::Result<Report> {
    let bar = ProgressBar::new(file.bytes)
        .with_style(ProgressStyle::with_template("{bar:40} {percent:>3} %  {msg}")?);
    let (mut written, mut read, mut malformed) = (Stats::default(), Stats::default(), 0);

    // The file is read on its own thread, at most two batches ahead of the database, so that files of any
    // size take the same memory.
    let (sender, mut batches) = mpsc::channel(2);
    let reader = tokio::task::spawn_blocking(move || file.read(&sender));
    while let Some(mut rows) = batches.recv().await {
        let so_far = written.items;
        let saved = save(&mut rows, &mut written)
            .await
            .with_context(|| format!("the import ends after {so_far} planes"))?;

        let stored = PlaneRepo::batch_get(saved.iter().map(|plane| &plane.tailnum))
            .consistent()
            .await
            .context("cannot read back what was saved")?;
        ensure!(stored == saved, "what was read back differs from what was saved");
        read += stored.stats();

        malformed += rows.malformed.len();
        bar.suspend(|| {
            for (line, why) in &rows.malformed {
                eprintln!("line {line} is left out: {why}");
            }
        });
        bar.set_message(format!("{} planes", thousands(written.items)));
        bar.inc(rows.bytes);
    }
    bar.finish_and_clear();
    reader.await??;

    ensure!(written.items > 0, "nothing was imported: there is not one good row in the file");
    let mut report = Report::default();
    report.batch("saved", &written);
    report.batch("read back, and equal", &read);
    report.number("malformed and left out", malformed as u64);
    Ok(report)
}

/// Saves some rows. Planes that DynamoDB rejects, such as one without a tail number, are counted as
/// malformed.
async fn save(rows: &mut Rows, written: &mut Stats) -> anyhow::Result<Collection<Plane>> {
    let error = match PlaneRepo::batch_save(&rows.planes).await {
        Ok(saved) => {
            *written += saved.stats();
            return Ok(saved);
        }
        Err(error) => error,
    };
    // The error of a batch has the fate of every plane. A rejected plane is an error in the file; anything
    // else, such as an unreachable database, is not.
    if error.failures().iter().any(|failure| failure.fate != Fate::Rejected) {
        return Err(error.into());
    }
    for failure in error.failures() {
        let reason = anyhow::Error::new(failure.reason.clone());
        rows.malformed.push((rows.lines[failure.index], format!("{reason:#}")));
    }
    rows.malformed.sort();
    *written += error.stats();
    Ok(error.into_saved())
}
