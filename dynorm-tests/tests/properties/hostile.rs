//! Every operation ends with a value or an error, whatever the server answers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dynorm::prelude::*;
use dynorm_tests::canned::{self, Answer, Requests};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value as Json;

use crate::roundtrip::item_of;
use crate::sample::*;
use crate::{cases, run};

/// Two entities of one table, so that the type of items is checked.
#[derive(Entity, Clone, Debug, PartialEq)]
#[entity(table = "shop", partition = "C#{customer}", sort = "O#{number}")]
#[entity(index("by_city", partition = "{city}"))]
struct Order {
    customer: String,
    number: u32,
    city: Option<String>,
    lines: Vec<Line>,
    #[entity(flatten)]
    rest: BTreeMap<String, Json>,
}

#[derive(Attribute, Clone, Debug, PartialEq)]
struct Line {
    price: f64,
    tags: std::collections::BTreeSet<String>,
}

/// A server with one answer for everything.
struct Hostile {
    db: Database,
    answer: Arc<Mutex<Answer>>,
    asked: Requests,
}

impl Hostile {
    fn new() -> Self {
        let answer = Arc::new(Mutex::new(Answer::Never));
        let (given, asked) = (answer.clone(), Arc::new(Mutex::new(Requests::default())));
        let so_far = asked.clone();
        let (db, requests) = canned::database(move |_| {
            // Pages without end are not the reader's fault.
            if so_far.lock().unwrap().len() < 4 { given.lock().unwrap().clone() } else { Answer::ok("{}") }
        });
        *asked.lock().unwrap() = requests.clone();
        Self { db, answer, asked: requests }
    }

    fn answers(&self, status: u16, body: &[u8]) {
        *self.answer.lock().unwrap() = Answer::Bytes(status, body.to_vec());
        self.ask_for_everything();
    }

    /// Runs all operations. They must end; the results do not matter.
    fn ask_for_everything(&self) {
        let db = &self.db;
        let special = crate::edges::some::<SpecialItem>();
        let order = Order {
            customer: "a".into(),
            number: 1,
            city: Some("Paris".into()),
            lines: vec![],
            rest: BTreeMap::new(),
        };
        // Each operation gets the answer several times.
        macro_rules! ask {
            ($operation:expr) => {
                self.asked.clear();
                let _ = $operation.await;
            };
        }
        let everything = async {
            ask!(SpecialItemRepo::find("k").on(db));
            ask!(SpecialItemRepo::get("k").on(db));
            ask!(SpecialItemRepo::all().on(db));
            ask!(SpecialItemRepo::count().on(db));
            ask!(SpecialItemRepo::save(&special).on(db));
            ask!(SpecialItemRepo::save(&special).merge().on(db));
            ask!(SpecialItemRepo::delete(&special).returning_old().on(db));
            ask!(SpecialItemRepo::batch_get(["k", "l"]).on(db));
            ask!(SpecialItemRepo::batch_save([&special]).on(db));
            ask!(SpecialItemRepo::batch_delete(["k"]).on(db));
            ask!(OrderRepo::find(("a", 1)).on(db));
            ask!(OrderRepo::all().on(db));
            ask!(OrderRepo::by_city("Paris").on(db).get_all());
            ask!(OrderRepo::batch_get([("a", 1u32)]).on(db));
            ask!(OrderRepo::batch_save([&order]).on(db));
        };
        // The clock skips every wait, so only an endless operation reaches this timeout.
        let ended = run(async { tokio::time::timeout(Duration::from_secs(100_000), everything).await });
        assert!(ended.is_ok(), "an operation hangs");
    }
}

/// An answer that has what each of the operations reads.
fn answer() -> Vec<u8> {
    let (db, requests) = canned::database(|_| Answer::ok("{}"));
    let special = SpecialItem { pk: "k".into(), ..crate::edges::some() };
    let order = Order {
        customer: "a".into(),
        number: 1,
        city: Some("Paris \"\\ 🦀".into()),
        lines: vec![Line { price: 1.5, tags: ["a".to_owned()].into() }],
        rest: BTreeMap::from([("else".to_owned(), serde_json::json!([1, { "a": null }, "x", 1.5, true]))]),
    };
    run(async {
        SpecialItemRepo::save(&special).on(&db).await.unwrap();
        OrderRepo::save(&order).on(&db).await.unwrap();
    });
    let items: Vec<String> = requests.of("PutItem").iter().map(|request| item_of(&request.text())).collect();
    let [special, order] = &items[..] else { panic!("two requests") };
    let key = r#"{"pk":{"S":"k"}}"#;
    format!(
        concat!(
            r#"{{"Item":{special},"Items":[{special},{order}],"Count":2,"ScannedCount":2,"LastEvaluatedKey":{key},"#,
            r#""Attributes":{special},"Responses":{{"special_items":[{special}],"shop":[{order}]}},"#,
            r#""UnprocessedKeys":{{"special_items":{{"Keys":[{key}]}}}},"#,
            r#""UnprocessedItems":{{"special_items":[{{"PutRequest":{{"Item":{special}}}}},{{"DeleteRequest":{{"Key":{key}}}}}]}},"#,
            r#""ConsumedCapacity":{{"TableName":"x","CapacityUnits":1.0}}}}"#
        ),
        special = special,
        order = order,
        key = key
    )
    .into_bytes()
}

