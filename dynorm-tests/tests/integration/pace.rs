//! The rate of a batch: as fast as an idle table answers, and as slow as the capacity of a busy one. Time is
//! paused.

use std::time::Duration;

use dynorm::Retry;
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

/// The same delays in every run.
fn steady() -> Retry {
    Retry::default().seed(1)
}

#[tokio::test(start_paused = true)]
async fn a_provisioned_table_is_used_up_and_not_run_against() {
    // Unused capacity of a second or a tenth, and round trips of 1 to 20 milliseconds.
    for (burst, delay) in [(1000, 5), (100, 5), (1000, 1), (100, 20)] {
        let log = FaultLog::default();
        let faults = Faults::seeded(1).write_capacity(1000).burst(Duration::from_millis(burst));
        let db = faults.delay(Duration::from_millis(delay)).log(&log).on(&canned::sink());
        let start = Instant::now();
        EventRepo::batch_save(events(20_000)).retry(steady()).on(&db).await.unwrap();
        let took = start.elapsed().as_secs_f64();
        let least = (20_000.0 - burst as f64) / 1000.0;
        let sent = log.total().items_sent as f64 / 20_000.0;
        let case = format!("a burst of {burst} ms, {delay} ms there and back");
        assert!(took < 1.05 * least, "{case}: it took {took:.2} s, and {least} s would do");
        assert!(sent < 1.2, "{case}: each item was sent {sent:.2} times");
    }
}

#[tokio::test(start_paused = true)]
async fn a_provisioned_table_is_read_at_its_pace_too() {
    let log = FaultLog::default();
    let db =
        Faults::seeded(1).read_capacity(500).delay(Duration::from_millis(5)).log(&log).on(&canned::sink());
    let start = Instant::now();
    EventRepo::batch_get(0..20_000u32).positional().retry(steady()).on(&db).await.unwrap();
    let took = start.elapsed().as_secs_f64();
    // Two of these keys take one unit, and 500 units are available at first.
    assert!((19.0..1.05 * 19.0).contains(&took), "{took}");
    assert!(log.total().items_sent < 24_000, "{log}");
}

#[tokio::test(start_paused = true)]
async fn an_idle_table_is_used_by_many_requests_at_a_time() {
    let took = async |concurrency: Option<usize>| {
        let db = Faults::seeded(1).delay(Duration::from_millis(5)).on(&canned::sink());
        let start = Instant::now();
        let save = EventRepo::batch_save(events(10_000)).on(&db);
        match concurrency {
            Some(requests) => save.concurrency(requests).await.unwrap(),
            None => save.await.unwrap(),
        };
        start.elapsed()
    };
    let (adaptive, one_by_one) = (took(None).await, took(Some(1)).await);
    assert!(adaptive * 10 < one_by_one, "{adaptive:?} {one_by_one:?}");
}

#[tokio::test(start_paused = true)]
async fn items_that_come_back_whatever_the_pace_do_not_slow_a_batch_down() {
    // Items come back unprocessed at random here, not for lack of capacity, so a lower rate would not help.
    let faults = Faults::seeded(1).unprocessed(0.2).throttle(0.05).server_error(0.02).cut_before(0.01);
    let db = faults.delay(Duration::from_millis(5)).on(&canned::sink());
    let start = Instant::now();
    let saved = EventRepo::batch_save(events(50_000)).retry(steady()).on(&db).await.unwrap();
    let took = start.elapsed();
    assert_eq!(saved.stats().items, 50_000);
    // One request after another would take 13 s.
    assert!(took < Duration::from_secs(3), "{took:?} {}", saved.stats());
}

#[tokio::test(start_paused = true)]
async fn a_table_that_has_capacity_again_is_used_again() {
    // The table is throttled for two seconds, then takes everything.
    let start = Instant::now();
    let busy = Faults::seeded(1).write_capacity(100).burst(Duration::from_millis(100)).on(&canned::sink());
    let (db, _) = canned::over(&busy, move |_| {
        let answer =
            if start.elapsed() < Duration::from_secs(2) { Answer::Engine } else { Answer::written() };
        answer.after(Duration::from_millis(5))
    });
    EventRepo::batch_save(events(20_000)).retry(steady()).on(&db).await.unwrap();
    let took = start.elapsed();
    assert!(took < Duration::from_secs(10), "{took:?}");
}
