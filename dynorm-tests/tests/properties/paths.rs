//! An item that does not match the struct is an error with the path and the value's type.

use std::collections::{BTreeMap, BTreeSet};

use dynorm::prelude::*;
use dynorm::{Error, Repository};
use dynorm_tests::canned::{self, Answer};
use serde_json::{Value as Json, json};

use crate::run;
use crate::sample::{Tagged, address_text};

#[derive(Entity, Clone, Debug, PartialEq)]
struct Order {
    #[entity(partition)]
    id: String,
    address: Address,
    lines: Vec<Line>,
    titles: BTreeMap<String, String>,
    tags: BTreeSet<u32>,
    tagged: Tagged,
    scores: Option<Vec<Vec<f64>>>,
    picture: [u8; 2],
    paid: bool,
    letter: char,
    born: Timestamp,
    #[entity(rename = "a.b \"c\"")]
    renamed: i8,
    #[entity(default)]
    count: u64,
    #[entity(serde)]
    note: Note,
    #[entity(with = address_text)]
    host: std::net::IpAddr,
    #[entity(flatten)]
    rest: BTreeMap<String, Json>,
}

#[derive(Attribute, Clone, Debug, PartialEq)]
struct Address {
    zip: String,
    floor: Option<i8>,
}

#[derive(Attribute, Clone, Debug, PartialEq)]
struct Line {
    price: u32,
}

#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq)]
struct Note {
    text: String,
    marks: BTreeMap<String, u8>,
}

fn item() -> Json {
    json!({
        "id": {"S": "a"},
        "address": {"M": {"zip": {"S": "75001"}}},
        "lines": {"L": [{"M": {"price": {"N": "1"}}}]},
        "titles": {"M": {"fr": {"S": "Thé"}}},
        "tags": {"NS": ["1", "2"]},
        "tagged": {"M": {"a \"kind\"": {"S": "unit"}}},
        "picture": {"B": "AAE="},
        "paid": {"BOOL": true},
        "letter": {"S": "x"},
        "born": {"S": "2026-03-01T12:30:00Z"},
        "a.b \"c\"": {"N": "1"},
        "note": {"M": {"text": {"S": ""}, "marks": {"M": {}}}},
        "host": {"S": "::1"},
        "else": {"L": []}
    })
}

/// The error of an item with these values under these names; NULL removes the attribute.
fn problem(changes: &[(&str, &str)]) -> Result<Order, String> {
    let mut item = item();
    let entries = item.as_object_mut().unwrap();
    for (name, value) in changes {
        match *value {
            "" => {
                entries.remove(*name);
            }
            json => {
                entries.insert((*name).to_owned(), serde_json::from_str(json).unwrap());
            }
        }
    }
    let (db, _) = canned::database(move |_| Answer::ok(json!({ "Item": item }).to_string()));
    run(async { OrderRepo::get("a").on(&db).await }).map_err(|error| {
        assert!(matches!(error, Error::Undecodable(_)), "{error:?}");
        let text = error.to_string();
        let (start, problem) =
            text.split_once("does not fit the struct: ").unwrap_or_else(|| panic!("{text}"));
        assert!(
            start.contains("`Order`") && start.contains("id = a") && start.contains("`orders`"),
            "{text}"
        );
        problem.to_owned()
    })
}

