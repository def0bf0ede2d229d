//! Reads that end early and continue from a cursor: scans in segments, and merged partitions. Every item
//! comes exactly once, despite failures, and no more is read than allowed.

use std::collections::BTreeMap;
use std::time::Duration;

use dynorm::prelude::*;
use dynorm::testing::{Fault, FaultLog, Faults};
use dynorm::{Cursor, Query, Repository};
use dynorm_tests::{Engine, database};
use futures_util::TryStreamExt;
use tokio::time::Instant;

/// More than are read in parallel.
const HALLS: u32 = 12;

#[derive(Entity, Clone, Debug, Default, PartialEq)]
struct Crate {
    #[entity(partition)]
    number: u32,
    #[entity(index = "by_hall")]
    hall: u8,
    #[entity(index("by_hall", sort))]
    weight: u32,
    note: String,
}

fn all_of(count: u32, note: usize) -> Vec<Crate> {
    let one = |number| Crate {
        number,
        hall: u8::try_from(number % HALLS).unwrap(),
        weight: number * 7 % 31,
        note: "n".repeat(note),
    };
    (0..count).map(one).collect()
}

async fn stored(crates: &[Crate]) -> Database {
    let db = database();
    db.create_table::<Crate>().await.unwrap();
    CrateRepo::batch_save(crates).on(&db).await.unwrap();
    db
}

/// Reads from the cursor to the end, and retries each page until it succeeds. Returns how often each item
/// came, and the number of failures.
async fn rest(
    query: impl Fn() -> Query<Crate>,
    size: usize,
    mut cursor: Option<Cursor>,
    counts: &mut BTreeMap<u32, u32>,
) -> u32 {
    let (mut failed, mut rounds) = (0, 0);
    while let Some(from) = cursor.clone() {
        rounds += 1;
        assert!(rounds < 2000, "the cursor does not move");
        match query().page(size).after(from).await {
            Ok(page) => {
                page.items.iter().for_each(|item| *counts.entry(item.number).or_default() += 1);
                cursor = page.next.map(|next| next.to_string().parse().unwrap());
            }
            Err(error) => {
                assert!(error.is_retryable(), "{error}");
                failed += 1;
            }
        }
    }
    failed
}

fn each_once(crates: &[Crate], counts: &BTreeMap<u32, u32>, what: &str) {
    assert!(counts.values().all(|count| *count == 1), "{what}: {counts:?}");
    assert_eq!(counts.len(), crates.len(), "{what}");
}

#[tokio::test]
async fn a_scan_in_segments_goes_on_where_it_was_stopped() {
    let crates = all_of(60, 10);
    let db = stored(&crates).await;
    for segments in [1, 2, 3, 7, 16] {
        for most in [1, 5, 20, 59] {
            let what = format!("{segments} segments, {most} at most");
            let query = || CrateRepo::scan().segments(segments).max_evaluated(most).on(&db);
            let first = query().get_all().await.unwrap();
            assert!(first.scanned() <= most, "{what}: {}", first.scanned());
            // All items that were read, and paid for, are returned.
            assert_eq!(first.len() as u64, first.scanned(), "{what}");
            let mut counts: BTreeMap<u32, u32> = first.iter().map(|item| (item.number, 1)).collect();
            assert!(first.next().is_some(), "{what}");
            rest(query, 1000, first.next().cloned(), &mut counts).await;
            each_once(&crates, &counts, &what);
        }
    }
}

#[tokio::test]
async fn nothing_is_lost_or_given_twice_when_requests_fail_in_between() {
    let crates = all_of(60, 10);
    let db = stored(&crates).await;
    let mut failures = 0;
    // The SDK's delays between retries are long.
    let seeds = if Engine::of_this_run() == Engine::Endpoint { 0..1 } else { 0..4 };
    for seed in seeds {
        for (segments, size, most) in [(4, 1000, 12), (4, 7, 30), (9, 3, 40), (2, 10, 10)] {
            let faulty = Faults::seeded(seed).throttle(0.1).server_error(0.1).cut_after(0.1).on(&db);
            let query = || CrateRepo::scan().segments(segments).max_evaluated(most).on(&faulty);
            let first = loop {
                if let Ok(first) = query().page(size).await {
                    break first;
                }
            };
            let mut counts: BTreeMap<u32, u32> = first.items.iter().map(|item| (item.number, 1)).collect();
            failures += rest(query, size, first.next, &mut counts).await;
            each_once(&crates, &counts, &format!("seed {seed}, {segments} segments, {size} of {most}"));
        }
    }
    // At an endpoint the SDK itself retries, mostly with success.
    assert!(failures > 0 || Engine::of_this_run() == Engine::Endpoint);
}

