//! Properties of all values: they are read back unchanged, the SDK reads the same item, and no answer of a
//! server makes dynorm panic or hang.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    reason = "helpers of tests fail with the test"
)]

mod edges;
mod hostile;
mod ids;
mod keys;
mod numbers;
mod packing;
mod paths;
mod roundtrip;
mod sample;
mod sdk;
mod update;
mod wire;

use proptest::test_runner::Config;

/// The number of cases, and no files beside the sources: a failure prints its smallest input, for a test of
/// its own.
fn cases(cases: u32) -> Config {
    Config { cases, failure_persistence: None, max_shrink_iters: 2000, ..Config::default() }
}

/// Runs a future to its end, on a clock that skips every wait.
fn run<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.unwrap().block_on(future)
}
