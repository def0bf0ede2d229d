//! The fault kit: the effect of each fault on the SDK and on dynorm. Requests that it lets through are
//! executed, and no others.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::get_item::GetItemError;
use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, KeysAndAttributes, PutRequest, WriteRequest};
use dynorm::prelude::*;
use dynorm::testing::{Fault, FaultLog, Faults};
use dynorm::{Error, Fate, Retry};
use dynorm_tests::database;

#[derive(Entity, Clone, Debug, Default, PartialEq)]
struct Part {
    #[entity(partition)]
    number: u32,
    name: String,
}

#[derive(Entity, Clone, Debug, Default, PartialEq)]
struct Bin {
    #[entity(partition)]
    number: u32,
}

fn part(number: u32) -> Part {
    Part { number, name: format!("part {number}") }
}

/// The tables on the engine of this run, without the SDK's retries, which would hide single faults.
async fn engine() -> Database {
    let db = database();
    let prefix = db.table_name::<Part>().strip_suffix("parts").unwrap().to_owned();
    let config = db.client().config().to_builder().retry_config(RetryConfig::disabled()).build();
    tables(Database::new(Client::from_conf(config)).with_table_prefix(prefix)).await
}

/// The tables on the embedded engine, for tests of time: tokio does not advance a paused clock while the
/// engine works.
async fn embedded() -> Database {
    tables(Database::memory().unwrap()).await
}

async fn tables(db: Database) -> Database {
    db.create_table::<Part>().await.unwrap();
    db.create_table::<Bin>().await.unwrap();
    db
}

async fn numbers(db: &Database) -> HashSet<u32> {
    PartRepo::all().on(db).await.unwrap().iter().map(|part| part.number).collect()
}

fn n(number: u32) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn put(number: u32) -> WriteRequest {
    let name = AttributeValue::S("a \"name\" ]} \u{1}".into());
    let put = PutRequest::builder().item("number", n(number)).item("name", name).build().unwrap();
    WriteRequest::builder().put_request(put).build()
}

fn delete(number: u32) -> WriteRequest {
    WriteRequest::builder()
        .delete_request(DeleteRequest::builder().key("number", n(number)).build().unwrap())
        .build()
}

#[tokio::test]
async fn the_sdk_sees_each_fault_as_it_would_see_it_of_dynamodb() {
    let db = engine().await;
    let table = db.table_name::<Part>();
    let send = async |fault: Fault, number: u32| {
        let faulty = Faults::scripted([fault]).on(&db);
        let name = AttributeValue::S("x".into());
        let put = faulty.client().put_item().table_name(&table).item("number", n(number)).item("name", name);
        let seen = match put.send().await {
            Ok(_) => "ok".to_owned(),
            Err(SdkError::ServiceError(error)) => {
                let status = error.raw().status().as_u16();
                format!("{status} {}", error.err().code().unwrap_or_default())
            }
            Err(SdkError::DispatchFailure(failure)) if failure.is_io() => "io".to_owned(),
            Err(other) => panic!("{other:?}"),
        };
        (seen, PartRepo::find(number).on(&db).await.unwrap().is_some())
    };
    let seen = |text: &str, executed| (text.to_owned(), executed);
    assert_eq!(send(Fault::None, 1).await, seen("ok", true));
    assert_eq!(send(Fault::Delay(Duration::from_millis(1)), 2).await, seen("ok", true));
    assert_eq!(send(Fault::Unprocessed(1), 3).await, seen("ok", true));
    assert_eq!(send(Fault::Throttle, 4).await, seen("400 ProvisionedThroughputExceededException", false));
    assert_eq!(send(Fault::HotKeyRange, 5).await, seen("400 ThrottlingException", false));
    assert_eq!(send(Fault::ServerError, 6).await, seen("500 InternalServerError", false));
    assert_eq!(send(Fault::Refused, 7).await, seen("io", false));
    assert_eq!(send(Fault::CutBefore, 8).await, seen("io", false));
    assert_eq!(send(Fault::CutAfter, 9).await, seen("io", true));
}

#[tokio::test]
async fn the_reasons_of_throttling_are_modelled() {
    let db = engine().await;
    let faulty = Faults::scripted([Fault::Throttle, Fault::HotKeyRange]).on(&db);
    let table = db.table_name::<Part>();
    let get = || faulty.client().get_item().table_name(&table).key("number", n(1)).send();
    let GetItemError::ProvisionedThroughputExceededException(error) =
        get().await.unwrap_err().into_service_error()
    else {
        panic!("not modelled")
    };
    let reason = &error.throttling_reasons()[0];
    assert_eq!(reason.reason(), Some("TableReadProvisionedThroughputExceeded"));
    assert!(reason.resource().unwrap().ends_with(&format!("table/{table}")));
    let GetItemError::ThrottlingException(error) = get().await.unwrap_err().into_service_error() else {
        panic!("not modelled")
    };
    assert_eq!(error.throttling_reasons()[0].reason(), Some("TableReadKeyRangeThroughputExceeded"));
}

