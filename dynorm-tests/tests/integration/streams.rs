//! Batches of streams: what they take in, what they send, where failures go, and the outcomes when they end
//! early. Time is paused.

use std::collections::{BTreeMap, HashMap};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dynorm::batch::{GetStreamError, KeyFailure, SaveFailure};
use dynorm::prelude::*;
use dynorm::testing::Faults;
use dynorm::{Duplicates, Error, Fate, MAX_BATCH_WRITE_ITEMS, Retry};
use dynorm_tests::canned::{self, Answer, Recorded, Requests};
use futures_util::{Stream, StreamExt, stream};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

#[derive(Entity, Clone, Debug, Default, PartialEq)]
struct Event {
    #[entity(partition)]
    number: u32,
    name: String,
    weight: f64,
}

/// An entity with timestamps.
#[derive(Entity, Clone, Debug, Default, PartialEq)]
struct User {
    #[entity(id)]
    id: Id<User>,
    name: String,
}

fn event(number: u32) -> Event {
    Event { number, name: format!("event {number}"), weight: 1.0 }
}

fn named(number: u32, name: &str) -> Event {
    Event { number, name: name.to_owned(), weight: 1.0 }
}

fn events(count: u32) -> impl Iterator<Item = Event> + Clone {
    (0..count).map(event)
}

/// An event that is rejected before it is sent, since DynamoDB cannot hold its number.
fn broken(number: u32) -> Event {
    Event { weight: f64::NAN, ..event(number) }
}

/// The names of the events in a table of the test.
type Table = Arc<Mutex<BTreeMap<u32, String>>>;

fn number(attributes: &Value) -> u32 {
    attributes["number"]["N"].as_str().unwrap().parse().unwrap()
}

/// The numbers of the events in a request.
fn numbers(request: &Recorded) -> Vec<u32> {
    let asked = &request.body["RequestItems"]["events"];
    let list = asked.as_array().or(asked["Keys"].as_array()).unwrap().iter();
    let key = |entry: &Value| match (&entry["PutRequest"]["Item"], &entry["DeleteRequest"]["Key"]) {
        (Value::Null, Value::Null) => number(entry),
        (Value::Null, key) => number(key),
        (item, _) => number(item),
    };
    list.map(key).collect()
}

/// Executes a request for the events that `does` picks; the others come back unprocessed.
fn carry_out(table: &Table, request: &Recorded, mut does: impl FnMut(u32) -> bool) -> Answer {
    let mut table = table.lock().unwrap();
    let asked = &request.body["RequestItems"]["events"];
    let (mut found, mut handed_back) = (Vec::new(), Vec::new());
    for (number, entry) in
        numbers(request).into_iter().zip(asked.as_array().or(asked["Keys"].as_array()).unwrap())
    {
        if !does(number) {
            handed_back.push(entry.clone());
        } else if let Some(name) = entry["PutRequest"]["Item"]["name"]["S"].as_str() {
            table.insert(number, name.to_owned());
        } else if !entry["DeleteRequest"].is_null() {
            table.remove(&number);
        } else if let Some(name) = table.get(&number) {
            found.push(json!({ "number": { "N": number.to_string() }, "name": { "S": name }, "weight": { "N": "1" } }));
        }
    }
    // The answer has no particular order.
    found.reverse();
    let answer = match (handed_back.is_empty(), request.target.as_str()) {
        (true, "BatchWriteItem") => json!({ "UnprocessedItems": {} }),
        (true, _) => json!({ "Responses": { "events": found } }),
        (false, "BatchWriteItem") => json!({ "UnprocessedItems": { "events": handed_back } }),
        (false, _) => {
            json!({ "Responses": { "events": found }, "UnprocessedKeys": { "events": { "Keys": handed_back } } })
        }
    };
    Answer::ok(answer.to_string())
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

fn willing() -> (Database, Requests, Table) {
    table(|table, request| carry_out(table, request, |_| true))
}

fn refuses(poison: &'static str) -> (Database, Requests, Table) {
    table(move |table, request| {
        if request.text().contains(poison) {
            return Answer::error(400, "ValidationException", "this is poison");
        }
        carry_out(table, request, |_| true)
    })
}

fn sizes(requests: &Requests) -> Vec<usize> {
    requests.all().iter().map(|request| numbers(request).len()).collect()
}

/// The items of a channel.
fn received<T: Send>(receiver: mpsc::Receiver<T>) -> impl Stream<Item = T> + Send {
    stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver)))
}

/// The items, and the number of them that were taken.
fn counted<I: Iterator>(items: I) -> (impl Iterator<Item = I::Item>, Arc<AtomicUsize>) {
    let taken = Arc::new(AtomicUsize::new(0));
    let count = taken.clone();
    let items = items.inspect(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
    });
    (items, taken)
}

