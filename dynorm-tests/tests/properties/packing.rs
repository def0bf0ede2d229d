//! How a batch is split into requests: within DynamoDB's limits, with every item, and in as few requests as
//! possible.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dynorm::prelude::*;
use dynorm::{MAX_BATCH_GET_ITEMS, MAX_BATCH_WRITE_ITEMS};
use dynorm_tests::canned::{self, Answer, Recorded, Requests};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{cases, run};

#[derive(Entity, Clone, Debug, PartialEq)]
struct Parcel {
    #[entity(partition)]
    number: usize,
    content: String,
}

#[derive(Entity, Clone, Debug, PartialEq)]
struct Letter {
    #[entity(partition)]
    number: usize,
}

/// DynamoDB's limit of a request.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// The part of it that dynorm keeps free for the text around the items.
const SPARE_BYTES: usize = 64 * 1024;

fn parcel(number: usize, (size, is_control): (usize, bool)) -> Parcel {
    // A control character takes six bytes in JSON.
    Parcel { number, content: if is_control { "\u{1}" } else { "x" }.repeat(size) }
}

fn parcels(sizes: &[(usize, bool)]) -> Vec<Parcel> {
    sizes.iter().enumerate().map(|(number, size)| parcel(number, *size)).collect()
}

fn small() -> impl Strategy<Value = (usize, bool)> {
    (prop_oneof![9 => 0..20usize, 1 => 0..2000usize], any::<bool>())
}

fn large() -> impl Strategy<Value = (usize, bool)> {
    prop_oneof![
        (0..100_000usize, any::<bool>()),
        (300_000..409_000usize, Just(true)),
        (0..10usize, Just(false))
    ]
}

/// A table without an engine that returns items unprocessed as `keeps` says, and is slow on request.
fn table(
    keeps: impl Fn(&Recorded, usize) -> bool + Send + Sync + 'static,
    delay: u64,
) -> (Database, Requests) {
    canned::over(&canned::sink(), move |request| {
        let (mut writes, mut keys, mut found) = (json!({}), json!({}), json!({}));
        let mut position = 0;
        for (name, asked) in request.body["RequestItems"].as_object().unwrap() {
            let list = asked.as_array().or(asked["Keys"].as_array()).unwrap();
            found[name] = json!([]);
            let back = list.iter().filter(|_| {
                position += 1;
                !keeps(request, position - 1)
            });
            let back: Vec<Value> = back.cloned().collect();
            match back.is_empty() {
                true => {}
                false if asked.is_array() => writes[name] = Value::Array(back),
                false => keys[name] = json!({ "Keys": back }),
            }
        }
        let answer = json!({ "UnprocessedItems": writes, "UnprocessedKeys": keys, "Responses": found });
        let mut random = fastrand::Rng::with_seed(delay + request.number as u64);
        Answer::ok(answer.to_string()).after(Duration::from_millis(random.u64(0..=delay)))
    })
}

/// The items of a request, by table and number.
fn items(request: &Recorded) -> Vec<(String, usize)> {
    let mut items = Vec::new();
    for (name, asked) in request.body["RequestItems"].as_object().unwrap() {
        for entry in asked.as_array().or(asked["Keys"].as_array()).unwrap() {
            let places = [&entry["PutRequest"]["Item"], &entry["DeleteRequest"]["Key"], entry];
            let number = places.iter().find_map(|place| place["number"]["N"].as_str()).unwrap();
            items.push((name.clone(), number.parse().unwrap()));
        }
    }
    items
}

/// Checks that every item is sent exactly once and no request exceeds the limits. Returns the sizes of the
/// requests.
fn check(requests: &Requests, total: usize, most: usize) -> Result<Vec<(usize, usize)>, TestCaseError> {
    let requests = requests.all();
    let mut sent: Vec<(String, usize)> = requests.iter().flat_map(items).collect();
    prop_assert_eq!(sent.len(), total);
    sent.sort_unstable();
    sent.dedup();
    prop_assert_eq!(sent.len(), total, "something was sent twice");
    let sizes: Vec<(usize, usize)> =
        requests.iter().map(|request| (items(request).len(), request.bytes.len())).collect();
    for (items, bytes) in &sizes {
        prop_assert!((1..=most).contains(items) && *bytes <= MOST_BYTES, "{:?}", sizes);
    }
    Ok(sizes)
}

#[test]
fn small_items_travel_in_as_few_requests_as_there_can_be() {
    proptest!(cases(25), |(sizes in proptest::collection::vec(small(), 0..500), delay in 0..30u64)| {
        let (db, requests) = table(|_, _| true, delay);
        let all = parcels(&sizes);
        let saved = run(async { ParcelRepo::batch_save(&all).on(&db).await.unwrap() });
        check(&requests, all.len(), MAX_BATCH_WRITE_ITEMS)?;
        prop_assert_eq!(requests.len(), all.len().div_ceil(MAX_BATCH_WRITE_ITEMS));
        let bytes: usize = requests.all().iter().map(|request| request.bytes.len()).sum();
        prop_assert_eq!((saved.stats().requests, saved.stats().bytes), (requests.len() as u64, bytes as u64));

        requests.clear();
        run(async { ParcelRepo::batch_delete_entities(&all).on(&db).await.unwrap() });
        check(&requests, all.len(), MAX_BATCH_WRITE_ITEMS)?;
        prop_assert_eq!(requests.len(), all.len().div_ceil(MAX_BATCH_WRITE_ITEMS));

        requests.clear();
        run(async { ParcelRepo::batch_get(0..all.len()).on(&db).await.unwrap() });
        check(&requests, all.len(), MAX_BATCH_GET_ITEMS)?;
        prop_assert_eq!(requests.len(), all.len().div_ceil(MAX_BATCH_GET_ITEMS));

        // A stream that is ready at once is split in the same way.
        requests.clear();
        run(async { ParcelRepo::batch_save_stream(&all).on(&db).await.unwrap() });
        check(&requests, all.len(), MAX_BATCH_WRITE_ITEMS)?;
        prop_assert_eq!(requests.len(), all.len().div_ceil(MAX_BATCH_WRITE_ITEMS));
    });
}

