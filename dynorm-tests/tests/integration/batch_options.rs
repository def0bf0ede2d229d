//! The options of a batch, and its progress reports. Time is paused.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dynorm::prelude::*;
use dynorm::testing::{Fault, FaultLog, Faults};
use dynorm::{Duplicates, Error, Fate, Retry, Stats};
use dynorm_tests::canned::{self, Answer};
use dynorm_tests::database;
use tokio::time::Instant;
use tracing::field::{Field, Visit};

#[derive(Entity, Clone, Debug, Default, PartialEq)]
struct Reading {
    #[entity(partition)]
    sensor: u32,
    value: String,
}

fn reading(sensor: u32, value: &str) -> Reading {
    Reading { sensor, value: value.to_owned() }
}

fn readings(count: u32) -> impl Iterator<Item = Reading> {
    (0..count).map(|sensor| reading(sensor, "x"))
}

async fn engine() -> Database {
    let db = database();
    db.create_table::<Reading>().await.unwrap();
    db
}

/// A database whose answers take 10 ms, and the largest number of requests in flight.
fn slow() -> (Database, Arc<AtomicUsize>) {
    let most = Arc::new(AtomicUsize::new(0));
    let (seen, starts) = (most.clone(), Mutex::new(Vec::<Instant>::new()));
    let delay = Duration::from_millis(10);
    let (db, _) = canned::database(move |_| {
        let mut starts = starts.lock().unwrap();
        let now = Instant::now();
        starts.retain(|start| now < *start + delay);
        starts.push(now);
        seen.fetch_max(starts.len(), Ordering::Relaxed);
        Answer::written().after(delay)
    });
    (db, most)
}

#[tokio::test(start_paused = true)]
async fn the_number_of_requests_under_way_is_fixed_or_grows_up_to_a_bound() {
    for (requests, expected) in [(1, 1), (0, 1), (3, 3), (100, 40)] {
        let (db, most) = slow();
        ReadingRepo::batch_save(readings(1000)).concurrency(requests).on(&db).await.unwrap();
        assert_eq!(most.load(Ordering::Relaxed), expected);
    }
    let (db, most) = slow();
    ReadingRepo::batch_save(readings(100)).on(&db).await.unwrap();
    assert_eq!(most.load(Ordering::Relaxed), 4);
    ReadingRepo::batch_save(readings(10_000)).on(&db).await.unwrap();
    assert_eq!(most.load(Ordering::Relaxed), 32);
}

#[tokio::test(start_paused = true)]
async fn no_more_units_a_second_than_the_caller_permits() {
    let db = Faults::seeded(1).delay(Duration::from_millis(5)).on(&canned::sink());
    let start = Instant::now();
    ReadingRepo::batch_save(readings(5_000)).max_units_per_second(500).on(&db).await.unwrap();
    let took = start.elapsed().as_secs_f64();
    assert!((9.7..10.2).contains(&took), "{took}");

    // The capacity consumed by indexes counts too, as soon as an answer reports it.
    let answer =
        r#"{"UnprocessedItems":{},"ConsumedCapacity":[{"TableName":"readings","CapacityUnits":75}]}"#;
    let (db, _) = canned::database(move |_| Answer::ok(answer).after(Duration::from_millis(5)));
    let start = Instant::now();
    let saved = ReadingRepo::batch_save(readings(1_000)).max_units_per_second(500).on(&db).await.unwrap();
    let took = start.elapsed().as_secs_f64();
    assert!((5.5..6.2).contains(&took), "{took}");
    assert_eq!(saved.stats().consumed_capacity, 3_000.0);
}

