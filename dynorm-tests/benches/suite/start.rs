//! The time from the start of a process to its first saved item, and the size of the program: two small
//! programs in their own package, which gives them the features of a user.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::ensure;

use crate::peers::build;
use crate::process::Server;
use crate::results::{Row, workspace};
use crate::{DYNORM, SDK};

const RUNS: usize = 40;

pub(crate) fn measure() -> anyhow::Result<Vec<Row>> {
    let server = Server::start("delay", 0)?;
    // With the versions of the workspace.
    let package = "dynorm-tests/start";
    std::fs::copy(workspace().join("Cargo.lock"), workspace().join(package).join("Cargo.lock"))?;
    let programs = build(package)?;
    let mut rows = Vec::new();
    for (way, program) in [(DYNORM, "start-dynorm"), (SDK, "start-sdk")] {
        let program = programs.join(program);
        let size = std::fs::metadata(&program)?.len() as f64 / 1e6;
        let mut times = Vec::new();
        for _ in 0..RUNS {
            times.push(run(&program, &server.endpoint)?);
        }
        times.sort();
        let median = times[RUNS / 2].as_secs_f64() * 1e3;
        rows.push(Row::new("one item saved", way).with("milliseconds", median).with("size", size));
    }
    Ok(rows)
}

fn run(program: &Path, endpoint: &str) -> anyhow::Result<Duration> {
    let start = Instant::now();
    // Both ask the SDK for credentials, region and endpoint.
    let status = Command::new(program)
        .envs([("AWS_ENDPOINT_URL", endpoint), ("AWS_REGION", "us-east-1")])
        .envs([("AWS_ACCESS_KEY_ID", "AKIDSTART"), ("AWS_SECRET_ACCESS_KEY", "secret")])
        .status()?;
    ensure!(status.success(), "{} failed", program.display());
    Ok(start.elapsed())
}