#[test]
fn large_items_travel_in_requests_that_cannot_be_joined() {
    proptest!(cases(4), |(sizes in proptest::collection::vec(large(), 1..25))| {
        let (db, requests) = table(|_, _| true, 0);
        let all = parcels(&sizes);
        run(async { ParcelRepo::batch_save(&all).on(&db).await.unwrap() });
        let sizes = check(&requests, all.len(), MAX_BATCH_WRITE_ITEMS)?;
        for pair in sizes.windows(2) {
            let (items, bytes) = (pair[0].0 + pair[1].0, pair[0].1 + pair[1].1);
            let are_too_much = items > MAX_BATCH_WRITE_ITEMS || bytes > MOST_BYTES - SPARE_BYTES;
            prop_assert!(are_too_much, "{:?}", sizes);
        }
    });
}

/// For each request, how often the items that came back unprocessed had been sent.
type HandedBack = Arc<Mutex<Vec<Vec<usize>>>>;

/// A table that randomly returns items unprocessed, at most `most` times each.
fn fickle(seed: u64, share: f64, most: usize, delay: u64) -> (Database, Requests, HandedBack) {
    let handed_back = HandedBack::default();
    let (log, sent) = (handed_back.clone(), Mutex::new(HashMap::<(String, usize), usize>::new()));
    let random = Mutex::new(fastrand::Rng::with_seed(seed));
    let (db, requests) = table(
        move |request, position| {
            let (mut log, mut sent) = (log.lock().unwrap(), sent.lock().unwrap());
            log.resize(request.number + 1, Vec::new());
            let attempts = sent.entry(items(request)[position].clone()).or_default();
            *attempts += 1;
            let comes_back = *attempts <= most && random.lock().unwrap().f64() < share;
            if comes_back {
                log[request.number].push(*attempts);
            }
            !comes_back
        },
        delay,
    );
    (db, requests, handed_back)
}

/// Only unprocessed items are sent again, and those that came back together are sent together.
fn check_retries(
    requests: &Requests,
    handed_back: &HandedBack,
    total: usize,
    most: usize,
) -> Result<(), TestCaseError> {
    let handed_back = handed_back.lock().unwrap();
    let again: usize = handed_back.iter().map(Vec::len).sum();
    let sizes: Vec<usize> = requests.all().iter().map(|request| items(request).len()).collect();
    prop_assert!(sizes.iter().all(|size| (1..=most).contains(size)), "{:?}", sizes);
    prop_assert_eq!(sizes.iter().sum::<usize>(), total + again);
    // Full requests, a last one of new items, and one for each group that waits for its own time.
    let groups: usize =
        handed_back.iter().map(|attempts| attempts.iter().collect::<BTreeSet<_>>().len()).sum();
    prop_assert!(sizes.len() <= (total + again) / most + 1 + groups, "{:?}", sizes);
    Ok(())
}

#[test]
fn what_is_handed_back_costs_no_more_than_its_own_way() {
    let shares = prop_oneof![Just(0.02), Just(0.3), Just(0.8)];
    proptest!(cases(40), |(total in 1..400usize, seed: u64, share in shares, delay in 0..30u64)| {
        let all = parcels(&vec![(3, false); total]);
        let (db, requests, handed_back) = fickle(seed, share, 3, delay);
        let saved = run(async { ParcelRepo::batch_save(&all).on(&db).await.unwrap() });
        check_retries(&requests, &handed_back, total, MAX_BATCH_WRITE_ITEMS)?;
        let again: usize = handed_back.lock().unwrap().iter().map(Vec::len).sum();
        prop_assert_eq!((saved.stats().items, saved.stats().retries), (total as u64, again as u64));

        let (db, requests, handed_back) = fickle(seed, share, 3, delay);
        run(async { ParcelRepo::batch_get(0..total).on(&db).await.unwrap() });
        check_retries(&requests, &handed_back, total, MAX_BATCH_GET_ITEMS)?;
    });
}

fn counts(most: usize) -> impl Strategy<Value = (usize, usize)> {
    let count = move || prop_oneof![0..most / 8, 0..most];
    (count(), count())
}

#[test]
fn the_items_of_two_tables_share_requests() {
    proptest!(cases(40), |((parcels_sent, letters_sent) in counts(600), delay in 0..30u64)| {
        let numbers = |range: Range<usize>| range.map(|number| Letter { number });
        let (db, requests) = table(|_, _| true, delay);
        let all = parcels(&vec![(3, false); parcels_sent]);
        let total = parcels_sent + letters_sent;
        let save = dynorm::batch().save(&all).save(numbers(0..letters_sent)).on(&db).into_future();
        prop_assert_eq!(run(save).unwrap().items, total as u64);
        let sizes = check(&requests, total, MAX_BATCH_WRITE_ITEMS)?;
        prop_assert_eq!(requests.len(), total.div_ceil(MAX_BATCH_WRITE_ITEMS), "{:?}", sizes);

        requests.clear();
        let gets = (ParcelRepo::batch_get(0..parcels_sent), LetterRepo::batch_get(0..letters_sent));
        run(dynorm::batch_get(gets).on(&db).into_future()).unwrap();
        let sizes = check(&requests, total, MAX_BATCH_GET_ITEMS)?;
        prop_assert_eq!(requests.len(), total.div_ceil(MAX_BATCH_GET_ITEMS), "{:?}", sizes);
    });
}