#[tokio::test(start_paused = true)]
async fn a_hot_range_of_keys_does_not_slow_the_rest() {
    // One key of fifty is in a range that is throttled for 20 seconds.
    let start = Instant::now();
    let (db, requests) = canned::database(move |request| {
        let puts = request.body["RequestItems"]["readings"].as_array().unwrap();
        let is_hot = |put: &&serde_json::Value| {
            let sensor = put["PutRequest"]["Item"]["sensor"]["N"].as_str().unwrap();
            start.elapsed() < Duration::from_secs(20) && sensor.parse::<u32>().unwrap() % 50 == 0
        };
        let hot: Vec<_> = puts.iter().filter(is_hot).collect();
        let delay = Duration::from_millis(5);
        if hot.len() == puts.len() {
            let reason = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"hot",
                "throttlingReasons":[{"reason":"TableWriteKeyRangeThroughputExceeded","resource":"readings"}]}"#;
            return Answer::Json(400, reason.to_owned()).after(delay);
        }
        Answer::ok(serde_json::json!({ "UnprocessedItems": { "readings": hot } }).to_string()).after(delay)
    });
    let mut rest_done = None;
    let retry = Retry::default().rounds(60).seed(1);
    let saved = ReadingRepo::batch_save(readings(10_000)).retry(retry).on(&db).on_progress(|progress| {
        if progress.done >= 9_800 {
            rest_done.get_or_insert(start.elapsed());
        }
    });
    assert_eq!(saved.await.unwrap().stats().items, 10_000);
    let rest_done = rest_done.unwrap();
    assert!(rest_done < Duration::from_millis(200), "{rest_done:?}");
    // The hot keys are not sent too often meanwhile.
    let seconds = start.elapsed().as_secs();
    assert!(seconds < 30, "{seconds}");
    assert!(requests.len() < 1_000, "{}", requests.len());
}

#[tokio::test(start_paused = true)]
async fn a_deadline_ends_the_whole() {
    let retry = Retry::default().deadline(Duration::from_secs(3));
    // Nothing is answered: inputs in flight are unknown, and the rest is not sent.
    let (db, _) = canned::database(|_| Answer::Never);
    let start = Instant::now();
    let save = ReadingRepo::batch_save(readings(300)).concurrency(2).retry(retry).on(&db);
    let error = save.await.unwrap_err();
    assert_eq!(start.elapsed().as_secs(), 3);
    let mut fates: HashMap<Fate, usize> = HashMap::new();
    error.fates().for_each(|fate| *fates.entry(fate).or_default() += 1);
    assert_eq!(fates, HashMap::from([(Fate::Unknown, 50), (Fate::NotSent, 250)]));
    assert!(!error.outcome_known());
    let reason = &error.failures()[0].reason;
    assert!(matches!(**reason, Error::Timeout(_)));
    let text = "saving `Reading` in the table `readings`: no answer came in time: the deadline of the \
        batch, 3s, has passed";
    assert!(reason.to_string().starts_with("writing") || reason.to_string() == text, "{reason}");

    // Everything is throttled, which is the last cause.
    let (db, _) = canned::database(|_| Answer::throttled());
    let error = ReadingRepo::batch_save(readings(3)).retry(retry.rounds(u32::MAX)).on(&db).await.unwrap_err();
    assert!(error.fates().all(|fate| fate == Fate::Unprocessed));
    assert!(error.is_throttled());

    // The deadline passes even if the table answers all the time.
    let db = Faults::seeded(1).delay(Duration::from_millis(1)).on(&canned::sink());
    let start = Instant::now();
    let error =
        ReadingRepo::batch_save(readings(100_000)).concurrency(1).retry(retry).on(&db).await.unwrap_err();
    assert_eq!(start.elapsed().as_secs(), 3);
    assert!(error.stats().items > 10_000);

    // An unanswered read is not unknown, since it changes nothing.
    let (db, _) = canned::database(|_| Answer::Never);
    let error = ReadingRepo::batch_get(0..3u32).retry(retry).on(&db).await.unwrap_err();
    assert!(error.fates().all(|fate| fate == Fate::Unprocessed));
}

#[tokio::test(start_paused = true)]
async fn an_item_is_not_sent_for_ever() {
    let (db, requests) = canned::database(|request| {
        let puts = request.body["RequestItems"]["readings"].as_array().unwrap();
        let back: Vec<_> =
            puts.iter().filter(|put| put["PutRequest"]["Item"]["sensor"]["N"] == "7").collect();
        Answer::ok(serde_json::json!({ "UnprocessedItems": { "readings": back } }).to_string())
    });
    let retry = Retry::default().attempts(5).rounds(100);
    let error = ReadingRepo::batch_save(readings(20)).retry(retry).on(&db).await.unwrap_err();
    assert_eq!(error.failures().len(), 1);
    assert_eq!((error.failures()[0].index, error.failures()[0].fate), (7, Fate::Unprocessed));
    assert_eq!(requests.len(), 5);
}

