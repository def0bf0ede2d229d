//! What a retry policy means in time: for how long an operation does not give up, and when it has. Time is
//! paused.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use dynorm::prelude::*;
use dynorm::testing::Faults;
use dynorm::{Error, Fate, Retry};
use dynorm_tests::canned::{self, Answer};
use serde_json::json;
use tokio::time::Instant;

#[derive(Entity, Clone, Debug, Default, PartialEq)]
struct Part {
    #[entity(partition)]
    number: u32,
}

#[derive(Entity, Clone, Debug, Default, PartialEq)]
struct Member {
    #[entity(partition)]
    number: u32,
    #[entity(unique)]
    name: String,
}

fn parts(count: u32) -> impl Iterator<Item = Part> {
    (0..count).map(|number| Part { number })
}

/// The time that the docs of `Retry` state for a batch on a table that takes nothing, with a little for the
/// ticks of the clock.
fn stated(items: u32) -> std::ops::RangeInclusive<Duration> {
    Duration::from_millis(525)..=Duration::from_millis(if items <= 25 { 1_060 } else { 2_110 })
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_brings_nothing_gives_up_within_the_stated_time_whatever_its_size() {
    for seed in 0..50 {
        for count in [1, 2, 25, 26, 100, 1_000] {
            let (db, _) = canned::database(|_| Answer::throttled());
            let start = Instant::now();
            let retry = Retry::default().seed(seed);
            let error = PartRepo::batch_save(parts(count)).retry(retry).on(&db).await.unwrap_err();
            let took = start.elapsed();
            assert!(stated(count).contains(&took), "{count} items, seed {seed}: {took:?}");
            assert!(error.is_throttled());
            assert!(error.fates().all(|fate| matches!(fate, Fate::Unprocessed | Fate::NotSent)));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_of_one_outlasts_a_table_that_is_throttled_for_half_a_second() {
    for seed in 0..50 {
        let start = Instant::now();
        let (db, _) = canned::database(move |_| {
            if start.elapsed() < Duration::from_millis(500) { Answer::throttled() } else { Answer::written() }
        });
        let retry = Retry::default().seed(seed);
        PartRepo::batch_save(parts(1)).retry(retry).on(&db).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn rounds_say_how_often_and_delays_how_long() {
    for (rounds, least, most) in [(0, 0, 1), (1, 25, 51), (2, 125, 252), (8, 12_125, 24_260)] {
        for seed in 0..20 {
            let (db, requests) = canned::database(|_| Answer::throttled());
            let start = Instant::now();
            let retry = Retry::default().rounds(rounds).seed(seed);
            PartRepo::batch_save(parts(1)).retry(retry).on(&db).await.unwrap_err();
            assert_eq!(requests.len(), 1 + rounds as usize);
            let took = start.elapsed().as_millis();
            assert!((least..=most).contains(&took), "{rounds} rounds: {took} ms");
        }
    }
}

async fn members() -> Database {
    let db = Database::memory().unwrap();
    db.create_table::<Member>().await.unwrap();
    MemberRepo::save(Member { number: 1, name: "first".into() }).on(&db).await.unwrap();
    db
}

/// The claims are those of the one item that there is.
async fn assert_claims(db: &Database) {
    let member = MemberRepo::get(1).consistent().on(db).await.unwrap();
    let table = format!("{}-unique", db.table_name::<Member>());
    let claims = db.client().scan().table_name(table).consistent_read(true).send().await.unwrap();
    let claims: Vec<_> = claims.items().iter().map(|item| item["claim"].as_s().unwrap()).collect();
    assert_eq!(claims, [&format!("name#{}", member.name)]);
}

#[tokio::test(start_paused = true)]
async fn two_hundred_changes_of_one_unique_value_all_succeed() {
    for kind in ["update", "save", "batch", "exactly once"] {
        let db = members().await;
        let slow = Faults::seeded(1).delay(Duration::from_millis(5)).on(&db);
        let start = Instant::now();
        let tasks: Vec<_> = (0..200)
            .map(|task| {
                let db = slow.clone();
                tokio::spawn(async move {
                    let (number, name) = (1, format!("name {task}"));
                    let member = Member { number, name: name.clone() };
                    match kind {
                        "update" => MemberRepo::update(1).set(Member::NAME, name).on(&db).await.map(drop),
                        "save" => MemberRepo::save(member).on(&db).await.map(drop),
                        "batch" => {
                            MemberRepo::batch_save([member]).on(&db).await.map(drop).map_err(Error::from)
                        }
                        _ => {
                            let update = MemberRepo::update(1).set(Member::NAME, name).returning_nothing();
                            update.exactly_once().on(&db).await
                        }
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap_or_else(|error| panic!("{kind}: {error}"));
        }
        let took = start.elapsed();
        assert!(took < Duration::from_secs(30), "{kind}: {took:?}");
        assert_claims(&db).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_unique_value_that_others_never_leave_alone_is_given_up_after_the_stated_time() {
    let changes = AtomicU32::new(0);
    let (db, _) = canned::database(move |request| {
        let change = changes.fetch_add(1, Ordering::Relaxed);
        let item = json!({ "number": { "N": "1" }, "name": { "S": format!("name {change}") } });
        match request.target.as_str() {
            "GetItem" => Answer::ok(json!({ "Item": item }).to_string()),
            _ => {
                let failed = json!({ "Code": "ConditionalCheckFailed", "Message": "failed", "Item": item });
                let none = json!({ "Code": "None" });
                let reasons = json!([failed, none, none]);
                let error = json!({
                    "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
                    "Message": "cancelled",
                    "CancellationReasons": reasons,
                });
                Answer::Json(400, error.to_string()).after(Duration::from_millis(5))
            }
        }
    });
    let start = Instant::now();
    let error = MemberRepo::update(1).set(Member::NAME, "mine").on(&db).await.unwrap_err();
    assert!(matches!(error, Error::Conflict(_)) && error.is_retryable(), "{error}");
    let took = start.elapsed();
    assert!((Duration::from_secs(30)..Duration::from_secs(32)).contains(&took), "{took:?}");
}
