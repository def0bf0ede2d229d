//! Batches on a table that throttles, returns items unprocessed, fails and loses answers: every input has a
//! fate that agrees with the table. Time is paused, so no test waits.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use dynorm::prelude::*;
use dynorm::{Error, Fate, MAX_BATCH_GET_ITEMS, MAX_BATCH_WRITE_ITEMS, MAX_RETRIES, Retry};
use dynorm_tests::canned::{self, Answer, Recorded, Requests};
use serde_json::{Value, json};

#[derive(Entity, Clone, Debug, Default, PartialEq)]
struct User {
    #[entity(id)]
    id: Id<User>,
    name: String,
    #[entity(created_at)]
    created_at: Timestamp,
}

/// An entity without `Debug`, with a number as its key.
#[derive(Entity, Clone)]
struct Sample {
    #[entity(partition)]
    at: f64,
    note: String,
}

fn users(count: usize) -> Vec<User> {
    (0..count).map(|n| User { name: format!("user {n}"), ..Default::default() }).collect()
}

/// A table of the test: its items by key.
type Table = Arc<Mutex<BTreeMap<String, Value>>>;

fn key_of(attributes: &Value) -> String {
    let key = if attributes["id"].is_null() { &attributes["at"] } else { &attributes["id"] };
    key.to_string()
}

/// Executes the writes of a request that `does` picks; the others come back unprocessed.
fn write(table: &Table, request: &Recorded, mut does: impl FnMut(usize) -> bool) -> Answer {
    let mut table = table.lock().unwrap();
    let mut handed_back = serde_json::Map::new();
    for (name, writes) in request.body["RequestItems"].as_object().unwrap() {
        for (position, write) in writes.as_array().unwrap().iter().enumerate() {
            if !does(position) {
                let list = handed_back.entry(name).or_insert_with(|| json!([]));
                list.as_array_mut().unwrap().push(write.clone());
            } else if write["PutRequest"].is_null() {
                table.remove(&key_of(&write["DeleteRequest"]["Key"]));
            } else {
                let item = &write["PutRequest"]["Item"];
                table.insert(key_of(item), item.clone());
            }
        }
    }
    Answer::ok(json!({ "UnprocessedItems": handed_back }).to_string())
}

/// Answers the keys of a request that `answers` picks; the others come back unprocessed.
fn read(table: &Table, request: &Recorded, mut answers: impl FnMut(usize) -> bool) -> Answer {
    let table = table.lock().unwrap();
    let (name, asked) = request.body["RequestItems"].as_object().unwrap().iter().next().unwrap();
    let (mut found, mut handed_back) = (Vec::new(), Vec::new());
    for (position, key) in asked["Keys"].as_array().unwrap().iter().enumerate() {
        if !answers(position) {
            handed_back.push(key.clone());
        } else if let Some(item) = table.get(&key_of(key)) {
            found.push(item.clone());
        }
    }
    // The answer has no particular order.
    found.reverse();
    let unprocessed =
        if handed_back.is_empty() { json!({}) } else { json!({ name: { "Keys": handed_back } }) };
    Answer::ok(json!({ "Responses": { name: found }, "UnprocessedKeys": unprocessed }).to_string())
}

/// A database on such a table. The test can give its own answers.
fn table(
    answer: impl Fn(&Table, &Recorded) -> Answer + Send + Sync + 'static,
) -> (Database, Requests, Table) {
    let table = Table::default();
    let shared = table.clone();
    let (db, requests) = canned::database(move |request| answer(&shared, request));
    (db, requests, table)
}

fn sizes(requests: &Requests) -> Vec<usize> {
    let size = |request: &Recorded| {
        let tables = request.body["RequestItems"].as_object().unwrap();
        let list = |table: &Value| table.as_array().or(table["Keys"].as_array()).unwrap().len();
        tables.values().map(list).sum()
    };
    requests.all().iter().map(size).collect()
}