#[tokio::test]
async fn of_several_inputs_with_one_key_the_caller_says_which_counts() {
    let db = engine().await;
    let inputs = [reading(1, "a"), reading(2, "b"), reading(1, "c"), reading(1, "d")];
    let stored = async || ReadingRepo::get(1).consistent().on(&db).await.unwrap().value;

    let saved = ReadingRepo::batch_save(&inputs).on(&db).await.unwrap();
    assert_eq!(stored().await, "d");
    let by = |by| Fate::Superseded { by };
    assert_eq!(saved.stats().fates().collect::<Vec<_>>(), [by(3), Fate::Done, by(3), Fate::Done]);
    assert_eq!((saved.stats().items, saved.stats().superseded), (2, 2));

    let saved = ReadingRepo::batch_save(&inputs).duplicates(Duplicates::FirstWins).on(&db).await.unwrap();
    assert_eq!(stored().await, "a");
    assert_eq!(saved.stats().fates().collect::<Vec<_>>(), [Fate::Done, Fate::Done, by(0), by(0)]);

    let refuse = ReadingRepo::batch_save(&inputs).duplicates(Duplicates::Refuse);
    let error = refuse.on(&db).await.unwrap_err();
    let fates: Vec<Fate> = error.fates().collect();
    assert_eq!(fates, [Fate::Done, Fate::Done, Fate::Rejected, Fate::Rejected]);
    assert_eq!(
        error.failures()[1].reason.to_string(),
        format!(
            "`Reading` in the table `{}` cannot be stored: input #0 of the same batch has the same key",
            db.table_name::<Reading>()
        )
    );
    assert_eq!(error.stats().failed, 2);
}

#[tokio::test]
async fn what_exists_is_not_created_again() {
    let db = engine().await;
    ReadingRepo::batch_save((0..5).map(|sensor| reading(sensor, "old"))).on(&db).await.unwrap();
    let error =
        ReadingRepo::batch_create((0..50).map(|sensor| reading(sensor, "new"))).on(&db).await.unwrap_err();
    assert_eq!(error.failures().len(), 5);
    for (index, failure) in error.failures().iter().enumerate() {
        assert_eq!((failure.index, failure.fate), (index, Fate::Rejected));
        assert!(failure.reason.is_condition_failed() && failure.reason.outcome_known());
    }
    let text = format!(
        "creating `Reading` in the table `{}`: an item with this key exists, and nothing was changed",
        db.table_name::<Reading>()
    );
    assert_eq!(error.failures()[0].reason.to_string(), text);
    assert_eq!(error.stats().requests, 50);
    let values: Vec<String> = ReadingRepo::batch_get(0..50u32)
        .consistent()
        .on(&db)
        .await
        .unwrap()
        .into_iter()
        .map(|reading| reading.value)
        .collect();
    assert_eq!(values, [vec!["old"; 5], vec!["new"; 45]].concat());
    assert!(error.retry().await.is_err());
}

#[tokio::test]
async fn a_creation_whose_answer_was_lost_may_be_its_own_obstacle() {
    let db = engine().await;
    let faulty = Faults::scripted([Fault::CutAfter]).on(&db);
    let error = ReadingRepo::batch_create([reading(1, "new")]).on(&faulty).await.unwrap_err();
    let failure = &error.failures()[0];
    // The item exists, and may be ours or another writer's.
    assert_eq!(failure.fate, Fate::Unknown);
    assert!(failure.reason.is_condition_failed());
    assert!(!error.outcome_known());
}

#[tokio::test]
async fn a_read_goes_on_where_it_failed() {
    let db = engine().await;
    let saved = ReadingRepo::batch_save(readings(150)).on(&db).await.unwrap();
    let faulty = Faults::scripted([Fault::None, Fault::Throttle]).on(&db);
    let keys: Vec<u32> = (0..160).collect();
    let retry = Retry::default().rounds(0);
    let error = ReadingRepo::batch_get(&keys).concurrency(1).retry(retry).on(&faulty).await.unwrap_err();
    assert_eq!(error.failures().len(), 60);
    assert_eq!(error.failures()[0].index, 100);
    assert_eq!(error.found().iter().flatten().count(), 100);
    let found = error.retry().await.unwrap();
    assert_eq!(found, saved);
    assert_eq!((found.stats().items, found.stats().requests, found.stats().failed), (160, 3, 0));
}

