//! The codec alone: one item of each kind from struct to bytes and back.
//!
//! dynorm's codec has no public interface. Writing is measured by the generated function; reading by the
//! difference between finding the item and finding nothing, through the whole stack. The SDK's reader and
//! writer are measured in the same way, with the same requests except for the item.

use std::collections::HashMap;
use std::hint::black_box;

use anyhow::ensure;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use dynorm::__private::Encoder;
use dynorm::Repository;
use dynorm::prelude::*;
use serde_dynamo::aws_sdk_dynamodb_1::{from_item, to_item};

use crate::shapes::{Document, Order, Plane, Shape, User};
use crate::stub::{client, recording_client};
use crate::work::{Case, Round, Way};
use crate::{DYNORM, FLOOR, SDK};

/// serde_dynamo alone, without the SDK's reader and writer.
pub(crate) const SERDE_DYNAMO: &str = "serde_dynamo";

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    add::<User>(&mut cases, 400);
    add::<Plane>(&mut cases, 400);
    add::<Order>(&mut cases, 200);
    add::<Document>(&mut cases, 20);
    cases
}

fn add<S: Shape>(cases: &mut Vec<Case>, rounds: u64) {
    cases.push(Case {
        name: format!("encode: {}", S::NAME),
        items: ITEMS as u64,
        rounds,
        ways: vec![
            Way::new(DYNORM, encode_dynorm::<S>),
            Way::new(FLOOR, encode_floor::<S>),
            Way::new(SERDE_DYNAMO, encode_serde_dynamo::<S>),
            Way::new(SDK, encode_sdk::<S>).without(encode_sdk_nothing),
        ],
    });
    cases.push(Case {
        name: format!("decode: {}", S::NAME),
        items: 1,
        rounds: rounds * ITEMS as u64,
        ways: vec![
            Way::new(DYNORM, decode_dynorm::<S>).without(decode_dynorm_nothing::<S>),
            Way::new(FLOOR, decode_floor::<S>),
            Way::new(SERDE_DYNAMO, decode_serde_dynamo::<S>).without(clone_item::<S>),
            Way::new(SDK, decode_sdk::<S>).without(decode_sdk_nothing),
        ],
    });
}

/// The number of items that are written into one buffer, limited so that 100 KB items do not make it grow
/// much.
const ITEMS: usize = 5;

fn samples<S: Shape>() -> Vec<S> {
    (1..=ITEMS).map(S::sample).collect()
}

/// The item to read, as JSON from the floor's writer.
pub(crate) fn json<S: Shape>(item: &S) -> String {
    let mut json = Vec::new();
    item.write(&mut json);
    String::from_utf8(json).unwrap_or_default()
}

/// Checks that the floor does the same work: the same bytes for an item, and the same item for the bytes.
pub(crate) fn check_floor() -> anyhow::Result<()> {
    assert_same::<User>()?;
    assert_same::<Plane>()?;
    assert_same::<Order>()?;
    assert_same::<Document>()
}

fn assert_same<S: Shape>() -> anyhow::Result<()> {
    let runtime = crate::work::runtime()?;
    let (client, sent) = recording_client("{}");
    let db = Database::new(client);
    for item in (1..50).map(S::sample) {
        // With timestamps, which the floor does not set.
        let item = runtime.block_on(<S::Repo as Repository>::save(item).on(&db).into_future())?;
        let text = json(&item);
        let sent = sent.lock().map(|sent| sent.clone()).unwrap_or_default();
        ensure!(sent.contains(&text), "the floor writes {text}, and dynorm {sent}");
        ensure!(S::from_json(text.as_bytes())? == item, "the floor reads {text} as another item");
    }
    Ok(())
}

fn encode_dynorm<S: Shape>() -> Round {
    let items = samples::<S>();
    Box::new(move |_| {
        let mut encoder = Encoder::default();
        for item in &items {
            let written = encoder.structure(S::INFO.fields, |writer| item.encode_item(writer));
            assert!(written.is_ok());
        }
        black_box(&encoder);
    })
}