#[tokio::test]
async fn dynorm_tells_them_apart() {
    let db = engine().await;
    let save = async |fault: Fault| {
        // Several times, since some operations repeat requests.
        let faulty = Faults::scripted([fault; 20]).on(&db);
        PartRepo::save(part(1)).on(&faulty).await.unwrap_err()
    };
    for (fault, throttled, known) in [
        (Fault::Throttle, true, true),
        (Fault::HotKeyRange, true, true),
        // This answer does not tell whether the write was applied.
        (Fault::ServerError, false, false),
        (Fault::Refused, false, true),
        (Fault::CutBefore, false, false),
        (Fault::CutAfter, false, false),
    ] {
        let error = save(fault).await;
        assert_eq!((error.is_throttled(), error.outcome_known()), (throttled, known), "{fault:?}: {error}");
        assert!(error.is_retryable(), "{fault:?}: {error}");
    }
    assert!(matches!(save(Fault::ServerError).await, Error::Server(_)));
    assert!(matches!(save(Fault::Refused).await, Error::Unreachable(_)));
}

#[tokio::test]
async fn unprocessed_writes_are_really_not_executed() {
    let db = engine().await;
    PartRepo::batch_save((100..110).map(part)).on(&db).await.unwrap();
    let (parts, bins) = (db.table_name::<Part>(), db.table_name::<Bin>());
    for (seed, count) in [(1, 1), (2, 7), (3, 24), (4, 0)] {
        let log = FaultLog::default();
        let faulty = Faults::seeded(seed).script([Fault::Unprocessed(count)]).log(&log).on(&db);
        let base = u32::try_from(seed).unwrap() * 1000;
        let first: Vec<WriteRequest> = (base..base + 15).map(put).chain([delete(100)]).collect();
        let second: Vec<WriteRequest> = (base..base + 9).map(put).collect();
        let asked = HashMap::from([(parts.clone(), first), (bins.clone(), second)]);
        let answer =
            faulty.client().batch_write_item().set_request_items(Some(asked.clone())).send().await.unwrap();
        let back = answer.unprocessed_items().cloned().unwrap_or_default();
        assert_eq!(back.values().map(Vec::len).sum::<usize>(), count);
        assert!(back.values().all(|writes| !writes.is_empty()));

        for (table, writes) in &asked {
            for write in writes {
                let Some(put) = write.put_request() else { continue };
                let handed_back = back.get(table).is_some_and(|writes| writes.contains(write));
                let key = put.item()["number"].clone();
                let found = db.client().get_item().table_name(table).key("number", key).send().await.unwrap();
                assert_eq!(found.item().cloned(), (!handed_back).then(|| put.item().clone()));
            }
        }
        let tally = log.of("BatchWriteItem");
        let count = u64::try_from(count).unwrap();
        assert_eq!(
            (tally.items_sent, tally.items_executed, tally.items_unprocessed),
            (25, 25 - count, count)
        );
        assert_eq!((tally.requests, tally.executed), (1, 1));
        assert_eq!(tally.partly_unprocessed, u64::from(count > 0));
    }
}

#[tokio::test]
async fn unprocessed_keys_come_back_with_what_was_asked_of_them() {
    let db = engine().await;
    PartRepo::batch_save((0..20).map(part)).on(&db).await.unwrap();
    let table = db.table_name::<Part>();
    let faulty = Faults::seeded(5).script([Fault::Unprocessed(8)]).on(&db);
    let asked = (0..20).fold(KeysAndAttributes::builder(), |keys, number| {
        keys.keys(HashMap::from([("number".to_owned(), n(number))]))
    });
    let asked = asked
        .consistent_read(true)
        .projection_expression("#n")
        .expression_attribute_names("#n", "number")
        .build()
        .unwrap();
    let answer = faulty.client().batch_get_item().request_items(&table, asked.clone()).send().await.unwrap();
    let found = &answer.responses().unwrap()[&table];
    let back = &answer.unprocessed_keys().unwrap()[&table];
    assert_eq!((found.len(), back.keys().len()), (12, 8));
    assert!(found.iter().all(|item| item.len() == 1 && !back.keys().contains(item)));
    assert_eq!(back.consistent_read(), Some(true));
    assert_eq!(back.projection_expression(), asked.projection_expression());
    assert_eq!(back.expression_attribute_names(), asked.expression_attribute_names());
}