/// Longer than anything that ends.
const FOREVER: Duration = Duration::from_secs(10 * 60);

#[tokio::test(start_paused = true)]
async fn entities_come_from_streams_vectors_and_iterators_by_value_or_by_reference() {
    let (db, requests, table) = willing();
    let all: Vec<Event> = events(60).collect();
    let saves = [
        EventRepo::batch_save_stream(stream::iter(all.clone())).on(&db).await.unwrap(),
        EventRepo::batch_save_stream(all.clone()).on(&db).await.unwrap(),
        EventRepo::batch_save_stream(&all).on(&db).await.unwrap(),
        EventRepo::batch_save_stream(events(60)).on(&db).await.unwrap(),
        EventRepo::batch_save_stream(all.iter()).on(&db).await.unwrap(),
        EventRepo::batch_save_stream(stream::iter(&all)).on(&db).await.unwrap(),
    ];
    assert!(saves.iter().all(|stats| (stats.items, stats.requests) == (60, 3)), "{saves:?}");
    assert_eq!(table.lock().unwrap().len(), 60);

    let numbers: Vec<u32> = (0..60).collect();
    let found: Vec<Event> = EventRepo::batch_get_stream(&numbers).on(&db).map(Result::unwrap).collect().await;
    assert_eq!(found, all);
    let found: Vec<Event> =
        EventRepo::batch_get_stream(stream::iter(0..60)).on(&db).map(Result::unwrap).collect().await;
    assert_eq!(found, all);

    let halves = numbers.split_at(30);
    assert_eq!(EventRepo::batch_delete_stream(halves.0).on(&db).await.unwrap().items, 30);
    assert_eq!(
        EventRepo::batch_delete_stream(stream::iter(halves.1.to_vec())).on(&db).await.unwrap().items,
        30
    );
    assert!(table.lock().unwrap().is_empty());

    requests.clear();
    assert_eq!(EventRepo::batch_save_stream(Vec::<Event>::new()).on(&db).await.unwrap().items, 0);
    assert!(EventRepo::batch_get_stream(Vec::<u32>::new()).on(&db).next().await.is_none());
    assert!(requests.is_empty());
}

#[tokio::test(start_paused = true)]
async fn entities_passed_by_mutable_reference_are_stamped_in_place() {
    let (db, requests) = canned::database(|_| Answer::written());
    let mut users = vec![User::default(); 30];
    UserRepo::batch_save_stream(&mut users).on(&db).await.unwrap();
    let mut sent: Vec<String> = Vec::new();
    for request in requests.all() {
        let writes = request.body["RequestItems"]["users"].as_array().unwrap().clone();
        sent.extend(
            writes.iter().map(|write| write["PutRequest"]["Item"]["id"]["S"].as_str().unwrap().to_owned()),
        );
    }
    let ids: Vec<String> = users.iter().map(|user| user.id.to_string()).collect();
    assert_eq!(sent, ids);
    assert!(users.iter().all(|user| !user.id.is_unset()));
}