#[test]
fn the_item_fits() {
    assert!(problem(&[]).is_ok());
    // NULL means absent where absence is allowed.
    let order = problem(&[
        ("scores", r#"{"NULL":true}"#),
        ("tags", r#"{"NULL":true}"#),
        ("count", r#"{"NULL":true}"#),
        ("else", r#"{"NULL":true}"#),
    ])
    .unwrap();
    assert_eq!((order.scores, order.tags, order.count), (None, BTreeSet::new(), 0));
    assert_eq!(order.rest, BTreeMap::from([("else".to_owned(), Json::Null)]));
}

#[test]
fn a_wrong_value_says_where_it_stands() {
    for (name, value, expected) in [
        ("id", r#"{"N":"1"}"#, "id: expected a string, found a number"),
        ("address", r#"{"S":"x"}"#, "address: expected a map, found a string"),
        ("address", r#"{"M":{"zip":{"N":"75001"}}}"#, "address.zip: expected a string, found a number"),
        (
            "address",
            r#"{"M":{}}"#,
            "address.zip: the attribute is missing; make the field an `Option` or give it a `default` if it \
            may be",
        ),
        ("address", r#"{"M":{"zip":{"NULL":true}}}"#, "address.zip: expected a string, found NULL"),
        (
            "address",
            r#"{"M":{"zip":{"S":""},"floor":{"N":"128"}}}"#,
            "address.floor: the number does not fit i8",
        ),
        ("lines", r#"{"M":{}}"#, "lines: expected a list, found a map"),
        (
            "lines",
            r#"{"L":[{"M":{"price":{"N":"1"}}},{"M":{"price":{"N":"1"}}},{"M":{"price":{"BOOL":true}}}]}"#,
            "lines[2].price: expected a number, found a boolean",
        ),
        ("lines", r#"{"L":[{"M":{"price":{"N":"-1"}}}]}"#, "lines[0].price: the number does not fit u32"),
        (
            "lines",
            r#"{"L":[{"M":{"price":{"N":"1.5"}}}]}"#,
            "lines[0].price: expected a whole number (u32), found one with a fraction",
        ),
        ("lines", r#"{"L":[{"M":{"price":{"N":"1E+99"}}}]}"#, "lines[0].price: the number does not fit u32"),
        ("titles", r#"{"M":{"fr":{"N":"1"}}}"#, r#"titles["fr"]: expected a string, found a number"#),
        (
            "titles",
            r#"{"M":{"a \"b\"\n":{"N":"1"}}}"#,
            r#"titles["a \"b\"\n"]: expected a string, found a number"#,
        ),
        ("tags", r#"{"SS":["1"]}"#, "tags[0]: expected a number, found a string"),
        ("tags", r#"{"NS":["1","-2"]}"#, "tags[1]: the number does not fit u32"),
        ("tags", r#"{"L":[{"N":"1"}]}"#, "tags: expected a set, found a list"),
        ("tagged", r#"{"M":{}}"#, "tagged.a \"kind\": the attribute that names the variant is missing"),
        ("tagged", r#"{"S":"unit"}"#, "tagged: expected a map, found a string"),
        (
            "tagged",
            r#"{"M":{"a \"kind\"":{"S":"nested"},"value":{"M":{"city":{"N":"1"}}}}}"#,
            "tagged.value.city: expected a string, found a number",
        ),
        (
            "tagged",
            r#"{"M":{"a \"kind\"":{"S":"deeper"},"value":{"L":[{"M":{"a \"kind\"":{"N":"1"}}}]}}}"#,
            "tagged.value[0].a \"kind\": expected a string, found a number",
        ),
        (
            "scores",
            r#"{"L":[{"L":[]},{"L":[{"N":"1"},{"S":"1"}]}]}"#,
            "scores[1][1]: expected a number, found a string",
        ),
        ("scores", r#"{"N":"1"}"#, "scores: expected a list, found a number"),
        ("scores", r#"{"L":[{"L":[{"N":"1e999"}]}]}"#, "scores[0][0]: the number does not fit f64"),
        ("picture", r#"{"B":"AAEC"}"#, "picture: expected 2 elements, found 3"),
        ("picture", r#"{"B":"*"}"#, "picture: these bytes are not valid base64"),
        ("picture", r#"{"S":"AAE="}"#, "picture: expected bytes, found a string"),
        ("picture", r#"{"L":[{"N":"1"},{"N":"256"}]}"#, "picture[1]: the number does not fit u8"),
        ("paid", r#"{"S":"true"}"#, "paid: expected a boolean, found a string"),
        ("letter", r#"{"S":"xy"}"#, "letter: expected a text of one character"),
        ("letter", r#"{"S":""}"#, "letter: expected a text of one character"),
        ("born", r#"{"S":"yesterday"}"#, "born: expected a time in RFC 3339, such as 2026-03-01T12:30:00Z"),
        ("a.b \"c\"", r#"{"S":"1"}"#, "a.b \"c\": expected a number, found a string"),
        ("count", r#"{"S":"1"}"#, "count: expected a number, found a string"),
        ("note", r#"{"M":{"text":{"S":""}}}"#, "note.marks: the field is missing"),
        (
            "note",
            r#"{"M":{"text":{"S":""},"marks":{"M":{"x":{"N":"256"}}}}}"#,
            r#"note.marks["x"]: the number does not fit u8"#,
        ),
        (
            "note",
            r#"{"M":{"text":{"N":"1"},"marks":{"M":{}}}}"#,
            "note.text: expected a string, found a number",
        ),
        ("host", r#"{"S":"nowhere"}"#, "host: expected an IP address"),
        ("host", r#"{"N":"1"}"#, "host: expected a string, found a number"),
        (
            "else",
            r#"{"M":{"x":{"L":[{"N":"1e125"},{"N":"0.1234567890123456789"}]}}}"#,
            r#"else["x"][1]: the number does not fit the 64 bits of serde_json without rounding"#,
        ),
    ] {
        assert_eq!(problem(&[(name, value)]).unwrap_err(), expected, "{name}: {value}");
    }
}

#[test]
fn a_missing_attribute_is_named() {
    for name in [
        "address",
        "lines",
        "titles",
        "tagged",
        "picture",
        "paid",
        "letter",
        "born",
        "a.b \"c\"",
        "note",
        "host",
    ] {
        let expected = format!(
            "{name}: the attribute is missing; make the field an `Option` or give it a `default` if it may be"
        );
        assert_eq!(problem(&[(name, "")]).unwrap_err(), expected);
    }
}

/// Invalid DynamoDB JSON inside an attribute.
#[test]
fn what_is_no_value_is_told_with_its_attribute() {
    for (name, value) in [
        ("address", r#"{"X":"x"}"#),
        ("address", r#"{}"#),
        ("address", r#"[]"#),
        ("address", r#"null"#),
        ("address", r#"{"S":"a","N":"1"}"#),
        ("lines", r#"{"L":5}"#),
        ("lines", r#"{"L":[5]}"#),
        ("lines", r#"{"L":[{"M":[]}]}"#),
        ("titles", r#"{"M":null}"#),
        ("tags", r#"{"NS":[1]}"#),
        ("tags", r#"{"NS":"1"}"#),
        ("paid", r#"{"BOOL":"true"}"#),
        ("paid", r#"{"BOOL":1}"#),
        ("letter", r#"{"S":5}"#),
        ("a.b \"c\"", r#"{"N":1}"#),
        ("note", r#"{"M":{"text":{"S":"","N":""}}}"#),
    ] {
        let problem = problem(&[(name, value)]).unwrap_err();
        assert!(problem.starts_with(name), "{name}: {value}: {problem}");
    }
}

#[test]
fn numbers_in_any_spelling_are_read() {
    for (text, number) in [
        ("1E+2", 100),
        ("1e2", 100),
        ("+100", 100),
        ("100.0", 100),
        ("100.", 100),
        ("0100", 100),
        ("1000e-1", 100),
        (".5e1", 5),
        ("-0", 0),
        ("0e-400", 0),
        ("-0.0", 0),
    ] {
        let value = json!({ "N": text }).to_string();
        let order = problem(&[("a.b \"c\"", &value)]).unwrap();
        assert_eq!(order.renamed, number, "{text}");
        if number >= 0 {
            assert_eq!(
                problem(&[("count", &value)]).unwrap().count,
                u64::from(number.unsigned_abs()),
                "{text}"
            );
        }
        let scores = json!({ "L": [{ "L": [{ "N": text }] }] }).to_string();
        assert_eq!(
            problem(&[("scores", &scores)]).unwrap().scores,
            Some(vec![vec![f64::from(number)]]),
            "{text}"
        );
    }
    for text in [
        "", "-", "+", ".", "1e", "e5", "1x", "NaN", "inf", "Infinity", "0x10", "1_000", " 1", "1 ", "١",
        "--1", "1e1e1",
    ] {
        let value = json!({ "N": text }).to_string();
        assert!(problem(&[("count", &value)]).is_err(), "{text}");
        let scores = json!({ "L": [{ "L": [{ "N": text }] }] }).to_string();
        assert!(problem(&[("scores", &scores)]).is_err(), "{text}");
    }
}

/// In a scan, the index of the item comes first.
#[test]
fn an_item_among_others_is_named_by_its_position() {
    let (good, mut bad) = (item(), item());
    bad["address"]["M"]["zip"] = json!({ "N": "1" });
    let (db, _) = canned::database(move |_| {
        Answer::ok(json!({ "Items": [good, good, good, bad, good], "Count": 5 }).to_string())
    });
    let error = run(async { OrderRepo::all().on(&db).await }).unwrap_err().to_string();
    assert!(error.contains("orders[3].address.zip: expected a string, found a number"), "{error}");
}