#[tokio::test]
async fn a_batch_that_would_come_back_as_a_whole_is_throttled() {
    let db = engine().await;
    let log = FaultLog::default();
    let faulty = Faults::scripted([Fault::Unprocessed(3), Fault::Unprocessed(9)]).log(&log).on(&db);
    let table = db.table_name::<Part>();
    for _ in 0..2 {
        let request = faulty.client().batch_write_item().request_items(&table, (0..3).map(put).collect());
        let error = request.send().await.unwrap_err().into_service_error();
        assert!(error.is_provisioned_throughput_exceeded_exception());
    }
    assert!(numbers(&db).await.is_empty());
    assert_eq!((log.total().throttled, log.total().executed), (2, 0));
}

#[tokio::test]
async fn what_dynamodb_would_refuse_is_not_made_smaller() {
    let db = engine().await;
    let faulty = Faults::seeded(1).unprocessed(0.9).on(&db);
    let request = faulty.client().batch_write_item();
    let request = request.request_items(db.table_name::<Part>(), (0..26).map(put).collect());
    let error = request.send().await.unwrap_err().into_service_error();
    assert_eq!(error.code(), Some("ValidationException"));
}

#[tokio::test]
async fn a_lost_answer_of_a_batch_is_unknown_and_a_throttled_one_is_not() {
    let db = engine().await;
    let fates = async |fault: Fault| {
        let faulty = Faults::scripted([fault]).on(&db);
        let save = PartRepo::batch_save((0..3).map(part)).retry(Retry::default().rounds(0)).on(&faulty);
        let error = save.await.unwrap_err();
        let fates: Vec<Fate> = error.fates().collect();
        (fates, error.failures()[0].reason.outcome_known())
    };
    assert_eq!(fates(Fault::CutAfter).await, (vec![Fate::Unknown; 3], false));
    assert_eq!(numbers(&db).await.len(), 3);
    assert_eq!(fates(Fault::Throttle).await, (vec![Fate::Unprocessed; 3], true));
}

fn handed_back(writes: Option<&Vec<WriteRequest>>) -> Vec<AttributeValue> {
    let puts = writes.into_iter().flatten().filter_map(WriteRequest::put_request);
    puts.map(|put| put.item()["number"].clone()).collect()
}

/// The results of 60 single requests and 20 batches in sequence.
async fn outcomes(faults: Faults, db: &Database) -> Vec<String> {
    let faulty = faults.on(db);
    let table = db.table_name::<Part>();
    let mut outcomes = Vec::new();
    for number in 0..60 {
        let answer = faulty.client().get_item().table_name(&table).key("number", n(number)).send().await;
        outcomes.push(answer.map_or_else(|error| format!("{:?}", error.code()), |_| "ok".into()));
    }
    for _ in 0..20 {
        let request = faulty.client().batch_write_item().request_items(&table, (0..25).map(put).collect());
        let answer = request.send().await;
        outcomes.push(answer.map_or_else(
            |error| format!("{:?}", error.code()),
            |answer| {
                format!("{:?}", handed_back(answer.unprocessed_items().and_then(|items| items.get(&table))))
            },
        ));
    }
    outcomes
}

#[tokio::test]
async fn the_same_seed_gives_the_same_faults() {
    let db = engine().await;
    let faults = |seed| {
        let faults = Faults::seeded(seed).throttle(0.2).server_error(0.1).cut_before(0.1).cut_after(0.1);
        faults.unprocessed(0.3)
    };
    let first = outcomes(faults(1), &db).await;
    assert_eq!(outcomes(faults(1), &db).await, first);
    assert_ne!(outcomes(faults(2), &db).await, first);
}

#[tokio::test]
async fn a_script_is_followed_exactly_and_then_chance_decides() {
    let db = engine().await;
    let log = FaultLog::default();
    let script = [Fault::None, Fault::Throttle, Fault::None];
    let faulty = Faults::seeded(1).server_error(1.0).script(script).log(&log).on(&db);
    let mut seen = Vec::new();
    for number in 0..5 {
        let put = faulty.client().put_item().table_name(db.table_name::<Part>()).item("number", n(number));
        seen.push(put.send().await.err().and_then(|error| error.code().map(str::to_owned)));
    }
    let seen: Vec<&str> = seen.iter().map(|code| code.as_deref().unwrap_or("ok")).collect();
    let throttled = "ProvisionedThroughputExceededException";
    assert_eq!(seen, ["ok", throttled, "ok", "InternalServerError", "InternalServerError"]);
    assert_eq!(
        log.to_string(),
        "PutItem: 5 requests, 2 executed, 1 throttled, 2 failed with status 500; 5 items sent, 2 executed"
    );
    log.clear();
    assert_eq!(log.to_string(), "no requests");
}

