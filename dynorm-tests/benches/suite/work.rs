//! Measurements without a network: cases, each done in several ways, with three figures: instructions, time
//! and allocations.

use std::fmt::Debug;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tokio::runtime::Runtime;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<std::alloc::System> = &INSTRUMENTED_SYSTEM;

/// A piece of work, done in several ways.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    /// The number of items in a round.
    pub(crate) items: u64,
    /// The number of rounds for a repeatable count of instructions.
    pub(crate) rounds: u64,
    pub(crate) ways: Vec<Way>,
}

/// A way of doing the work.
#[derive(Debug)]
pub(crate) struct Way {
    pub(crate) name: &'static str,
    pub(crate) prepare: Prepare,
    /// Work to subtract, such as a request without an item.
    pub(crate) without: Option<Prepare>,
}

/// Prepares a round of the work.
pub(crate) type Prepare = fn() -> Round;

/// Does one round.
pub(crate) type Round = Box<dyn FnMut(&Runtime)>;

impl Way {
    pub(crate) fn new(name: &'static str, prepare: Prepare) -> Self {
        Self { name, prepare, without: None }
    }

    pub(crate) fn without(self, without: Prepare) -> Self {
        Self { without: Some(without), ..self }
    }
}

/// The runtime of all parts: one thread, and timers, which batches need.
pub(crate) fn runtime() -> anyhow::Result<Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// True if instructions can be counted.
pub(crate) fn has_valgrind() -> bool {
    Command::new("valgrind").arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Instructions per item: the difference between a long and a short run, without the start-up.
pub(crate) fn instructions(part: &str, case: &Case, way: &Way) -> anyhow::Result<f64> {
    let count = |kind: &str| {
        let run = |rounds: u64| counted_run(part, &case.name, way.name, kind, rounds);
        // In parallel, since a count does not depend on the load.
        let (short, long) = std::thread::scope(|scope| {
            let long = scope.spawn(|| run(case.rounds / 4 + case.rounds));
            (run(case.rounds / 4), long.join())
        });
        let long = long.map_err(|_| anyhow!("the run panicked"))??;
        anyhow::Ok(long as f64 - short? as f64)
    };
    let mut total = 0.0;
    // A difference of large counts needs several runs, since the hash maps of each process have their own
    // seed.
    let turns = if way.without.is_some() { 3 } else { 1 };
    for _ in 0..turns {
        total += count("whole")?;
        if way.without.is_some() {
            total -= count("without")?;
        }
    }
    Ok(total / (turns * case.rounds * case.items) as f64)
}

/// Runs this program again under cachegrind, which counts instructions.
fn counted_run(part: &str, case: &str, way: &str, kind: &str, rounds: u64) -> anyhow::Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"])
        .arg(std::env::current_exe()?)
        .args(["--rounds", part, case, way, kind, &rounds.to_string()])
        .output()
        .context("valgrind cannot be run; install it, e.g. `apt-get install valgrind`")?;
    let report = String::from_utf8_lossy(&output.stderr);
    let count = report.lines().find_map(|line| line.split_once("refs:")).map(|(_, count)| count.trim());
    match count.and_then(|count| count.replace(',', "").parse().ok()) {
        Some(count) if output.status.success() => Ok(count),
        _ => bail!("{case}, {way}: the run failed:\n{report}"),
    }
}

/// The child process of [`counted_run`].
pub(crate) fn run_rounds(cases: &[Case], arguments: &[String]) -> anyhow::Result<()> {
    let [case, way, kind, rounds] = arguments else { bail!("which rounds?") };
    let case = cases.iter().find(|known| known.name == *case).context("there is no such case")?;
    let way = case.ways.iter().find(|known| known.name == way).context("there is no such way")?;
    let prepare = if kind == "without" { way.without.context("nothing to take off")? } else { way.prepare };
    let (runtime, mut round) = (runtime()?, prepare());
    for _ in 0..rounds.parse()? {
        round(&runtime);
    }
    Ok(())
}

/// Allocations per item after a warm-up, including reallocations.
pub(crate) fn allocations(case: &Case, way: &Way) -> anyhow::Result<f64> {
    const ROUNDS: u64 = 16;
    let runtime = runtime()?;
    let count = |prepare: Prepare| {
        let mut round = prepare();
        (0..4).for_each(|_| round(&runtime));
        let region = Region::new(ALLOCATOR);
        (0..ROUNDS).for_each(|_| round(&runtime));
        let change = region.change();
        (change.allocations + change.reallocations) as f64
    };
    let total = count(way.prepare) - way.without.map_or(0.0, count);
    Ok(total / (ROUNDS * case.items) as f64)
}

/// The allocations of this process so far.
pub(crate) fn allocations_so_far() -> f64 {
    let stats = ALLOCATOR.stats();
    (stats.allocations + stats.reallocations) as f64
}

/// The allocations of one call.
pub(crate) fn allocations_of<T>(work: impl FnOnce() -> T) -> f64 {
    let region = Region::new(ALLOCATOR);
    let result = work();
    let change = region.change();
    drop(result);
    (change.allocations + change.reallocations) as f64
}

/// Nanoseconds per item: the fastest of many short samples, which is the least disturbed one.
pub(crate) fn nanoseconds(case: &Case, way: &Way) -> anyhow::Result<f64> {
    let runtime = runtime()?;
    let mut rounds = vec![(way.prepare)()];
    rounds.extend(way.without.map(|prepare| prepare()));
    let mut fastest = vec![f64::INFINITY; rounds.len()];
    // In turns, so that disturbances affect both.
    let end = Instant::now() + Duration::from_millis(400);
    while Instant::now() < end {
        for (round, fastest) in rounds.iter_mut().zip(&mut fastest) {
            *fastest = fastest.min(sample(&runtime, round));
        }
    }
    let total = fastest[0] - fastest.get(1).copied().unwrap_or_default();
    Ok(total / case.items as f64)
}

/// Nanoseconds per round, measured over rounds of half a millisecond in total.
fn sample(runtime: &Runtime, round: &mut Round) -> f64 {
    let start = Instant::now();
    let mut rounds = 0;
    loop {
        round(runtime);
        rounds += 1;
        let elapsed = start.elapsed();
        if elapsed > Duration::from_micros(500) {
            return elapsed.as_nanos() as f64 / f64::from(rounds);
        }
    }
}