/// A change of an answer.
#[derive(Clone, Debug)]
enum Change {
    Byte(Index, u8),
    Truncate(Index),
    Remove(Index, usize),
    Insert(Index, Vec<u8>),
    Repeat(Index, usize, usize),
    Swap(Index, Index, usize),
    Replace(&'static str, &'static str),
}

impl Change {
    fn apply(&self, body: &mut Vec<u8>) {
        if body.is_empty() {
            return;
        }
        let end = |start: usize, length: usize, body: &[u8]| (start + length).min(body.len());
        match self {
            Self::Byte(at, byte) => {
                let at = at.index(body.len());
                body[at] = *byte;
            }
            Self::Truncate(at) => body.truncate(at.index(body.len())),
            Self::Remove(at, length) => {
                let start = at.index(body.len());
                body.drain(start..end(start, *length, body));
            }
            Self::Insert(at, bytes) => {
                let at = at.index(body.len());
                body.splice(at..at, bytes.iter().copied());
            }
            Self::Repeat(at, length, times) => {
                let start = at.index(body.len());
                let part = body[start..end(start, *length, body)].repeat(*times);
                body.splice(start..start, part);
            }
            Self::Swap(one, other, length) => {
                let (one, other) = (one.index(body.len()), other.index(body.len()));
                let part = body[one..end(one, *length, body)].to_vec();
                body.splice(other..end(other, *length, body), part);
            }
            Self::Replace(from, to) => {
                let text = String::from_utf8_lossy(body).replace(from, to);
                *body = text.into_bytes();
            }
        }
    }
}

fn change() -> BoxedStrategy<Change> {
    let token = select(vec![
        "\"",
        "\\",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "null",
        "true",
        "0",
        "-",
        "\\u",
        "\\ud800",
        "\\\"",
        "\u{1}",
        " \n\t",
        "{\"S\":\"x\"}",
        "{\"N\":\"1E+2\"}",
        "{\"N\":\".5\"}",
        "{\"NULL\":true}",
        "{\"M\":{}}",
        "{\"L\":[]}",
        "{\"SS\":[]}",
        "{\"NS\":[\"x\",1]}",
        "{\"B\":\"*\"}",
        "{\"X\":1}",
        "\"Item\":",
        "\"pk\":",
        "é",
        "🦀",
    ]);
    let types =
        select(vec!["\"S\"", "\"N\"", "\"M\"", "\"L\"", "\"SS\"", "\"B\"", "\"BOOL\"", "\"NULL\"", "\"Q\""]);
    let names = vec![
        "Item",
        "Items",
        "Responses",
        "UnprocessedItems",
        "UnprocessedKeys",
        "Keys",
        "LastEvaluatedKey",
        "pk",
        "Key",
    ];
    prop_oneof![
        3 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Byte(at, byte)),
        1 => any::<Index>().prop_map(Change::Truncate),
        2 => (any::<Index>(), 1..40usize).prop_map(|(at, length)| Change::Remove(at, length)),
        4 => (any::<Index>(), token).prop_map(|(at, token)| Change::Insert(at, token.as_bytes().to_vec())),
        1 => (any::<Index>(), vec(any::<u8>(), 0..20)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        2 => (any::<Index>(), 1..60usize, 1..5usize).prop_map(|(at, length, times)| Change::Repeat(at, length, times)),
        2 => (any::<Index>(), any::<Index>(), 1..60usize).prop_map(|(one, other, length)| Change::Swap(one, other, length)),
        2 => (types.clone(), types).prop_map(|(from, to)| Change::Replace(from, to)),
        1 => (select(names.clone()), select(names)).prop_map(|(from, to)| Change::Replace(from, to)),
    ]
    .boxed()
}

#[test]
fn a_mutated_answer() {
    let answer = answer();
    let status =
        prop_oneof![6 => Just(200u16), 1 => select(vec![201u16, 204, 301, 400, 403, 413, 429, 500, 503])];
    let server = Hostile::new();
    proptest!(cases(200), |(changes in vec(change(), 1..4), status in status)| {
        let mut body = answer.clone();
        for change in &changes {
            change.apply(&mut body);
        }
        server.answers(status, &body);
    });
}

#[test]
fn any_bytes_at_all() {
    let bytes = prop_oneof![
        vec(any::<u8>(), 0..200),
        vec(select(b"{}[]\":,\\ SNMLBtrue0-1.eu\xff".to_vec()), 0..200),
    ];
    let server = Hostile::new();
    proptest!(cases(150), |(body in bytes, status in select(vec![200u16, 400, 500]))| {
        server.answers(status, &body);
    });
}