#[tokio::test]
async fn operations_on_tables_and_those_not_named_pass() {
    let db = database();
    let log = FaultLog::default();
    let faults = Faults::seeded(1).throttle(1.0).log(&log);
    let db = tables(faults.on(&db)).await;
    assert_eq!(log.total().requests, 0);
    // Added to the other faults, which stay.
    assert!(BinRepo::save(Bin { number: 1 }).on(&db).await.unwrap_err().is_throttled());

    let db = engine().await;
    let faulty = Faults::seeded(1).throttle(1.0).only(["GetItem"]).on(&db);
    PartRepo::save(part(1)).on(&faulty).await.unwrap();
    assert!(PartRepo::find(1).on(&faulty).await.unwrap_err().is_throttled());
}

#[tokio::test]
async fn the_faulty_database_is_the_same_database() {
    let db = Database::memory().unwrap().with_table_prefix("test-");
    let faulty = Faults::default().on(&db);
    assert_eq!(faulty.table_name::<Part>(), "test-parts");
    let broken = Faults::default().on(&Database::local("not a URL"));
    assert!(matches!(PartRepo::find(1).on(&broken).await, Err(Error::Configuration(_))));
}

#[tokio::test(start_paused = true)]
async fn a_delay_takes_the_time_of_tokio() {
    let db = embedded().await;
    let find = async |faults: Faults| {
        let faulty = faults.on(&db);
        let start = tokio::time::Instant::now();
        PartRepo::find(1).on(&faulty).await.unwrap();
        start.elapsed()
    };
    let hour = Duration::from_secs(3600);
    assert_eq!(find(Faults::default()).await, Duration::ZERO);
    assert_eq!(find(Faults::default().delay(hour)).await, hour);
    assert_eq!(find(Faults::scripted([Fault::Delay(hour)]).delay(hour)).await, 2 * hour);
    let mut different = HashSet::new();
    for seed in 0..10 {
        let took = find(Faults::seeded(seed).delay_between(hour, 2 * hour)).await;
        assert!(hour <= took && took <= 2 * hour);
        different.insert(took);
    }
    assert!(different.len() > 5);
}

#[tokio::test(start_paused = true)]
async fn a_write_capacity_is_a_token_bucket_for_each_table() {
    let db = embedded().await;
    let log = FaultLog::default();
    let faulty = Faults::default().write_capacity(10).log(&log).on(&db);
    let written = async |table: String| {
        let request = faulty.client().batch_write_item().request_items(&table, (0..25).map(put).collect());
        match request.send().await {
            Ok(answer) => {
                25 - answer.unprocessed_items().and_then(|items| items.get(&table)).map_or(0, Vec::len)
            }
            Err(error) => {
                assert!(error.into_service_error().is_provisioned_throughput_exceeded_exception());
                0
            }
        }
    };
    let (parts, bins) = (db.table_name::<Part>(), db.table_name::<Bin>());
    assert_eq!(written(parts.clone()).await, 10);
    assert_eq!(written(parts.clone()).await, 0);
    assert!(PartRepo::save(part(1)).on(&faulty).await.unwrap_err().is_throttled());
    assert_eq!(written(bins).await, 10);
    tokio::time::advance(Duration::from_millis(500)).await;
    assert_eq!(written(parts.clone()).await, 5);
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(written(parts.clone()).await, 10);
    tokio::time::advance(Duration::from_millis(300)).await;
    // An item of 2.5 KB takes three units.
    let large = || Part { number: 1, name: "x".repeat(2500) };
    PartRepo::save(large()).on(&faulty).await.unwrap();
    assert!(PartRepo::delete_by_id(1).on(&faulty).await.unwrap_err().is_throttled());
    // An item of 20 KB takes more units than there are at any time, and leaves a debt.
    tokio::time::advance(Duration::from_secs(1)).await;
    PartRepo::save(Part { number: 1, name: "x".repeat(20_000) }).on(&faulty).await.unwrap();
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(PartRepo::delete_by_id(1).on(&faulty).await.unwrap_err().is_throttled());
    tokio::time::advance(Duration::from_millis(200)).await;
    PartRepo::delete_by_id(1).on(&faulty).await.unwrap();
    // Reads are not limited here.
    assert!(PartRepo::all().on(&faulty).await.is_ok());
    let batches = log.of("BatchWriteItem");
    assert_eq!((batches.items_executed, batches.throttled, batches.partly_unprocessed), (35, 1, 4));
}