#[tokio::test]
async fn a_batch_says_what_it_took() {
    let db = engine().await;
    let saved = ReadingRepo::batch_save(readings(60)).on(&db).await.unwrap();
    let stats = saved.stats();
    assert_eq!((stats.items, stats.requests, stats.retries, stats.failed), (60, 3, 0, 0));
    assert_eq!(stats.consumed_capacity, 60.0);
    assert!(stats.bytes > 60 * 40, "{}", stats.bytes);
    assert!(stats.to_string().contains("60 items in 3 requests"), "{stats}");
    assert!(stats.to_string().contains("60 capacity units"), "{stats}");
    let read = ReadingRepo::batch_get(0..60u32).on(&db).await.unwrap();
    assert_eq!(read.stats().consumed_capacity, 30.0);
    let stats: Stats = ReadingRepo::batch_delete(0..60u32).on(&db).await.unwrap();
    assert_eq!(stats.fates().collect::<Vec<_>>(), [Fate::Done; 60]);
}

#[tokio::test(start_paused = true)]
async fn progress_is_told_and_a_callback_that_panics_does_no_harm() {
    let (db, _) = slow();
    let mut seen = Vec::new();
    ReadingRepo::batch_save(readings(60))
        .on(&db)
        .on_progress(|p| seen.push((p.done, p.total)))
        .await
        .unwrap();
    assert_eq!(seen.last(), Some(&(60, Some(60))));
    assert!(seen.is_sorted() && seen.len() >= 3);

    let mut calls = 0;
    let mut save = ReadingRepo::batch_save(readings(60)).on(&db);
    let progress = save.progress();
    let saved = save.on_progress(|_| {
        calls += 1;
        panic!("the callback's own affair");
    });
    assert_eq!(saved.await.unwrap().stats().items, 60);
    assert_eq!(calls, 1);
    assert_eq!((progress.get().done, progress.get().checkpoint), (60, 60));
    assert_eq!(progress.get().to_string(), "60 of 60 done");
}

#[tokio::test(start_paused = true)]
async fn waits_repeat_with_a_seed() {
    let run = async |seed| {
        let log = FaultLog::default();
        let db = Faults::seeded(7).throttle(0.4).unprocessed(0.4).log(&log).on(&canned::sink());
        let start = Instant::now();
        let retry = Retry::default().seed(seed).rounds(20);
        ReadingRepo::batch_save(readings(200)).retry(retry).concurrency(1).on(&db).await.unwrap();
        (start.elapsed(), log.total())
    };
    assert_eq!(run(1).await, run(1).await);
    assert_ne!(run(1).await, run(2).await);
}

/// Records the fields of the events of the target `dynorm`, for each thread that asks for it. It is global,
/// since tracing forgets subscribers that come and go while other threads meet an event for the first time.
struct Events;

thread_local! {
    static EVENTS: RefCell<Option<Vec<HashMap<String, String>>>> = const { RefCell::new(None) };
}

impl tracing::Subscriber for Events {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target() == "dynorm"
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        EVENTS.with_borrow_mut(|events| {
            if let Some(events) = events {
                let mut fields = Fields::default();
                event.record(&mut fields);
                events.push(fields.0);
            }
        });
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

#[derive(Default)]
struct Fields(HashMap<String, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }
}