#[tokio::test(start_paused = true)]
async fn a_bounded_number_of_items_is_taken_in() {
    // The limit of requests in flight, the bytes of an item, and the largest number of items in memory.
    for (concurrency, bytes, most) in [(None, 0, 1600), (Some(2), 0, 100), (Some(1000), 399_000, 43)] {
        let (db, ..) = willing();
        let db = Faults::seeded(1).delay(Duration::from_millis(10)).on(&db);
        let name = "x".repeat(bytes);
        let total = most + 40;
        let (items, taken) = counted(events(total).map(|event| Event { name: name.clone(), ..event }));
        let mut held = Vec::new();
        let save = EventRepo::batch_save_stream(items).on(&db).on_progress(|progress| {
            held.push((taken.load(Ordering::Relaxed) as u64, progress.done));
        });
        let save = match concurrency {
            Some(requests) => save.concurrency(requests),
            None => save,
        };
        assert_eq!(save.await.unwrap().items, u64::from(total));
        // Takes as many as fit before the first answer, and then as many as became free.
        assert_eq!(held[0].0, u64::from(most));
        let most_at_once = held.windows(2).map(|held| held[1].0 - held[0].1).max();
        assert!(most_at_once <= Some(u64::from(most)), "{held:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_table_that_does_not_answer_pushes_back_on_the_producer() {
    let (db, ..) = table(|_, _| Answer::Never);
    let (sender, receiver) = mpsc::channel(1);
    let (numbers, taken) = counted(0..100_000);
    let producer = async {
        for number in numbers {
            sender.send(event(number)).await.unwrap();
        }
    };
    let save = EventRepo::batch_save_stream(received(receiver)).on(&db).into_future();
    let both = async { tokio::join!(producer, save) };
    // Less than the time after which a request without an answer is given up.
    assert!(timeout(Duration::from_secs(25), both).await.is_err());
    // 1,600 in flight, one in the channel, and one that waits for the channel.
    assert_eq!(taken.load(Ordering::Relaxed), 1602);
}

#[tokio::test(start_paused = true)]
async fn what_comes_alone_is_written_without_waiting_for_more() {
    let (written, mut seen) = mpsc::unbounded_channel();
    let (db, requests, _) = table(move |table, request| {
        written.send(numbers(request)).unwrap();
        carry_out(table, request, |_| true)
    });
    let (sender, receiver) = mpsc::channel(100);
    let producer = async {
        for number in 0..5 {
            sender.send(event(number)).await.unwrap();
            // The next input comes after this one is written.
            assert_eq!(seen.recv().await, Some(vec![number]));
        }
        for number in 10..40 {
            sender.send(event(number)).await.unwrap();
        }
        drop(sender);
    };
    let save = EventRepo::batch_save_stream(received(receiver)).on(&db).into_future();
    let ((), stats) = timeout(FOREVER, async { tokio::join!(producer, save) }).await.unwrap();
    assert_eq!(stats.unwrap().items, 35);
    assert_eq!(sizes(&requests), [1, 1, 1, 1, 1, 25, 5]);
}

#[tokio::test(start_paused = true)]
async fn keys_that_come_alone_are_answered_without_waiting_for_more() {
    let (db, requests, table) = willing();
    table.lock().unwrap().extend((0..5).map(|number| (number, String::new())));
    let (sender, receiver) = mpsc::channel(100);
    let mut found = pin!(EventRepo::batch_get_stream(received::<u32>(receiver)).on(&db));
    for number in 0..5 {
        sender.send(number).await.unwrap();
        let next = timeout(FOREVER, found.next()).await.unwrap().unwrap();
        assert_eq!(next.unwrap().number, number);
    }
    drop(sender);
    assert!(found.next().await.is_none());
    assert_eq!(sizes(&requests), [1; 5]);
}

#[tokio::test(start_paused = true)]
async fn each_failure_is_told_with_all_that_is_known_of_it() {
    let (db, _, table) = refuses("poison");
    let mut all: Vec<Event> = events(60).collect();
    all[7] = named(7, "poison");
    all[31] = broken(31);
    let mut failures: Vec<SaveFailure<Event>> = Vec::new();
    let stats = EventRepo::batch_save_stream(&all)
        .on_failure(|failure| failures.push(failure))
        .on(&db)
        .await
        .unwrap();
    assert_eq!((stats.items, stats.failed), (58, 2));
    assert_eq!(table.lock().unwrap().len(), 58);
    failures.sort_by_key(|failure| failure.index);
    let [poisoned, broken] = &failures[..] else { panic!("{failures:?}") };
    assert_eq!((poisoned.index, poisoned.key, &poisoned.entity), (7, 7, &all[7]));
    assert_eq!((poisoned.fate, broken.fate), (Fate::Rejected, Fate::Rejected));
    assert!(poisoned.reason.to_string().contains("this is poison"), "{}", poisoned.reason);
    assert!(matches!(*poisoned.reason, Error::Rejected(_)));
    assert_eq!((broken.index, broken.key, broken.entity.number), (31, 31, 31));
    assert!(matches!(*broken.reason, Error::Invalid(_)));

    let (db, _, _) = refuses("\"7\"");
    let mut failures: Vec<KeyFailure<Event>> = Vec::new();
    let keys = (0..60u32).rev();
    let stats = EventRepo::batch_delete_stream(keys)
        .on_failure(|failure| failures.push(failure))
        .on(&db)
        .await
        .unwrap();
    assert_eq!((stats.items, stats.failed), (59, 1));
    assert_eq!((failures[0].index, failures[0].key, failures[0].fate), (52, 7, Fate::Rejected));
}

#[tokio::test(start_paused = true)]
async fn failures_are_told_while_the_others_are_still_on_their_way() {
    for channel in [false, true] {
        let (db, ..) = table(|table, request| match numbers(request).contains(&200) {
            true => carry_out(table, request, |_| true).after(Duration::from_secs(10)),
            false => carry_out(table, request, |_| true),
        });
        // The stream has ended long before its last request is answered.
        let all = std::iter::once(broken(0)).chain((200..210).map(event));
        let start = Instant::now();
        let (sender, mut receiver) = mpsc::channel(10);
        let mut told = None;
        if channel {
            let save = EventRepo::batch_save_stream(all).failures_to(sender).on(&db).into_future();
            let hear = async {
                receiver.recv().await.unwrap();
                start.elapsed()
            };
            let (stats, heard) = tokio::join!(save, hear);
            told = Some(heard);
            stats.unwrap();
        } else {
            EventRepo::batch_save_stream(all)
                .on_failure(|_| told = Some(start.elapsed()))
                .on(&db)
                .await
                .unwrap();
        }
        assert_eq!(
            (told, start.elapsed()),
            (Some(Duration::ZERO), Duration::from_secs(10)),
            "channel: {channel}"
        );
    }
}

/// If nothing more comes in and the channel has room, there is no reason to wait.
#[tokio::test(start_paused = true)]
async fn a_channel_hears_of_a_failure_when_the_stream_has_already_ended() {
    let (db, ..) = table(|table, request| match numbers(request).contains(&0) {
        true => Answer::error(400, "ResourceNotFoundException", "no").after(Duration::from_secs(1)),
        false => carry_out(table, request, |_| true).after(Duration::from_secs(10)),
    });
    let (sender, mut receiver) = mpsc::channel(100);
    let start = Instant::now();
    let save = EventRepo::batch_save_stream(events(50)).failures_to(sender).on(&db).into_future();
    let hear = async {
        let failure: SaveFailure<Event> = receiver.recv().await.unwrap();
        (failure.index, start.elapsed())
    };
    let (ended, heard) = tokio::join!(save, hear);
    assert_eq!(ended.unwrap_err().stats().failed, 25);
    assert_eq!(heard, (0, Duration::from_secs(1)));
}

#[tokio::test(start_paused = true)]
async fn a_full_channel_of_failures_pushes_back() {
    let (db, ..) = willing();
    let (sender, mut receiver) = mpsc::channel(1);
    let (all, taken) = counted((0..5000).map(broken));
    let mut save = pin!(EventRepo::batch_save_stream(all).failures_to(sender).on(&db).into_future());
    assert!(timeout(FOREVER, &mut save).await.is_err());
    let before = taken.load(Ordering::Relaxed);
    assert!(before <= 3, "{before} were taken");
    let consume = async {
        let mut indices = Vec::new();
        while let Some(failure) = receiver.recv().await {
            let failure: SaveFailure<Event> = failure;
            indices.push(failure.index);
            assert!(taken.load(Ordering::Relaxed) <= indices.len() + 3);
        }
        indices
    };
    let (stats, indices) = tokio::join!(save, consume);
    assert_eq!(stats.unwrap().failed, 5000);
    assert_eq!(indices, (0..5000).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn failures_that_nobody_receives_are_in_the_error() {
    let (db, ..) = willing();
    let (sender, receiver) = mpsc::channel(1);
    drop(receiver);
    let all = events(50).chain((50..60).map(broken));
    let error = EventRepo::batch_save_stream(all).failures_to(sender).on(&db).await.unwrap_err();
    assert_eq!(
        error.failures().iter().map(|failure| failure.index).collect::<Vec<_>>(),
        (50..60).collect::<Vec<_>>()
    );
    assert!(error.stopped().is_none());
    assert_eq!((error.stats().items, error.stats().failed), (50, 10));

    // The receiver is dropped after a few failures.
    let (sender, mut receiver) = mpsc::channel(1);
    let save = EventRepo::batch_save_stream((0..100).map(broken)).failures_to(sender).on(&db).into_future();
    let consume = async move {
        let mut seen: Vec<usize> = Vec::new();
        while seen.len() < 3 {
            let failure: SaveFailure<Event> = receiver.recv().await.unwrap();
            seen.push(failure.index);
        }
        // Takes the failures out of the channel before it closes.
        receiver.close();
        while let Some(failure) = receiver.recv().await {
            seen.push(failure.index);
        }
        seen
    };
    let (result, mut seen) = tokio::join!(save, consume);
    seen.extend(result.unwrap_err().failures().iter().map(|failure| failure.index));
    assert_eq!(seen, (0..100).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_panicking_callback_loses_nothing() {
    let (db, _, written) = refuses("poison");
    let db = Faults::seeded(1).delay(Duration::from_millis(10)).on(&db);
    let mut all: Vec<Event> = events(100).collect();
    for poisoned in [5, 30, 55, 80] {
        all[poisoned].name = "poison".to_owned();
    }
    let mut told = Vec::new();
    let save = EventRepo::batch_save_stream(&all).on(&db).on_failure(|failure| {
        if !told.is_empty() {
            panic!("the second is too much");
        }
        told.push(failure.index);
    });
    let error = save.await.unwrap_err();
    assert!(matches!(error.stopped(), Some(Error::Configuration(_))), "{error}");
    let mut failed: Vec<usize> = error.failures().iter().map(|failure| failure.index).collect();
    failed.extend(told);
    failed.sort_unstable();
    // All of them were taken in before the first answer, so each is written or has failed.
    let written = written.lock().unwrap();
    let lost: Vec<usize> =
        (0..100).filter(|index| !written.contains_key(&(*index as u32)) && !failed.contains(index)).collect();
    assert!(lost.is_empty(), "{lost:?}");
    assert_eq!(error.stats().items + error.stats().failed, 100);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_failures_that_nothing_takes_end_the_stream() {
    let (db, requests, _) = willing();
    let (all, taken) = counted((0..5000).map(broken));
    let error = EventRepo::batch_save_stream(all).on(&db).await.unwrap_err();
    assert_eq!((error.failures().len(), taken.load(Ordering::Relaxed)), (1000, 1000));
    let stopped = error.stopped().unwrap();
    assert!(matches!(stopped, Error::Configuration(_)));
    assert!(stopped.to_string().contains("`.on_failure(…)`"), "{stopped}");
    assert!(requests.is_empty());
    // One failure fewer does not end the stream.
    let all = (0..999).map(broken).chain((999..2000).map(event));
    let error = EventRepo::batch_save_stream(all).on(&db).await.unwrap_err();
    assert!(error.stopped().is_none());
    assert_eq!((error.failures().len(), error.stats().items), (999, 1001));
}

#[tokio::test(start_paused = true)]
async fn a_missing_table_ends_the_stream() {
    let (db, requests, _) = table(|_, _| Answer::error(400, "ResourceNotFoundException", "no such table"));
    let db = Faults::seeded(1).delay(Duration::from_millis(5)).on(&db);
    let (all, taken) = counted(events(100_000));
    let error = EventRepo::batch_save_stream(all).on(&db).await.unwrap_err();
    assert!(matches!(error.stopped(), Some(Error::TableNotFound(_))), "{error}");
    let taken = taken.load(Ordering::Relaxed);
    assert_eq!(error.failures().len(), taken);
    assert!(error.failures().iter().all(|failure| failure.fate == Fate::NotSent));
    let entities: Vec<u32> = error.into_failures().into_iter().map(|failure| failure.entity.number).collect();
    assert!((0..taken as u32).all(|number| entities.contains(&number)) && taken <= 1600);
    assert!(requests.len() <= 8);

    let mut told = 0;
    let error =
        EventRepo::batch_delete_stream(0..100_000u32).on_failure(|_| told += 1).on(&db).await.unwrap_err();
    assert!(matches!(error.stopped(), Some(Error::TableNotFound(_))) && error.failures().is_empty());
    assert_eq!(error.stats().failed, told);
    let error: Error = error.into();
    assert!(error.to_string().starts_with("deleting `Event` in the table `events`: "), "{error}");

    let mut found = pin!(EventRepo::batch_get_stream(0..100_000u32).on(&db));
    let GetStreamError::Key(failure) = found.next().await.unwrap().unwrap_err() else { panic!("no key") };
    assert!(matches!(*failure.reason, Error::TableNotFound(_)) && failure.index == 0);
    let last = found.filter_map(async |found| found.err()).collect::<Vec<_>>().await.pop();
    assert!(matches!(last, Some(GetStreamError::Stopped(why)) if matches!(*why, Error::TableNotFound(_))));
}

#[tokio::test(start_paused = true)]
async fn a_stream_whose_future_is_dropped_can_begin_again_at_its_checkpoint() {
    for millis in [0, 7, 55, 130, 1000] {
        let (db, _, table) = willing();
        let shortest = Duration::from_millis(1);
        let faults =
            Faults::seeded(millis).delay_between(shortest, shortest * 40).unprocessed(0.2).throttle(0.1);
        let db = faults.on(&db);
        let all =
            events(4000).map(|event| if event.number % 1000 == 3 { broken(event.number) } else { event });
        let mut save = EventRepo::batch_save_stream(all.clone()).on_failure(drop).on(&db);
        let progress = save.progress();
        let ended = timeout(Duration::from_millis(millis), save.into_future()).await.is_ok();
        let reached = progress.get();
        assert!(!ended || reached.checkpoint == 4000);
        assert!(
            reached.received >= reached.done + reached.failed
                && reached.checkpoint <= reached.done + reached.failed
        );
        let written = table.lock().unwrap().clone();
        assert!(written.len() as u64 >= reached.done);
        let checkpoint = reached.checkpoint as usize;
        assert!(millis < 130 || checkpoint > 0, "{reached:?}");
        let left_out = all
            .clone()
            .take(checkpoint)
            .find(|event| !event.weight.is_nan() && !written.contains_key(&event.number));
        assert_eq!(left_out, None, "after {millis} ms: {reached:?}");
        EventRepo::batch_save_stream(all.skip(checkpoint)).on_failure(drop).on(&db).await.unwrap();
        assert_eq!(table.lock().unwrap().len(), 4000 - 4);
    }
}

#[tokio::test(start_paused = true)]
async fn writes_of_one_key_are_sent_in_order_and_one_at_a_time() {
    for seed in 0..20 {
        let random = Mutex::new(fastrand::Rng::with_seed(seed));
        let under_way: Mutex<HashMap<u32, Instant>> = Mutex::default();
        let (db, _, table) = table(move |table, request| {
            let (mut random, mut under_way) = (random.lock().unwrap(), under_way.lock().unwrap());
            let (now, delay) = (Instant::now(), Duration::from_millis(random.u64(1..20)));
            for number in numbers(request) {
                let until = under_way.insert(number, now + delay);
                assert!(until.is_none_or(|until| until <= now), "{number} is written twice at a time");
            }
            let before = table.lock().unwrap().clone();
            let answer = carry_out(table, request, |_| random.u32(0..5) > 0);
            for (number, name) in table.lock().unwrap().iter() {
                assert!(
                    before.get(number).is_none_or(|before| before <= name),
                    "{number} went back to {name}"
                );
            }
            answer.after(delay)
        });
        let mut random = fastrand::Rng::with_seed(seed);
        let keys = random.u32(1..300);
        let all: Vec<Event> =
            (0..3000).map(|version| named(random.u32(0..keys), &format!("{version:05}"))).collect();
        let stats = EventRepo::batch_save_stream(&all).on(&db).await.unwrap();
        assert_eq!((stats.items + stats.superseded, stats.failed), (3000, 0));
        let last: BTreeMap<u32, String> =
            all.iter().map(|event| (event.number, event.name.clone())).collect();
        assert_eq!(*table.lock().unwrap(), last, "seed {seed}");
    }
}

/// A rejected request is split in half. Writes of the same key that arrive meanwhile, or while a half waits,
/// are written in order too.
#[tokio::test(start_paused = true)]
async fn a_later_write_stands_also_when_an_earlier_one_waits_in_a_half_of_a_refused_request() {
    let (db, requests, table) = table(|table, request| {
        let answer = match request.text().contains("poison") {
            true => Answer::error(400, "ValidationException", "no"),
            false => carry_out(table, request, |_| true),
        };
        answer.after(Duration::from_secs(10))
    });
    let first = [named(0, "poison")].into_iter().chain((1..24).map(event)).chain([named(99, "first")]);
    let later = stream::iter([(5, named(99, "second")), (10, named(99, "third"))]);
    let later = later.then(async |(seconds, event)| {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        event
    });
    let all = stream::iter(first).chain(later);
    let stats = EventRepo::batch_save_stream(all).concurrency(1).on_failure(drop).on(&db).await.unwrap();
    assert_eq!(stats.failed, 1);
    assert_eq!(table.lock().unwrap()[&99], "third", "{:?}", sizes(&requests));
}

#[tokio::test(start_paused = true)]
async fn duplicates_on_their_way_are_settled_as_the_caller_says() {
    let all = [named(1, "first"), named(2, "other"), named(1, "second"), named(1, "third")];
    let slow =
        || table(|table, request| carry_out(table, request, |_| true).after(Duration::from_millis(10)));

    let (db, requests, table) = slow();
    let stats = EventRepo::batch_save_stream(&all).duplicates(Duplicates::FirstWins).on(&db).await.unwrap();
    assert_eq!((stats.items, stats.superseded), (2, 2));
    assert_eq!((table.lock().unwrap()[&1].as_str(), sizes(&requests)), ("first", vec![2]));

    let (db, requests, table) = slow();
    let mut refused = Vec::new();
    let save = EventRepo::batch_save_stream(&all).duplicates(Duplicates::Refuse);
    let stats = save.on_failure(|failure| refused.push((failure.index, failure.fate))).on(&db).await.unwrap();
    assert_eq!((stats.items, stats.superseded, stats.failed), (2, 0, 2));
    assert_eq!(refused, [(2, Fate::Rejected), (3, Fate::Rejected)]);
    assert_eq!((table.lock().unwrap()[&1].as_str(), sizes(&requests)), ("first", vec![2]));

    let (db, requests, table) = slow();
    let stats = EventRepo::batch_save_stream(&all).on(&db).await.unwrap();
    assert_eq!((stats.items, stats.superseded), (2, 2));
    assert_eq!((table.lock().unwrap()[&1].as_str(), sizes(&requests)), ("third", vec![2]));

    // Far apart they are two writes, whatever `duplicates` says.
    for duplicates in [Duplicates::FirstWins, Duplicates::Refuse, Duplicates::LastWins] {
        let (db, _, table) = slow();
        let later = stream::once(async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            named(1, "later")
        });
        let all = stream::iter(all[..2].to_vec()).chain(later);
        let stats = EventRepo::batch_save_stream(all).duplicates(duplicates).on(&db).await.unwrap();
        assert_eq!((stats.items, stats.superseded, stats.failed), (3, 0, 0));
        assert_eq!(table.lock().unwrap()[&1], "later");
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_ends_a_stream_with_an_error() {
    let deadline = Retry::default().deadline(Duration::from_secs(3));
    // No answer at all.
    let (db, ..) = table(|_, _| Answer::Never);
    let (all, taken) = counted(events(100_000));
    let start = Instant::now();
    let error = EventRepo::batch_save_stream(all).retry(deadline).on(&db).await.unwrap_err();
    assert_eq!(start.elapsed(), Duration::from_secs(3));
    assert!(matches!(error.stopped(), Some(Error::Timeout(_))), "{error}");
    assert_eq!(error.failures().len(), taken.load(Ordering::Relaxed));
    let unknown = error.failures().iter().filter(|failure| failure.fate == Fate::Unknown).count();
    assert_eq!(unknown, 8 * MAX_BATCH_WRITE_ITEMS);
    assert!(error.failures().iter().all(|failure| matches!(failure.fate, Fate::Unknown | Fate::NotSent)));

    // The server answers, but the stream does not end: nothing has failed, and yet it is an error.
    let (db, _, table) = willing();
    let all = stream::iter(events(30)).chain(stream::pending());
    let error = EventRepo::batch_save_stream(all).retry(deadline).on(&db).await.unwrap_err();
    assert!(matches!(error.stopped(), Some(Error::Timeout(_))) && error.failures().is_empty(), "{error}");
    assert_eq!((error.stats().items, table.lock().unwrap().len()), (30, 30));
}

/// Reading a stream to its end gives everything, or an error.
#[tokio::test(start_paused = true)]
async fn a_deadline_ends_a_stream_of_entities_with_an_error() {
    let deadline = Retry::default().deadline(Duration::from_secs(3));
    let (db, _, table) = willing();
    table.lock().unwrap().extend((0..100).map(|number| (number, String::new())));
    // The stream of keys does not end.
    let keys = stream::iter(0..100u32).chain(stream::pending());
    let found: Vec<_> = EventRepo::batch_get_stream(keys).retry(deadline).on(&db).collect().await;
    let errors = found.iter().filter(|found| found.is_err()).count();
    assert_eq!((found.len() - errors, errors), (100, 1), "the stream ended as if those were all");
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_of_a_stream_with_a_deadline_misses_nothing_unknowingly() {
    let (db, _, table) = willing();
    table.lock().unwrap().extend((0..10_000).map(|number| (number, String::new())));
    let deadline = Retry::default().deadline(Duration::from_secs(3));
    let mut found = pin!(EventRepo::batch_get_stream(0..10_000u32).retry(deadline).on(&db));
    let (mut read, mut failed) = (0, 0);
    while let Some(next) = found.next().await {
        match next {
            Ok(_) => read += 1,
            Err(_) => failed += 1,
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(read == 10_000 || failed > 0, "{read} of 10,000 were read, and nothing says why not more");
}

#[tokio::test(start_paused = true)]
async fn entities_come_in_the_order_of_their_keys() {
    let (db, _, table) = table(|table, request| {
        let mut random = fastrand::Rng::with_seed(request.number as u64);
        let delay = Duration::from_millis(random.u64(1..50));
        carry_out(table, request, |_| random.u32(0..5) > 0).after(delay)
    });
    // Every third item is missing.
    table
        .lock()
        .unwrap()
        .extend((0..6000).filter(|number| number % 3 > 0).map(|number| (number, number.to_string())));
    let (keys, taken) = counted((0..6000u32).rev().chain([5, 5, 3, 5]));
    let mut found = pin!(EventRepo::batch_get_stream(keys).on(&db));
    let mut numbers = Vec::new();
    while let Some(next) = found.next().await {
        let event = next.unwrap();
        assert_eq!(event.name, event.number.to_string());
        numbers.push(event.number);
        assert!(taken.load(Ordering::Relaxed) <= numbers.len() * 3 / 2 + 3200 + 2);
    }
    let expected: Vec<u32> = (0..6000).rev().chain([5, 5, 5]).filter(|number| number % 3 > 0).collect();
    assert_eq!(numbers, expected);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_cannot_be_read_fails_in_its_place() {
    let (db, _, table) = refuses("\"13\"");
    table
        .lock()
        .unwrap()
        .extend((0..300).filter(|number| *number != 7).map(|number| (number, String::new())));
    let found: Vec<Result<Event, KeyFailure<Event>>> = EventRepo::batch_get_stream(0..300u32)
        .on(&db)
        .map(|found| {
            found.map_err(|error| match error {
                GetStreamError::Key(failure) => failure,
                error => panic!("{error:?}"),
            })
        })
        .collect()
        .await;
    let numbers: Vec<u32> = found
        .iter()
        .map(|found| found.as_ref().map_or_else(|failure| failure.key, |event| event.number))
        .collect();
    assert_eq!(numbers, (0..300).filter(|number| *number != 7).collect::<Vec<_>>());
    let failures: Vec<&KeyFailure<Event>> = found.iter().filter_map(|found| found.as_ref().err()).collect();
    assert_eq!(
        failures.iter().map(|failure| (failure.index, failure.key, failure.fate)).collect::<Vec<_>>(),
        [(13, 13, Fate::Rejected)]
    );
    assert_eq!(failures[0].to_string(), "#13 (`Event` with number = 13) is rejected");
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_keys_is_taken_as_it_is_polled() {
    let (db, requests, _) = willing();
    let (keys, taken) = counted(0..10_000u32);
    let mut found = EventRepo::batch_get_stream(keys).on(&db);
    assert_eq!((taken.load(Ordering::Relaxed), requests.len()), (0, 0));
    // None of the keys exists, so all are read.
    assert!(timeout(FOREVER, found.next()).await.expect("the stream goes on").is_none());
    assert_eq!((taken.load(Ordering::Relaxed), requests.len()), (10_000, 100));
    assert!(found.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn without_a_database_a_stream_says_so() {
    let (all, taken) = counted(events(10));
    let error = EventRepo::batch_save_stream(all).await.unwrap_err();
    assert!(matches!(error.stopped(), Some(Error::NoDatabase)) && error.failures().is_empty());
    assert_eq!(taken.load(Ordering::Relaxed), 0);
    let found: Vec<_> = EventRepo::batch_get_stream([1u32, 2, 3]).collect().await;
    let [Err(GetStreamError::Stopped(why))] = &found[..] else { panic!("{found:?}") };
    assert!(matches!(**why, Error::NoDatabase));
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_when_nothing_gets_through() {
    let (db, requests, _) = table(|_, _| Answer::throttled());
    let (all, taken) = counted(events(100_000));
    let error = EventRepo::batch_save_stream(all).on(&db).await.unwrap_err();
    assert!(matches!(error.stopped(), Some(Error::Throttled(_))), "{error}");
    assert_eq!(error.failures().len(), taken.load(Ordering::Relaxed));
    assert!(error.failures().iter().all(|failure| matches!(failure.fate, Fate::Unprocessed | Fate::NotSent)));
    assert!(requests.len() < 100);
}

/// Several requests that come back unprocessed at once, without a delay, stay several requests.
#[tokio::test(start_paused = true)]
async fn no_request_is_too_large_when_a_table_takes_nothing_and_nothing_waits() {
    let (db, requests, _) = table(|table, request| match request.number {
        0..40 => Answer::throttled().after(Duration::from_millis(10)),
        _ => carry_out(table, request, |_| true),
    });
    let retry = Retry::default().base_delay(Duration::ZERO).rounds(50);
    let save = EventRepo::batch_save_stream(events(1000)).concurrency(20).retry(retry);
    assert_eq!(save.on(&db).await.unwrap().items, 1000);
    let sizes = sizes(&requests);
    assert!(sizes.iter().all(|size| *size <= MAX_BATCH_WRITE_ITEMS), "{sizes:?}");
}

/// The first write is executed and its answer lost; the second, which arrived meanwhile, is never sent.
#[tokio::test(start_paused = true)]
async fn what_may_be_written_is_not_said_to_be_known_when_a_later_write_takes_its_place() {
    let (db, _, table) = table(|table, request| match request.number {
        0 => {
            carry_out(table, request, |_| true);
            Answer::Cut.after(Duration::from_secs(10))
        }
        _ => Answer::Refused,
    });
    let later = stream::once(async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        named(1, "second")
    });
    let all = stream::iter([named(1, "first")]).chain(later);
    let error = EventRepo::batch_save_stream(all).on(&db).await.unwrap_err();
    assert_eq!(table.lock().unwrap()[&1], "first");
    let fates: Vec<(usize, Fate)> =
        error.failures().iter().map(|failure| (failure.index, failure.fate)).collect();
    assert!(!Error::from(error).outcome_known(), "{fates:?}");
}

#[tokio::test(start_paused = true)]
async fn a_full_channel_of_failures_does_not_outlast_the_deadline() {
    let (db, ..) = willing();
    let (sender, mut receiver) = mpsc::channel(1);
    let deadline = Retry::default().deadline(Duration::from_secs(3));
    let save = EventRepo::batch_save_stream((0..100).map(broken)).retry(deadline).failures_to(sender).on(&db);
    let error = timeout(FOREVER, save.into_future()).await.expect("the deadline holds").unwrap_err();
    assert!(matches!(error.stopped(), Some(Error::Timeout(_))), "{error}");
    // Inputs that were taken in and are not in the channel are in the error.
    let first: SaveFailure<Event> = receiver.try_recv().unwrap();
    assert_eq!(first.index, 0);
    assert!(!error.failures().is_empty());
    assert_eq!(error.stats().failed as usize, 1 + error.failures().len());
}