#[tokio::test(start_paused = true)]
async fn a_read_capacity_is_a_token_bucket_too() {
    let db = embedded().await;
    PartRepo::batch_save((0..40).map(part)).on(&db).await.unwrap();
    PartRepo::save(Part { number: 99, name: "x".repeat(20_000) }).on(&db).await.unwrap();
    let faulty = Faults::default().read_capacity(10).on(&db);
    let read = async |consistent: bool| {
        let keys = (0..40).map(|number| HashMap::from([("number".to_owned(), n(number))])).collect();
        let keys =
            KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(consistent).build().unwrap();
        let request = faulty.client().batch_get_item().request_items(db.table_name::<Part>(), keys);
        request.send().await.map_or(0, |answer| answer.responses().unwrap()[&db.table_name::<Part>()].len())
    };
    assert_eq!(read(false).await, 20);
    assert_eq!(read(false).await, 0);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(read(true).await, 10);
    // A read of 20 KB takes two and a half units, of which half a unit was expected.
    tokio::time::advance(Duration::from_millis(100)).await;
    assert!(PartRepo::find(99).on(&faulty).await.unwrap().is_some());
    tokio::time::advance(Duration::from_millis(100)).await;
    assert!(PartRepo::find(1).on(&faulty).await.unwrap_err().is_throttled());
    tokio::time::advance(Duration::from_millis(200)).await;
    assert!(PartRepo::find(1).on(&faulty).await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_batch_through_a_capacity_takes_the_time_that_it_must() {
    let db = embedded().await;
    let faulty = Faults::default().write_capacity(100).burst(Duration::from_millis(100)).on(&db);
    let start = tokio::time::Instant::now();
    let patient = Retry::default().rounds(1000);
    PartRepo::batch_save((0..200).map(part)).retry(patient).on(&faulty).await.unwrap();
    // Ten units are available at the start.
    assert!(start.elapsed() >= Duration::from_millis(1890), "{:?}", start.elapsed());
    assert_eq!(numbers(&db).await.len(), 200);
}

#[tokio::test(start_paused = true)]
async fn whatever_happens_every_fate_is_compatible_with_the_table() {
    let (log, mut unknown, mut failed) = (FaultLog::default(), 0, 0);
    for seed in 0..50 {
        let db = embedded().await;
        // There was no answer, or one with an unknown outcome.
        let open = |log: &FaultLog| {
            let total = log.total();
            total.cut_before + total.cut_after + total.server_errors
        };
        let before = open(&log);
        let faulty = Faults::seeded(seed)
            .unprocessed(0.20)
            .throttle(0.05)
            .server_error(0.02)
            .cut_before(0.01)
            .cut_after(0.01)
            .log(&log)
            .on(&db);
        let parts: Vec<Part> = (0..200).map(part).collect();
        // Every second case sends nothing twice, so that there are failures.
        let retry = if seed % 2 == 0 { Retry::default() } else { Retry::default().rounds(0) };
        let fates: Vec<Fate> = match PartRepo::batch_save(&parts).retry(retry).on(&faulty).await {
            Ok(saved) => {
                assert_eq!(*saved, *parts);
                vec![Fate::Done; 200]
            }
            Err(error) => {
                failed += 1;
                error.fates().collect()
            }
        };
        assert_eq!(fates.len(), 200);
        let held = numbers(&db).await;
        for (part, fate) in parts.iter().zip(fates) {
            let held = held.contains(&part.number);
            match fate {
                Fate::Done => assert!(held, "seed {seed}: {part:?} is lost"),
                Fate::Unknown => {
                    unknown += 1;
                    assert!(open(&log) > before, "seed {seed}: every request got its answer");
                }
                _ => assert!(!held, "seed {seed}: {part:?} is said to be {fate}, and is there"),
            }
        }
    }
    let tally = log.of("BatchWriteItem");
    let share = |part: u64, of: u64| part as f64 / of as f64;
    let reached = tally.items_executed + tally.items_unprocessed;
    assert!((share(tally.items_unprocessed, reached) - 0.2).abs() < 0.02, "{log}");
    assert!((share(tally.throttled, tally.requests) - 0.05).abs() < 0.03, "{log}");
    assert!(tally.server_errors > 0 && tally.cut_before > 0 && tally.cut_after > 0, "{log}");
    assert!(failed >= 20 && unknown > 0, "{failed} of 50 batches failed, {unknown} fates are unknown");
}