fn encode_floor<S: Shape>() -> Round {
    let items = samples::<S>();
    Box::new(move |_| {
        let mut out = Vec::new();
        for item in &items {
            // dynorm's values are tagged here, so these are too.
            out.extend_from_slice(br#"{"M":"#);
            item.write(&mut out);
            out.push(b'}');
        }
        black_box(&out);
    })
}

fn encode_serde_dynamo<S: Shape>() -> Round {
    let items = samples::<S>();
    Box::new(move |_| {
        for item in &items {
            let item: HashMap<String, AttributeValue> = to_item(item).unwrap_or_default();
            assert!(!item.is_empty());
            black_box(&item);
        }
    })
}

fn encode_sdk<S: Shape>() -> Round {
    encode_by_sdk(samples::<S>())
}

fn encode_sdk_nothing() -> Round {
    encode_by_sdk(Vec::<User>::new())
}

fn encode_by_sdk<S: Shape>(items: Vec<S>) -> Round {
    let client = client(r#"{"UnprocessedItems":{}}"#);
    Box::new(move |runtime| {
        runtime.block_on(async {
            let mut writes = Vec::with_capacity(items.len());
            for item in &items {
                let put = PutRequest::builder().set_item(to_item(item).ok()).build().ok();
                writes.push(WriteRequest::builder().set_put_request(put).build());
            }
            assert!(client.batch_write_item().request_items("items", writes).send().await.is_ok());
        });
    })
}

/// The answer to a `GetItem`.
fn found<S: Shape>() -> String {
    format!(r#"{{"Item":{}}}"#, json(&S::sample(1)))
}

fn decode_dynorm<S: Shape>() -> Round {
    decode_by_dynorm::<S>(found::<S>(), true)
}

fn decode_dynorm_nothing<S: Shape>() -> Round {
    decode_by_dynorm::<S>("{}".to_owned(), false)
}

fn decode_by_dynorm<S: Shape>(answer: String, there: bool) -> Round {
    let db = Database::new(client(answer));
    let item = S::sample(1);
    Box::new(move |runtime| {
        let found = runtime.block_on(item.find().on(&db).into_future());
        assert!(found.is_ok_and(|found| found.is_some() == there));
    })
}

fn decode_floor<S: Shape>() -> Round {
    let json = json(&S::sample(1));
    Box::new(move |_| {
        let item = S::from_json(black_box(json.as_bytes()));
        assert!(item.is_ok());
        black_box(&item);
    })
}

fn item<S: Shape>() -> HashMap<String, AttributeValue> {
    dynorm::to_item(&S::sample(1)).unwrap_or_default()
}

fn decode_serde_dynamo<S: Shape>() -> Round {
    let item = item::<S>();
    Box::new(move |_| {
        let item = from_item::<S>(black_box(item.clone()));
        assert!(item.is_ok());
        black_box(&item);
    })
}

/// serde_dynamo consumes the item that it reads, so each round needs its own.
fn clone_item<S: Shape>() -> Round {
    let item = item::<S>();
    Box::new(move |_| {
        // serde_dynamo drops it in the other case.
        black_box(item.clone());
    })
}

fn decode_sdk<S: Shape>() -> Round {
    let client = client(found::<S>());
    Box::new(move |runtime| {
        let answer = runtime.block_on(client.get_item().table_name("items").set_key(Some(key())).send());
        let item = answer.ok().and_then(|answer| answer.item).and_then(|item| from_item::<S>(item).ok());
        assert!(item.is_some());
    })
}

fn decode_sdk_nothing() -> Round {
    let client = client("{}");
    Box::new(move |runtime| {
        let answer = runtime.block_on(client.get_item().table_name("items").set_key(Some(key())).send());
        assert!(answer.is_ok_and(|answer| answer.item.is_none()));
    })
}

fn key() -> HashMap<String, AttributeValue> {
    HashMap::from([("id".to_owned(), AttributeValue::S("1".to_owned()))])
}
