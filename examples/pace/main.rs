//! Shows the rate of a batch, which follows what the table accepts. It saves thousands of items to tables
//! with different limits, prints a table, and draws a plot. Run it with `cargo run --example pace`; `--
//! --help` shows where the plot goes.
//!
//! Time is simulated: tokio's clock stops while the program works, and jumps ahead when it waits, so that a
//! minute takes a few seconds.

mod plot;
mod run;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use dynorm::testing::Faults;

use plot::{Line, Panel};
use run::{Batch, Run};

const HELP: &str = "\
Measures how fast batches go, in simulated time, and draws a plot of it.

Usage: cargo run --example pace -- [OPTIONS]

Options:
      --file PATH  Where the plot goes, an SVG [default: pace.svg]
  -h, --help       Print this
";

/// The duration of every request.
const ROUND_TRIP: Duration = Duration::from_millis(5);

/// The default limit of requests in flight of a batch.
const MOST_REQUESTS: u32 = 32;

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> ExitCode {
    match show().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn show() -> anyhow::Result<()> {
    let Some(file) = file_from_args()? else {
        return Ok(write!(io::stdout(), "{HELP}")?);
    };
    let runs = Runs::measure().await?;
    runs.draw(&file)?;
    let mut out = io::stdout();
    write!(out, "{}", run::table(&runs.all()))?;
    Ok(writeln!(out, "\nthe plot is in {}", file.display())?)
}

/// The file for the plot; `None` for `--help`.
fn file_from_args() -> anyhow::Result<Option<PathBuf>> {
    use lexopt::prelude::*;
    let mut file = PathBuf::from("pace.svg");
    let mut args = lexopt::Parser::from_env();
    while let Some(arg) = args.next()? {
        match arg {
            Long("file") => file = args.value()?.into(),
            Long("help") | Short('h') => return Ok(None),
            other => bail!("{}; see --help", other.unexpected()),
        }
    }
    Ok(Some(file))
}

struct Runs {
    provisioned: Run,
    capped: Run,
    idle: Run,
    one_by_one: Run,
    hot: Run,
}

impl Runs {
    async fn measure() -> anyhow::Result<Self> {
        let table = || Faults::seeded(1).delay(ROUND_TRIP);
        // The table starts with the capacity of a tenth of a second, and then has only what flows in.
        let provisioned = Batch {
            name: "a table of 1,000 units a second",
            items: 20_000,
            faults: table().write_capacity(1_000).burst(Duration::from_millis(100)),
            at_least: Duration::from_secs_f64((20_000.0 - 100.0) / 1_000.0),
            ..Batch::default()
        };
        // No request has to wait for the capacity of the last one.
        let capped = Batch {
            name: "at most 500 units a second",
            items: 10_000,
            faults: table(),
            units_per_second: Some(500),
            at_least: Duration::from_secs_f64((10_000.0 - 25.0) / 500.0) + ROUND_TRIP,
            ..Batch::default()
        };
        let requests = 10_000 / 25;
        let idle = Batch {
            name: "an idle table",
            items: 10_000,
            faults: table(),
            at_least: ROUND_TRIP * u32::div_ceil(requests, MOST_REQUESTS),
            ..Batch::default()
        };
        let one_by_one = Batch {
            name: "the same, one request after another",
            concurrency: Some(1),
            at_least: ROUND_TRIP * requests,
            ..idle.clone()
        };
        let hot = Batch { name: "a hot range of keys", faults: table().hot_key_range(0.1), ..idle.clone() };
        Ok(Self {
            provisioned: provisioned.save().await?,
            capped: capped.save().await?,
            idle: idle.save().await?,
            one_by_one: one_by_one.save().await?,
            hot: hot.save().await?,
        })
    }

    fn all(&self) -> [&Run; 5] {
        [&self.provisioned, &self.capped, &self.idle, &self.one_by_one, &self.hot]
    }

    fn draw(&self, file: &Path) -> anyhow::Result<()> {
        let interval = Duration::from_millis(250);
        let throughput = |run: &Run, limit: f64, limit_name| Panel {
            left: "items a second",
            top: 2.2 * limit,
            lines: vec![
                Line::filled("items a second", run.throughput(interval)),
                Line::dashed(limit_name, vec![(0.0, limit), (run.took.as_secs_f64(), limit)]),
            ],
            waits: run.waits(interval),
            ..Panel::default()
        };
        let progress = |runs: &[(&'static str, &Run)]| Panel {
            left: "items done",
            top: 11_000.0,
            lines: runs.iter().map(|(name, run)| Line::solid(name, run.done())).collect(),
            ..Panel::default()
        };
        let panels = [
            Panel {
                title: "20,000 items onto a table of 1,000 write units a second",
                ..throughput(&self.provisioned, 1_000.0, "what the table takes")
            },
            Panel {
                title: "10,000 items, .max_units_per_second(500)",
                ..throughput(&self.capped, 500.0, "what the caller permits")
            },
            Panel {
                title: "10,000 items onto an idle table, 5 ms a request",
                ..progress(&[
                    ("as many requests as it answers", &self.idle),
                    ("one after another, .concurrency(1)", &self.one_by_one),
                ])
            },
            Panel {
                title: "The same, and a tenth of the requests meets a hot range of keys",
                ..progress(&[("no hot range", &self.idle), ("a hot range", &self.hot)])
            },
        ];
        plot::draw(file, "How fast a batch goes", &panels)
    }
}