#[tokio::test(start_paused = true)]
async fn requests_are_as_large_as_dynamodb_takes_them() {
    let (db, requests, table) = table(|table, request| match request.target.as_str() {
        "BatchWriteItem" => write(table, request, |_| true),
        _ => read(table, request, |_| true),
    });
    let saved = UserRepo::batch_save(users(260)).on(&db).await.unwrap();
    assert_eq!(table.lock().unwrap().len(), 260);
    assert_eq!(sizes(&requests), [[MAX_BATCH_WRITE_ITEMS; 10].as_slice(), &[10]].concat());
    assert_eq!((saved.stats().items, saved.stats().requests, saved.stats().retries), (260, 11, 0));
    requests.clear();
    let ids: Vec<Id<User>> = saved.iter().map(|user| user.id).collect();
    assert_eq!(UserRepo::batch_get(&ids).on(&db).await.unwrap(), saved);
    assert_eq!(sizes(&requests), [MAX_BATCH_GET_ITEMS, MAX_BATCH_GET_ITEMS, 60]);
    requests.clear();
    assert_eq!(UserRepo::batch_delete(ids).on(&db).await.unwrap().items, 260);
    assert_eq!(sizes(&requests).len(), 11);
    assert!(table.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_request_stays_below_16_megabytes() {
    let (db, requests, _) = table(|table, request| write(table, request, |_| true));
    // A control character takes six bytes in JSON, so 25 items of 200 KB are 30 MB in the request.
    let name = "\u{1}".repeat(200_000);
    let users = vec![User { name, ..Default::default() }; 25];
    UserRepo::batch_save(users).on(&db).await.unwrap();
    assert!(requests.all().iter().all(|request| request.bytes.len() <= 16 * 1024 * 1024));
    assert_eq!(sizes(&requests), [13, 12]);
}

#[tokio::test(start_paused = true)]
async fn nothing_at_all_is_a_batch_too() {
    let (db, requests, _) = table(|table, request| write(table, request, |_| true));
    assert!(UserRepo::batch_save(Vec::<User>::new()).on(&db).await.unwrap().is_empty());
    assert!(UserRepo::batch_get(Vec::<Id<User>>::new()).on(&db).await.unwrap().is_empty());
    assert_eq!(UserRepo::batch_delete(Vec::<Id<User>>::new()).on(&db).await.unwrap().items, 0);
    assert!(requests.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_handed_back_is_sent_again_in_full_requests() {
    let (db, requests, table) = table(|table, request| {
        // The first four requests write a quarter each.
        write(table, request, |position| request.number >= 4 || position % 4 == 0)
    });
    let saved = UserRepo::batch_save(users(100)).on(&db).await.unwrap();
    assert_eq!(table.lock().unwrap().len(), 100);
    assert_eq!(saved.stats().retries, 72);
    assert_eq!(sizes(&requests), [25, 25, 25, 25, 25, 25, 22]);
}

#[tokio::test(start_paused = true)]
async fn when_the_retries_are_used_up_the_error_holds_what_is_left_and_goes_on_with_it() {
    let open = Arc::new(Mutex::new(false));
    let opened = open.clone();
    let (db, requests, table) = table(move |table, request| {
        let open = *opened.lock().unwrap();
        write(table, request, |position| open || position % 2 == 0 && request.number < 2)
    });
    let mut users = users(30);
    let retry = Retry::default().seed(0);
    let error = UserRepo::batch_save(&mut users).retry(retry).on(&db).await.unwrap_err();
    // 13 and 3 are written, followed by rounds without progress.
    assert_eq!(error.failures().len(), 14);
    // The 12 and the 2 that came back are due at different times. Whichever are due first take the others
    // along, for which that is no round; with this seed the others are due first the next time, so there is
    // one request more than rounds. From then on all have had as many, and wait together.
    assert_eq!(sizes(&requests), [&[25, 5][..], &[14; 2 + MAX_RETRIES as usize]].concat());
    for failure in error.failures() {
        assert_eq!(failure.fate, Fate::Unprocessed);
        assert_eq!(failure.index % 25 % 2, 1);
        assert_eq!(failure.entity, users[failure.index]);
        assert_eq!(failure.key, users[failure.index].id);
        assert!(failure.reason.is_throttled());
    }
    assert_eq!(error.fates().filter(|fate| *fate == Fate::Done).count(), 16);
    let text = "saving `User` in the table `users`: 14 of 30 items are not done; the first is #1 \
        (unprocessed) with id = ";
    assert!(error.to_string().starts_with(text), "{error}");
    assert!(error.is_throttled() && error.is_retryable() && error.outcome_known());
    let before = requests.len();
    let error = error.retry().retry(Retry::default().rounds(0)).await.unwrap_err();
    assert_eq!(requests.len(), before + 1);
    *open.lock().unwrap() = true;
    let saved = error.retry().await.unwrap();
    assert_eq!(saved, users);
    assert_eq!(table.lock().unwrap().len(), 30);
    assert_eq!(saved.stats().items, 30);
}

#[tokio::test(start_paused = true)]
async fn a_refused_item_is_found_and_the_others_are_written() {
    let (db, requests, table) = table(|table, request| {
        if request.text().contains("poison") {
            return Answer::error(400, "ValidationException", "Item has a poisonous attribute");
        }
        write(table, request, |_| true)
    });
    let mut users = users(50);
    users[7].name = "poison".to_owned();
    users[31].name = "poison too".to_owned();
    let error = UserRepo::batch_save(&users).on(&db).await.unwrap_err();
    let failed: Vec<(usize, Fate)> =
        error.failures().iter().map(|failure| (failure.index, failure.fate)).collect();
    assert_eq!(failed, [(7, Fate::Rejected), (31, Fate::Rejected)]);
    assert!(error.failures()[0].reason.to_string().contains("Item has a poisonous attribute"));
    assert_eq!(table.lock().unwrap().len(), 48);
    assert!(requests.len() < 24, "{}", requests.len());
    let error: Error = error.into();
    assert!(!error.is_retryable());
    assert!(error.outcome_known());
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_repeated_and_unknown_if_it_stays_lost() {
    let (db, _, written) = table(|table, request| {
        let answer = write(table, request, |_| true);
        if request.number == 0 { Answer::Cut } else { answer }
    });
    UserRepo::batch_save(users(10)).on(&db).await.unwrap();
    assert_eq!(written.lock().unwrap().len(), 10);

    let (db, requests, _) = table(|_, request| match request.number {
        0 => Answer::Timeout,
        // An input that was sent once without an answer stays unknown, whatever happens to later attempts.
        _ => Answer::Refused,
    });
    let error = UserRepo::batch_save(users(3)).on(&db).await.unwrap_err();
    assert!(error.fates().all(|fate| fate == Fate::Unknown));
    assert!(!Error::from(error).outcome_known());
    assert_eq!(requests.len(), 1 + MAX_RETRIES as usize);
}

#[tokio::test(start_paused = true)]
async fn nobody_listening_means_not_sent() {
    let (db, _, _) = table(|_, _| Answer::Refused);
    let error = UserRepo::batch_save(users(3)).on(&db).await.unwrap_err();
    assert!(error.fates().all(|fate| fate == Fate::NotSent));
    let error = Error::from(error);
    assert!(error.outcome_known() && error.is_retryable());
}

#[tokio::test(start_paused = true)]
async fn throttled_requests_and_server_errors_are_repeated() {
    for fault in [Answer::throttled(), Answer::error(500, "InternalServerError", "oops")] {
        let (db, _, written) = table(move |table, request| match request.number % 3 {
            0 | 1 => fault.clone(),
            _ => write(table, request, |_| true),
        });
        UserRepo::batch_save(users(40)).on(&db).await.unwrap();
        assert_eq!(written.lock().unwrap().len(), 40);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_pointless_is_not_repeated() {
    for (code, is_expected) in [
        (
            "ResourceNotFoundException",
            (|error| matches!(error, Error::TableNotFound(_))) as fn(&Error) -> bool,
        ),
        ("AccessDeniedException", |error| matches!(error, Error::AccessDenied(_))),
        ("UnrecognizedClientException", |error| matches!(error, Error::Credentials(_))),
    ] {
        let (db, requests, _) = table(move |_, _| Answer::error(400, code, "no"));
        let error = UserRepo::batch_save(users(1000)).on(&db).await.unwrap_err();
        assert!(error.fates().all(|fate| fate == Fate::NotSent), "{code}");
        assert!(error.failures().iter().all(|failure| is_expected(&failure.reason)), "{code}");
        assert!(requests.len() <= 8, "{code}: {}", requests.len());
    }
}

#[tokio::test(start_paused = true)]
async fn of_several_writes_of_one_key_the_last_one_counts() {
    let (db, requests, table) = table(|table, request| write(table, request, |_| true));
    let mut users = users(4);
    for user in &mut users {
        user.id = Id::new();
    }
    users[2].id = users[0].id;
    // This input cannot be stored, so it supersedes nothing.
    users[3].id = users[1].id;
    users[3].name = "x".repeat(500_000);
    let error = UserRepo::batch_save(&users).on(&db).await.unwrap_err();
    let fates: Vec<Fate> = error.fates().collect();
    assert_eq!(fates, [Fate::Superseded { by: 2 }, Fate::Done, Fate::Done, Fate::Rejected]);
    assert_eq!(sizes(&requests), [2]);
    let names: Vec<String> =
        table.lock().unwrap().values().map(|item| item["name"]["S"].as_str().unwrap().to_owned()).collect();
    assert!(names.contains(&"user 2".to_owned()) && names.contains(&"user 1".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn numbers_that_dynamodb_takes_for_equal_are_one_key() {
    let (db, requests, _) = table(|table, request| match request.target.as_str() {
        "BatchWriteItem" => write(table, request, |_| true),
        // DynamoDB spells numbers in its own way.
        _ => Answer::ok(r#"{"Responses":{"samples":[{"at":{"N":"1e2"},"note":{"S":"b"}}]}}"#),
    });
    let sample = |at: f64, note: &str| Sample { at, note: note.to_owned() };
    let saved =
        SampleRepo::batch_save([sample(100.0, "a"), sample(1e2, "b"), sample(-0.0, "c"), sample(0.0, "d")]);
    saved.on(&db).await.unwrap();
    assert_eq!(sizes(&requests), [2]);
    let found = SampleRepo::batch_get([100.0, 1e2]).positional().on(&db).await.unwrap();
    assert!(found.iter().all(|found| found.as_ref().is_some_and(|sample| sample.note == "b")));
}

#[tokio::test(start_paused = true)]
async fn keys_that_are_handed_back_are_asked_for_again_and_repeated_ones_once() {
    let (db, requests, _) = table(|table, request| match request.target.as_str() {
        "BatchWriteItem" => write(table, request, |_| true),
        _ => read(table, request, |position| position < 10),
    });
    let saved = UserRepo::batch_save(users(35)).on(&db).await.unwrap();
    let ids: Vec<Id<User>> = saved.iter().map(|user| user.id).collect();
    requests.clear();
    let twice: Vec<Id<User>> = ids.iter().chain(&ids).copied().collect();
    let found = UserRepo::batch_get(twice).on(&db).await.unwrap();
    assert_eq!(found.iter().collect::<Vec<_>>(), saved.iter().chain(&saved).collect::<Vec<_>>());
    assert_eq!(sizes(&requests), [35, 25, 15, 5]);
}

#[tokio::test(start_paused = true)]
async fn keys_that_a_full_answer_had_no_room_for_are_asked_for_at_once() {
    let (db, requests, _) = table(|table, request| match request.target.as_str() {
        "BatchWriteItem" => write(table, request, |_| true),
        _ => read(table, request, |position| position < 42),
    });
    // DynamoDB returns 42 of these in one answer.
    let users = users(100).into_iter().map(|user| User { name: "x".repeat(390_000), ..user });
    let saved = UserRepo::batch_save(users).on(&db).await.unwrap();
    let ids: Vec<Id<User>> = saved.iter().map(|user| user.id).collect();
    requests.clear();
    let before = tokio::time::Instant::now();
    assert_eq!(UserRepo::batch_get(ids).on(&db).await.unwrap(), saved);
    assert_eq!(sizes(&requests), [100, 58, 16]);
    assert_eq!(before.elapsed().as_millis(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_get_that_is_never_answered_holds_what_was_found() {
    let (db, _, _) = table(|table, request| match request.target.as_str() {
        "BatchWriteItem" => write(table, request, |_| true),
        _ => read(table, request, |position| position < 2 && request.number < 2),
    });
    let saved = UserRepo::batch_save(users(5)).on(&db).await.unwrap();
    let ids: Vec<Id<User>> = saved.iter().map(|user| user.id).collect();
    let error = UserRepo::batch_get(&ids).retry(Retry::default().rounds(1)).on(&db).await.unwrap_err();
    assert_eq!(error.failures().iter().map(|failure| failure.key).collect::<Vec<_>>(), ids[2..]);
    assert!(error.failures().iter().all(|failure| failure.fate == Fate::Unprocessed));
    assert_eq!(error.found().iter().flatten().count(), 2);
}

#[tokio::test(start_paused = true)]
async fn whatever_happens_every_fate_is_true() {
    for seed in 0..100 {
        let faults = Mutex::new(fastrand::Rng::with_seed(seed));
        let (db, _, table) = table(move |table, request| {
            let mut random = faults.lock().unwrap();
            match random.u32(0..100) {
                0..8 => Answer::throttled(),
                8..12 => Answer::error(500, "InternalServerError", "oops"),
                12..16 => Answer::Cut,
                16..20 => {
                    write(table, request, |_| true);
                    Answer::Cut
                }
                20..22 => Answer::Refused,
                22..24 => Answer::ok("{\"UnprocessedItems\":{\"users\":[{}"),
                24..26 if request.text().contains("user 3") => {
                    Answer::error(400, "ValidationException", "no")
                }
                _ => write(table, request, |_| random.u32(0..10) > 2),
            }
        });
        let mut random = fastrand::Rng::with_seed(seed);
        let mut users = users(random.usize(1..120));
        for user in &mut users {
            user.id = Id::new();
        }
        for _ in 0..users.len() / 4 {
            let (from, to) = (random.usize(0..users.len()), random.usize(0..users.len()));
            users[to].id = users[from].id;
        }
        let fates: Vec<Fate> =
            match UserRepo::batch_save(&users).retry(Retry::default().rounds(1)).on(&db).await {
                Ok(_) => vec![Fate::Done; users.len()],
                Err(error) => error.fates().collect(),
            };
        let table = table.lock().unwrap();
        let last = |user: &User| users.iter().rposition(|other| other.id == user.id).unwrap();
        for (index, (user, fate)) in users.iter().zip(fates).enumerate() {
            let stored = table.get(&key_of(&json!({ "id": { "S": user.id.to_string() } })));
            let is_stored = stored.is_some_and(|item| item["name"]["S"] == user.name.as_str());
            match fate {
                Fate::Done if index == last(user) => {
                    assert!(is_stored, "seed {seed}: #{index} is not written");
                }
                Fate::Done => {}
                Fate::Superseded { by } => assert_eq!(by, last(user), "seed {seed}: #{index}"),
                Fate::Unprocessed | Fate::NotSent | Fate::Rejected => {
                    assert!(!is_stored, "seed {seed}: #{index} is {fate}, and it is written");
                }
                Fate::Unknown => {}
                other => panic!("seed {seed}: #{index} is {other}"),
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_error_asks_no_debug_of_the_entity_and_goes_where_errors_go() {
    let (db, _, _) = table(|_, _| Answer::Refused);
    let save = async || -> anyhow::Result<()> {
        SampleRepo::batch_save([Sample { at: 1.0, note: "a".to_owned() }]).on(&db).await?;
        Ok(())
    };
    let chain = format!("{:#}", save().await.unwrap_err());
    assert_eq!(
        chain.split(": dispatch").next().unwrap(),
        "saving `Sample` in the table `samples`: 1 of 1 items is not done; the first is #0 (not sent) with at = 1: \
         saving `Sample` in the table `samples`: nobody answers: io error: connection refused"
    );
    let erased = async || -> dynorm::Result<()> {
        SampleRepo::batch_delete([1.0]).on(&db).await?;
        Ok(())
    };
    let error = erased().await.unwrap_err();
    assert_eq!(error.failures().len(), 1);
    assert_eq!(error.entity(), Some("Sample"));
}

#[tokio::test(start_paused = true)]
async fn one_save_that_is_known_to_have_failed_takes_its_stamps_back() {
    let (db, _, _) = table(|_, request| match request.number {
        0 => Answer::error(400, "ValidationException", "no"),
        _ => Answer::Timeout,
    });
    let mut user = User::default();
    UserRepo::save(&mut user).on(&db).await.unwrap_err();
    assert_eq!(user, User::default());
    let error = UserRepo::save(&mut user).on(&db).await.unwrap_err();
    assert!(!error.outcome_known());
    assert!(!user.id.is_unset(), "it may be written, so it keeps the id that it may be written with");
}

#[tokio::test(start_paused = true)]
async fn a_delete_goes_on_where_it_failed() {
    let (db, requests, table) = table(|table, request| match request.number {
        0 => write(table, request, |_| true),
        1..=4 => Answer::throttled(),
        _ => write(table, request, |position| position % 2 == 0),
    });
    let saved = UserRepo::batch_save(users(20)).on(&db).await.unwrap();
    let error = UserRepo::batch_delete_entities(&saved).on(&db).await.unwrap_err();
    assert_eq!(error.failures().len(), 20);
    assert!(error.failures().iter().all(|failure| failure.fate == Fate::Unprocessed));
    assert_eq!(error.failures()[3].key, saved[3].id);
    // Uses the database of the batch, without naming it again.
    assert_eq!(error.retry().await.unwrap().items, 20);
    assert!(table.lock().unwrap().is_empty());
    assert!(requests.targets().iter().all(|target| target == "BatchWriteItem"));
}

#[tokio::test(start_paused = true)]
async fn what_was_to_stand_for_another_takes_it_along_when_it_fails() {
    let (db, _, _) = table(|table, request| {
        if request.text().contains("poison") {
            return Answer::error(400, "ValidationException", "no");
        }
        write(table, request, |_| true)
    });
    let mut users = users(3);
    users[0].id = Id::new();
    users[2].id = users[0].id;
    users[2].name = "poison".to_owned();
    let error = UserRepo::batch_save(&users).on(&db).await.unwrap_err();
    let failed: Vec<(usize, Fate)> =
        error.failures().iter().map(|failure| (failure.index, failure.fate)).collect();
    assert_eq!(failed, [(0, Fate::Superseded { by: 2 }), (2, Fate::Rejected)]);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_all_items_share_ends_the_batch() {
    let (db, requests, _) =
        table(|_, _| Answer::error(400, "ValidationException", "The provided key is wrong"));
    let error = UserRepo::batch_save(users(1000)).on(&db).await.unwrap_err();
    assert_eq!(error.failures().len(), 1000);
    assert!(requests.len() < 500, "{}", requests.len());
    assert!(error.fates().all(|fate| matches!(fate, Fate::Rejected | Fate::NotSent)));
}

#[tokio::test(start_paused = true)]
async fn a_table_that_takes_nothing_is_not_run_against() {
    let (db, requests, _) = table(|_, _| Answer::throttled());
    let error = UserRepo::batch_save(users(10_000)).on(&db).await.unwrap_err();
    assert_eq!(error.failures().len(), 10_000);
    // Each round would need 400 requests.
    assert!(requests.len() <= (1 + MAX_RETRIES as usize) * 24, "{}", requests.len());
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_cannot_be_read_is_asked_for_again() {
    let (db, requests, _) = table(|table, request| match request.target.as_str() {
        "BatchWriteItem" => write(table, request, |_| true),
        _ if request.number % 2 == 1 => Answer::ok(r#"{"Responses":{"users":[{"id":"#),
        _ => read(table, request, |_| true),
    });
    let saved = UserRepo::batch_save(users(5)).on(&db).await.unwrap();
    let found = UserRepo::batch_get(saved.iter().map(|user| user.id)).on(&db).await.unwrap();
    assert_eq!(found, saved);
    assert_eq!(requests.of("BatchGetItem").len(), 2);
}