#[tokio::test]
async fn each_request_is_an_event_with_the_field_names_of_opentelemetry() {
    let db = engine().await;
    let table = db.table_name::<Reading>();
    let faulty = Faults::scripted([Fault::None, Fault::Throttle]).on(&db);
    tracing::subscriber::set_global_default(Events).unwrap();
    EVENTS.set(Some(Vec::new()));
    ReadingRepo::batch_save(readings(30)).concurrency(1).on(&faulty).await.unwrap();
    ReadingRepo::find(3).on(&faulty).await.unwrap();
    let events = EVENTS.take().unwrap();
    let field = |event: usize, name: &str| events[event].get(name).map_or("", String::as_str);
    assert_eq!(events.len(), 4);
    assert_eq!(field(0, "message"), "DynamoDB.BatchWriteItem");
    assert_eq!(field(0, "db.system.name"), "aws.dynamodb");
    assert_eq!(field(0, "db.operation.name"), "BatchWriteItem");
    assert_eq!(field(0, "db.operation.batch.size"), "25");
    assert_eq!(field(0, "db.collection.name"), table);
    assert_eq!(field(0, "aws.dynamodb.table_names"), format!("[{table:?}]"));
    assert!(field(0, "aws.dynamodb.consumed_capacity").contains("25"), "{:?}", events[0]);
    assert!(!field(0, "aws.request_id").is_empty(), "{:?}", events[0]);
    assert!(field(0, "db.client.operation.duration").parse::<f64>().is_ok());
    assert_eq!(field(1, "error.type"), "ProvisionedThroughputExceededException");
    assert_eq!(field(1, "db.response.status_code"), "400");
    assert_eq!((field(2, "db.operation.batch.size"), field(2, "error.type")), ("5", ""));
    assert_eq!((field(3, "db.operation.name"), field(3, "db.operation.batch.size")), ("GetItem", ""));
    // None of them contains attribute values.
    assert!(events.iter().flat_map(HashMap::values).all(|text| !text.contains("\"value\"")));
}

/// Several of these items are in one partition.
#[derive(Entity, Clone, Debug, PartialEq)]
struct Chapter {
    #[entity(partition)]
    book: String,
    #[entity(sort)]
    number: u32,
    text: String,
}

/// The answer to a `BatchWriteItem`, which refuses items as `refuses` says.
fn write_unless(refuses: impl Fn(&serde_json::Value) -> bool, request: &canned::Recorded) -> Answer {
    let puts = request.body["RequestItems"]["readings"].as_array().unwrap();
    if puts.iter().any(|put| refuses(&put["PutRequest"]["Item"])) {
        return Answer::error(400, "ValidationException", "no");
    }
    Answer::written()
}