#[tokio::test]
async fn a_filter_that_leaves_much_out_moves_the_cursor_all_the_same() {
    let crates = all_of(60, 10);
    let db = stored(&crates).await;
    let query = || CrateRepo::scan().segments(3).filter(Crate::HALL.eq(2)).max_evaluated(4).on(&db);
    let first = query().get_all().await.unwrap();
    let mut counts: BTreeMap<u32, u32> = first.iter().map(|item| (item.number, 1)).collect();
    rest(query, 1000, first.next().cloned(), &mut counts).await;
    let expected: Vec<Crate> = crates.into_iter().filter(|item| item.hall == 2).collect();
    each_once(&expected, &counts, "filtered");
}

#[tokio::test]
async fn partitions_that_are_merged_go_on_in_order() {
    let crates = all_of(60, 10);
    let db = stored(&crates).await;
    for most in [12, 13, 23, 40] {
        let query = || CrateRepo::filter(Crate::HALL.is_in(0..12)).max_evaluated(most).on(&db);
        let (mut found, mut cursor, mut rounds) = (Vec::new(), None::<Cursor>, 0);
        loop {
            rounds += 1;
            assert!(rounds < 200, "the cursor does not move, {most} at most");
            let page = query().page(1000).after(cursor).await.unwrap();
            assert!(page.items.scanned() <= most);
            found.extend(page.items.into_iter().map(|item| item.weight));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(found.len(), crates.len(), "{most}");
        assert!(found.is_sorted(), "{most}: {found:?}");
    }
}

#[tokio::test]
async fn partitions_that_are_merged_need_an_item_each() {
    let db = Database::local("http://127.0.0.1:1");
    let query = CrateRepo::filter(Crate::HALL.is_in([0, 1, 2])).max_evaluated(2);
    let error = query.get_all().on(&db).await.unwrap_err();
    let why = "`max_evaluated(2)` is less than the 3 partitions that are merged, each of which needs at \
        least one item: use at least 3";
    assert!(error.to_string().ends_with(why), "{error}");
}

/// On tokio's clock, with requests of one second.
#[tokio::test(start_paused = true)]
async fn segments_are_read_side_by_side_to_their_end() {
    if Engine::of_this_run() == Engine::Endpoint {
        return; // A paused clock does not wait for a network.
    }
    // 60 × 150 KB: each of the four segments has several pages of 1 MB.
    let crates = all_of(60, 150_000);
    let db = stored(&crates).await;
    let log = FaultLog::default();
    let slow = Faults::default().delay(Duration::from_secs(1)).log(&log).on(&db);
    let start = Instant::now();
    let found = CrateRepo::scan().segments(4).get_all().on(&slow).await.unwrap();
    assert_eq!(found.len(), 60);
    let (requests, seconds) = (log.total().requests, start.elapsed().as_secs());
    assert!(requests >= 9, "{requests}");
    assert!(seconds <= 5, "{requests} requests took {seconds} rounds");

    let start = Instant::now();
    let streamed: Vec<Crate> = CrateRepo::scan().segments(4).on(&slow).stream().try_collect().await.unwrap();
    assert_eq!(streamed.len(), 60);
    assert!(start.elapsed().as_secs() <= 5, "{:?}", start.elapsed());

    let start = Instant::now();
    assert_eq!(CrateRepo::scan().segments(4).count().on(&slow).await.unwrap(), 60);
    assert!(start.elapsed().as_secs() <= 5, "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_stream_that_is_bounded_gives_what_was_read() {
    let crates = all_of(60, 10);
    let db = stored(&crates).await;
    let query = || CrateRepo::scan().segments(5).max_evaluated(20).on(&db);
    let streamed: Vec<Crate> = query().stream().try_collect().await.unwrap();
    assert_eq!(streamed.len(), query().get_all().await.unwrap().len());
    assert_eq!(streamed.len(), 20);
}

#[tokio::test]
async fn a_failed_stream_ends_and_a_page_begins_again() {
    let crates = all_of(60, 10);
    let db = stored(&crates).await;
    // As many as the SDK's attempts.
    let throttled = [Fault::Throttle; 9];
    let faulty = Faults::scripted([Fault::None, Fault::None].into_iter().chain(throttled)).on(&db);
    let mut streamed = CrateRepo::scan().segments(3).on(&faulty).stream();
    let error = streamed.try_next().await.unwrap_err();
    assert!(error.is_throttled(), "{error}");
    assert_eq!(streamed.try_next().await.unwrap(), None);
    let page = CrateRepo::scan().segments(3).on(&db).page(100).await.unwrap();
    assert_eq!((page.items.len(), page.next), (60, None));
}
