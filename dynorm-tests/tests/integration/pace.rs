//! How fast a batch goes: as fast as an idle table answers, and as slowly as a busy one takes. Time is paused.

use std::time::Duration;

use dynorm::prelude::*;
use dynorm::testing::{FaultLog, Faults};
use dynorm_tests::canned::{self, Answer};
use tokio::time::Instant;

#[derive(Entity, Clone, Debug, Default, PartialEq)]
struct Event {
    #[entity(partition)]
    number: u32,
    name: String,
}

fn events(count: u32) -> impl Iterator<Item = Event> {
    (0..count).map(|number| Event { number, name: format!("event {number}") })
}

/// A table without an engine: it takes everything at once.
fn sink() -> Database {
    canned::sink()
}

#[tokio::test(start_paused = true)]
async fn a_provisioned_table_is_used_up_and_not_run_against() {
    for (burst, delay) in [(1000, 5), (100, 5), (1000, 20), (1000, 1)] {
        let log = FaultLog::default();
        let faults = Faults::seeded(1).write_capacity(1000).burst(Duration::from_millis(burst));
        let db = faults.delay(Duration::from_millis(delay)).log(&log).on(&sink());
        let start = Instant::now();
        let stats = EventRepo::batch_save(events(20_000)).on(&db).await.unwrap();
        let took = start.elapsed().as_secs_f64();
        let at_least = (20_000.0 - burst as f64) / 1000.0;
        println!(
            "burst {burst} delay {delay}: took {took:.2} of {at_least}: {:.3}, sent {:.3}\n{log}\n{}",
            took / at_least,
            log.total().items_sent as f64 / 20_000.0,
            stats.stats()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_table_is_used_by_many_requests_at_a_time() {
    let db = Faults::seeded(1).delay(Duration::from_millis(5)).on(&sink());
    let start = Instant::now();
    let saved = EventRepo::batch_save(events(10_000)).on(&db).await.unwrap();
    let took = start.elapsed();
    println!("{took:?} {}", saved.stats());
}