#[tokio::test(start_paused = true)]
async fn a_fixed_number_of_requests_is_under_way_again_after_trouble() {
    let (db, _) = canned::database(|request| {
        let answer = if request.number < 16 { Answer::throttled() } else { Answer::written() };
        answer.after(Duration::from_millis(5))
    });
    let start = Instant::now();
    ReadingRepo::batch_save(readings(10_000)).concurrency(16).on(&db).await.unwrap();
    // 25 round trips are enough.
    assert!(start.elapsed() < Duration::from_millis(400), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_items_of_one_partition_come_a_megabyte_at_a_time() {
    let chapters: Vec<Chapter> =
        (0..100).map(|number| Chapter { book: "a".to_owned(), number, text: "x".repeat(349_000) }).collect();
    let stored = chapters.clone();
    let (db, requests) = canned::database(move |request| {
        let keys = request.body["RequestItems"]["chapters"]["Keys"].as_array().unwrap();
        let number = |key: &serde_json::Value| key["number"]["N"].as_str().unwrap().parse::<usize>().unwrap();
        let found: Vec<_> = keys.iter().take(3).map(|key| {
            let chapter = &stored[number(key)];
            serde_json::json!({ "book": {"S": "a"}, "number": key["number"], "text": {"S": chapter.text} })
        }).collect();
        let back = keys.get(3..).unwrap_or_default();
        let back = if back.is_empty() {
            serde_json::json!({})
        } else {
            serde_json::json!({ "chapters": { "Keys": back } })
        };
        Answer::ok(
            serde_json::json!({ "Responses": { "chapters": found }, "UnprocessedKeys": back }).to_string(),
        )
        .after(Duration::from_millis(10))
    });
    let start = Instant::now();
    // None of them is a failed attempt.
    let retry = Retry::default().rounds(0);
    let keys = (0..100u32).map(|number| ("a", number));
    let found = ChapterRepo::batch_get(keys).retry(retry).on(&db).await.unwrap();
    assert_eq!(found, chapters);
    assert_eq!(requests.len(), 34);
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn bad_items_at_the_front_do_not_keep_the_good_ones_from_being_written() {
    let (db, requests) =
        canned::database(|request| write_unless(|item| item["value"]["S"] == "bad", request));
    let readings = (0..1000).map(|sensor| reading(sensor, if sensor < 40 { "bad" } else { "good" }));
    let error = ReadingRepo::batch_save(readings).concurrency(1).on(&db).await.unwrap_err();
    assert_eq!(error.failures().len(), 40);
    assert!(error.failures().iter().all(|failure| failure.fate == Fate::Rejected && failure.index < 40));
    assert_eq!(error.stats().items, 960);
    assert!(requests.len() < 140, "{}", requests.len());
}

#[tokio::test]
async fn what_was_refused_as_a_duplicate_is_not_written_by_a_retry() {
    let db = engine().await;
    let inputs = [reading(1, "first"), reading(2, "b"), reading(1, "second")];
    let save = ReadingRepo::batch_save(&inputs).duplicates(Duplicates::Refuse);
    let error = save.on(&db).await.unwrap_err().retry().await.unwrap_err();
    assert_eq!(error.fates().collect::<Vec<_>>(), [Fate::Done, Fate::Done, Fate::Rejected]);
    assert_eq!(ReadingRepo::get(1).consistent().on(&db).await.unwrap().value, "first");
}

#[tokio::test(start_paused = true)]
async fn one_slow_request_does_not_hold_up_the_others() {
    let (db, _) = canned::database(|request| match request.number {
        0 => Answer::written().after(Duration::from_secs(60)),
        1..4 => {
            let puts = request.body["RequestItems"]["readings"].as_array().unwrap();
            Answer::ok(serde_json::json!({ "UnprocessedItems": { "readings": [puts[0]] } }).to_string())
        }
        _ => Answer::written(),
    });
    let retry = Retry::default().deadline(Duration::from_secs(20));
    let error = ReadingRepo::batch_save(readings(100)).retry(retry).on(&db).await.unwrap_err();
    assert_eq!(error.stats().items, 75);
    assert!(error.failures().iter().all(|failure| failure.fate == Fate::Unknown && failure.index < 25));
    assert!(error.failures().iter().all(|failure| !failure.reason.outcome_known()));
}

#[tokio::test(start_paused = true)]
async fn the_last_cause_counts() {
    let (db, _) = canned::database(|request| match request.number {
        0 => Answer::throttled(),
        _ => Answer::error(400, "ResourceNotFoundException", "gone"),
    });
    let error = ReadingRepo::batch_save(readings(3)).on(&db).await.unwrap_err();
    assert!(matches!(*error.failures()[0].reason, Error::TableNotFound(_)), "{error:?}");
    assert!(!error.is_retryable());
}

#[tokio::test(start_paused = true)]
async fn throttling_by_what_stands_in_front_of_the_server_is_throttling() {
    let (db, requests) = canned::database(|request| match request.number {
        0 => Answer::Json(429, "slow down".to_owned()),
        _ => Answer::written(),
    });
    ReadingRepo::batch_save(readings(25)).on(&db).await.unwrap();
    assert_eq!(requests.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_number_of_requests_is_that_of_all_tables_together() {
    #[derive(Entity, Clone, Debug)]
    struct Alarm {
        #[entity(partition)]
        number: u32,
    }
    let (db, most) = slow();
    let alarms: Vec<Alarm> = (0..500).map(|number| Alarm { number }).collect();
    dynorm::batch().save(readings(500)).save(&alarms).concurrency(3).on(&db).await.unwrap();
    assert_eq!(most.load(Ordering::Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn an_error_counts_its_items_by_fate() {
    let (db, _) = canned::database(|request| match request.number {
        0 => Answer::Cut,
        1 => Answer::throttled(),
        _ => Answer::Refused,
    });
    let retry = Retry::default().rounds(0);
    let error = ReadingRepo::batch_save(readings(60)).concurrency(1).retry(retry).on(&db).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "saving `Reading` in the table `readings`: 60 of 60 items are not done: 25 unknown, 25 unprocessed, 10 not sent; \
         the first is #0 (unknown) with sensor = 0"
    );
}