#[test]
fn the_answer_itself_is_good() {
    let body = answer();
    let (db, _) = canned::database(move |_| Answer::Bytes(200, body.clone()));
    run(async {
        assert!(SpecialItemRepo::get("k").on(&db).await.is_ok());
        let error = SpecialItemRepo::find("l").on(&db).await.unwrap_err();
        assert!(error.to_string().contains("another key"), "{error}");
    });
}

#[test]
fn every_length_of_an_answer_that_is_cut_off() {
    let body = answer();
    let server = Hostile::new();
    // A prime number, so that the cuts fall everywhere.
    for length in (0..body.len()).step_by(53) {
        server.answers(200, &body[..length]);
    }
}

#[test]
fn bombs() {
    let server = Hostile::new();
    let many = 100_000;
    let item = |attribute: &str| {
        format!(
            r#"{{"Item":{{"pk":{{"S":"k"}},"json":{attribute}}},"Items":[{{"pk":{{"S":"k"}},"json":{attribute}}}]}}"#
        )
    };
    let huge = "x".repeat(1_000_000);
    for body in [
        "[".repeat(many),
        "{\"Item\":".repeat(many),
        "{\"Item\":".to_owned() + &"[".repeat(many),
        item(&r#"{"M":{"a":"#.repeat(many)),
        item(&r#"{"L":["#.repeat(many)),
        item(&format!("{}{{\"N\":\"1\"}}{}", r#"{"L":["#.repeat(many), "]}".repeat(many))),
        item(&format!("{}{{\"N\":\"1\"}}{}", r#"{"M":{"a":"#.repeat(many), "}}".repeat(many))),
        item(&format!("{}{{\"N\":\"1\"}}{}", r#"{"M":{"a":"#.repeat(60), "}}".repeat(60))),
        item(&format!(r#"{{"S":"{huge}"}}"#)),
        item(&format!(r#"{{"N":"{}"}}"#, "9".repeat(1_000_000))),
        item(&format!(r#"{{"N":"0.{}1"}}"#, "0".repeat(1_000_000))),
        item(r#"{"N":"1e2147483647"}"#),
        item(r#"{"N":"1e-2147483648"}"#),
        item(r#"{"N":"1e99999999999999999999"}"#),
        item(r#"{"N":"10000000000000000000000e2147483647"}"#),
        item(&format!(r#"{{"{huge}":"x"}}"#)),
        item(&format!(r#"{{"B":"{huge}"}}"#)),
        item(&format!(r#"{{"NS":[{}"1"]}}"#, r#""1","#.repeat(many))),
        item(&format!(r#"{{"M":{{{}"a":{{"N":"1"}}}}}}"#, r#""a":{"N":"1"},"#.repeat(many))),
        item("{\"S\":\"\\ud800\"}"),
        item("{\"S\":\"\\ud83e\\u0041\"}"),
        item("{\"S\":\"\\x\"}"),
        item("{\"M\":{\"\\ud800\":{\"S\":\"a\"}}}"),
        r#"{"Item":{"pk":{"S":"k"},"\ud800":{"S":"a"}}}"#.to_owned(),
        " ".repeat(many) + "{}",
        "{}".to_owned() + &" x".repeat(many),
        r#"{"Item":null,"Items":null,"Responses":null,"UnprocessedItems":null,"UnprocessedKeys":null,"LastEvaluatedKey":null,"Attributes":null}"#.to_owned(),
        r#"{"Item":{},"Items":{},"Responses":[],"UnprocessedItems":[],"UnprocessedKeys":[],"LastEvaluatedKey":[],"Attributes":{}}"#.to_owned(),
        r#"{"Item":[],"Items":[[]],"Count":-1,"Attributes":5}"#.to_owned(),
    ] {
        server.answers(200, body.as_bytes());
    }
    server.answers(200, b"\xff\xfe");
    server.answers(200, b"{\"Item\":{\"pk\":{\"S\":\"\xff\"}}}");
    server.answers(200, b"\xef\xbb\xbf{}");
}

/// Of two attributes with the same name the first counts. JSON leaves this open, and DynamoDB sends no such
/// items.
#[test]
fn names_that_come_twice() {
    let (db, _) = canned::database(|_| {
        Answer::ok(
            r#"{"Item":{"pk":{"S":"k"},"sk":{"N":"1"}},"Item":{"pk":{"S":"k"},"sk":{"N":"2"},"sk":{"N":"3"}}}"#,
        )
    });
    #[derive(Entity, Clone, Debug, PartialEq)]
    struct Twice {
        #[entity(partition)]
        pk: String,
        sk: u8,
    }
    let found = run(async { TwiceRepo::get("k").on(&db).await }).unwrap();
    assert_eq!(found, Twice { pk: "k".into(), sk: 2 });
}
