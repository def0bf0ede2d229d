//! Tests of types that are stored through serde.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{decode, encode};
use crate::codec::{Encoder, Scanner, Value, ValueError};

fn json<T: Serialize>(value: &T) -> String {
    let mut encoder = Encoder::default();
    encode(value, &mut encoder).unwrap();
    String::from_utf8(encoder.into_bytes()).unwrap()
}

fn read<T: DeserializeOwned>(json: &str) -> Result<T, ValueError> {
    decode(Value::parse(&mut Scanner::new(json))?)
}

fn write_error<T: Serialize>(value: &T) -> String {
    encode(value, &mut Encoder::default()).unwrap_err().to_string()
}

fn read_error<T: DeserializeOwned + Debug>(json: &str) -> String {
    read::<T>(json).unwrap_err().to_string()
}

/// Writes the value, compares the JSON, and reads the value back.
fn stored_as<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T, expected: &str) {
    assert_eq!(json(value), expected);
    assert_eq!(read::<T>(expected).unwrap(), *value);
}

fn round_trip<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let json = json(value);
    let back = read::<T>(&json).unwrap_or_else(|error| panic!("{json}: {error}"));
    assert_eq!(back, *value, "{json}");
}

/// What the crate `serde_bytes` does.
#[derive(Clone, Debug, Default, PartialEq)]
struct Bytes(Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Bytes;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }
        }
        deserializer.deserialize_byte_buf(Visitor)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Level {
    Low,
    VeryHigh,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Shape {
    Empty,
    Circle(f64),
    Line(i32, i32),
    Rect { width: u8, label: Option<String> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Meters(u32);

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Nothing;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Everything {
    text: String,
    letter: char,
    yes: bool,
    some: Option<i64>,
    none: Option<i64>,
    bytes: Bytes,
    numbers: Vec<u8>,
    wide: i128,
    widest: u128,
    small: f32,
    float: f64,
    unit: (),
    nothing: Nothing,
    tuple: (u8, String, bool),
    array: [i16; 3],
    meters: Meters,
    shapes: Vec<Shape>,
    level: Level,
    by_number: BTreeMap<i64, String>,
    by_letter: BTreeMap<char, u8>,
    by_bool: BTreeMap<bool, u8>,
    by_level: BTreeMap<Level, u8>,
    by_newtype: BTreeMap<Meters, u8>,
    by_wide: BTreeMap<u128, u8>,
    by_text: HashMap<String, Vec<Option<bool>>>,
    boxed: Box<Option<Meters>>,
}

#[test]
fn a_struct_with_everything_comes_back() {
    round_trip(&Everything {
        text: "\"quoted\"\n\u{1F600}".into(),
        letter: '\\',
        yes: true,
        some: Some(i64::MIN),
        none: None,
        bytes: Bytes(vec![0, 127, 255]),
        numbers: vec![1, 2],
        wide: -(10i128.pow(37)),
        widest: 10u128.pow(38),
        small: 0.1,
        float: 1.234_567_890_123_456_7e25,
        unit: (),
        nothing: Nothing,
        tuple: (1, "two".into(), true),
        array: [-1, 0, 1],
        meters: Meters(7),
        shapes: vec![
            Shape::Empty,
            Shape::Circle(-0.5),
            Shape::Line(1, -1),
            Shape::Rect { width: 3, label: Some(String::new()) },
            Shape::Rect { width: 3, label: None },
        ],
        level: Level::VeryHigh,
        by_number: BTreeMap::from([(-1, "minus".into()), (i64::MAX, "max".into())]),
        by_letter: BTreeMap::from([('"', 1), ('é', 2)]),
        by_bool: BTreeMap::from([(false, 0), (true, 1)]),
        by_level: BTreeMap::from([(Level::Low, 0), (Level::VeryHigh, 1)]),
        by_newtype: BTreeMap::from([(Meters(1), 1), (Meters(10), 2)]),
        by_wide: BTreeMap::from([(u128::MAX, 1)]),
        by_text: HashMap::from([("k\"".into(), vec![Some(true), None]), (" ".into(), vec![])]),
        boxed: Box::new(Some(Meters(0))),
    });
}

#[test]
fn each_type_has_its_place() {
    stored_as(&"a\"b".to_owned(), r#"{"S":"a\"b"}"#);
    stored_as(&'x', r#"{"S":"x"}"#);
    stored_as(&-5i8, r#"{"N":"-5"}"#);
    stored_as(&0.1f32, r#"{"N":"0.1"}"#);
    stored_as(&3.0f64, r#"{"N":"3"}"#);
    stored_as(&-(10i128.pow(30)), r#"{"N":"-1000000000000000000000000000000"}"#);
    stored_as(&true, r#"{"BOOL":true}"#);
    stored_as(&(), r#"{"NULL":true}"#);
    stored_as(&Nothing, r#"{"NULL":true}"#);
    stored_as(&None::<u8>, r#"{"NULL":true}"#);
    stored_as(&Some(1u8), r#"{"N":"1"}"#);
    stored_as(&Bytes(vec![0]), r#"{"B":"AA=="}"#);
    stored_as(&vec![1u8], r#"{"L":[{"N":"1"}]}"#);
    stored_as(&(1u8, 'x'), r#"{"L":[{"N":"1"},{"S":"x"}]}"#);
    stored_as(&Meters(2), r#"{"N":"2"}"#);
    stored_as(&BTreeMap::from([(1u8, true), (2, false)]), r#"{"M":{"1":{"BOOL":true},"2":{"BOOL":false}}}"#);
    stored_as(&Level::VeryHigh, r#"{"S":"very_high"}"#);
    stored_as(&Shape::Empty, r#"{"S":"Empty"}"#);
    stored_as(&Shape::Circle(1.5), r#"{"M":{"Circle":{"N":"1.5"}}}"#);
    stored_as(&Shape::Line(1, 2), r#"{"M":{"Line":{"L":[{"N":"1"},{"N":"2"}]}}}"#);
    stored_as(
        &Shape::Rect { width: 1, label: None },
        r#"{"M":{"Rect":{"M":{"width":{"N":"1"},"label":{"NULL":true}}}}}"#,
    );
}

#[test]
fn what_others_write_is_read() {
    assert_eq!(read::<u8>(r#"{"N":"1.2e1"}"#), Ok(12));
    assert_eq!(read::<Vec<String>>(r#"{"SS":["a","b\n"]}"#), Ok(vec!["a".to_owned(), "b\n".to_owned()]));
    assert_eq!(read::<Vec<i32>>(r#"{"NS":["1","-2"]}"#), Ok(vec![1, -2]));
    assert_eq!(read::<Vec<Bytes>>(r#"{"BS":["AA=="]}"#), Ok(vec![Bytes(vec![0])]));
    assert_eq!(read::<Shape>(r#"{"M":{"Empty":{"NULL":true}}}"#), Ok(Shape::Empty));
    assert_eq!(
        read::<BTreeMap<String, u8>>(r#"{"M":{"a\"\u00e9":{"N":"1"}}}"#),
        Ok([("a\"é".to_owned(), 1)].into())
    );
    // An attribute that the struct does not have is stepped over.
    #[derive(Debug, PartialEq, Deserialize)]
    struct One {
        one: u8,
    }
    assert_eq!(read::<One>(r#"{"M":{"zero":{"L":[{"M":{}}]},"one":{"N":"1"}}}"#), Ok(One { one: 1 }));
}

#[test]
fn a_value_of_no_known_type_is_what_it_looks_like() {
    let any = read::<serde_json::Value>(
        r#"{"M":{"s":{"S":"x"},"n":{"N":"-1"},"f":{"N":"0.5"},"b":{"BOOL":true},"z":{"NULL":true},
            "l":{"L":[{"N":"18446744073709551615"}]},"ns":{"NS":["1e1"]},
            "e":{"N":"100000000000000000000"}}}"#,
    );
    let expected = serde_json::json!({
        "s": "x", "n": -1, "f": 0.5, "b": true, "z": null, "l": [u64::MAX], "ns": [10], "e": 1e20
    });
    assert_eq!(any, Ok(expected.clone()));
    round_trip(&expected);
    // 64 bits would round it.
    assert!(read::<serde_json::Value>(r#"{"N":"18446744073709551617"}"#).is_err());
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Settings {
    colours: Vec<String>,
    counts: BTreeMap<u32, u8>,
    shape: Option<Shape>,
    ratio: f64,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct User {
    settings: Settings,
}

#[test]
fn what_cannot_be_read_says_where_it_is() {
    for (settings, expected) in [
        (
            r#""colours":{"L":[{"S":"a"},{"S":"b"},{"N":"1"}]}"#,
            "settings.colours[2]: expected a string, found a number",
        ),
        (r#""colours":{"S":"red"}"#, "settings.colours: expected a sequence, found a string"),
        (r#""counts":{"M":{"7":{"N":"256"}}}"#, "settings.counts[\"7\"]: the number does not fit u8"),
        (r#""counts":{"M":{"7":{"S":"1"}}}"#, "settings.counts[\"7\"]: expected a number, found a string"),
        (
            r#""counts":{"M":{"\u0041":{"N":"1"}}}"#,
            "settings.counts[\"A\"]: expected a key that is a whole number (u32)",
        ),
        (r#""ratio":{"BOOL":true}"#, "settings.ratio: expected a number, found a boolean"),
        (
            r#""shape":{"S":"Square"}"#,
            "settings.shape: expected one of the variants `Empty`, `Circle`, `Line`, `Rect`, found another",
        ),
        (
            r#""shape":{"S":"Circle"}"#,
            "settings.shape: expected a variant with its data, found its name alone",
        ),
        (
            r#""shape":{"M":{}}"#,
            "settings.shape: expected a map with one entry, which is the variant of an enum",
        ),
        (
            r#""shape":{"M":{"Empty":{"NULL":true},"Circle":{"N":"1"}}}"#,
            "settings.shape: expected a map with one entry, which is the variant of an enum",
        ),
        (
            r#""shape":{"N":"1"}"#,
            "settings.shape: expected a variant of an enum, as a string or a map with one entry, \
             found a number",
        ),
        (r#""shape":{"M":{"Circle":{"S":"1"}}}"#, "settings.shape.Circle: expected a number, found a string"),
        (
            r#""shape":{"M":{"Line":{"L":[{"N":"1"},{"N":"0.5"}]}}}"#,
            "settings.shape.Line[1]: expected a whole number (i32), found one with a fraction",
        ),
        (
            r#""shape":{"M":{"Line":{"L":[{"N":"1"},{"N":"2"},{"N":"3"}]}}}"#,
            "settings.shape.Line: expected 2 elements, found more of them",
        ),
        (
            r#""shape":{"M":{"Rect":{"M":{"width":{"S":"wide"}}}}}"#,
            "settings.shape.Rect.width: expected a number, found a string",
        ),
        (r#""shape":{"M":{"Rect":{"M":{}}}}"#, "settings.shape.Rect.width: the field is missing"),
        (r#""shape":{"M":{"Empty":{"N":"1"}}}"#, "settings.shape.Empty: expected unit, found a number"),
        (r#""ratio":{"N":"1"}"#, "settings.colours: the field is missing"),
    ] {
        let json = format!(r#"{{"M":{{"settings":{{"M":{{{settings}}}}}}}}}"#);
        assert_eq!(read_error::<User>(&json), expected, "{json}");
    }
    assert_eq!(read_error::<User>(r#"{"S":"x"}"#), "expected struct User, found a string");
    assert_eq!(
        read_error::<(u8, u8)>(r#"{"L":[{"N":"1"}]}"#),
        "invalid length 1, expected a tuple of size 2"
    );
    assert_eq!(read_error::<Bytes>(r#"{"S":"AA=="}"#), "expected bytes, found a string");
    assert_eq!(read_error::<Vec<u8>>(r#"{"L":[{"N":"1"},{"X":"1"}]}"#).split(':').next(), Some("[1]"));
}

#[test]
fn errors_do_not_show_values() {
    let secret = "hunter2";
    assert_eq!(
        read_error::<char>(&format!(r#"{{"S":"{secret}"}}"#)),
        "expected a character, found a string that does not fit"
    );
    assert_eq!(read_error::<bool>(&format!(r#"{{"S":"{secret}"}}"#)), "expected a boolean, found a string");
    assert!(!read_error::<Level>(&format!(r#"{{"S":"{secret}"}}"#)).contains(secret));
    assert!(!read_error::<Tagged>(r#"{"M":{"kind":{"S":"hunter2"}}}"#).contains(secret));
    assert!(!read_error::<std::num::NonZeroU8>(r#"{"N":"0"}"#).contains('0'));
}

#[test]
fn what_cannot_be_written_says_where_it_is() {
    #[derive(Serialize)]
    struct Outer {
        inner: BTreeMap<&'static str, Vec<f64>>,
    }
    let outer = Outer { inner: BTreeMap::from([("a", vec![]), ("k\"", vec![1.0, f64::NAN])]) };
    assert_eq!(write_error(&outer), r#"inner["k\""][1]: NaN is not a number that DynamoDB holds"#);

    let settings = |shape| User { settings: Settings { shape: Some(shape), ..Settings::default() } };
    let error = write_error(&settings(Shape::Circle(f64::INFINITY)));
    assert_eq!(error, "settings.shape.Circle: inf is not a number that DynamoDB holds");

    #[derive(Serialize)]
    enum Wide {
        Tuple(u8, u128),
        Struct { number: f32 },
    }
    assert!(write_error(&Wide::Tuple(1, u128::MAX)).starts_with("Tuple[1]: the number 340"));
    assert!(write_error(&[Wide::Struct { number: f32::NAN }]).starts_with("[0].Struct.number: NaN"));

    let refused = "the keys of a map are text, characters, whole numbers, booleans or variants without \
                   data, and this one is";
    assert_eq!(write_error(&BTreeMap::from([((1, 2), 3)])), format!("{refused} a tuple"));
    assert_eq!(write_error(&BTreeMap::from([(Some(1), 3)])), format!("{refused} an `Option`"));
    assert_eq!(write_error(&[BTreeMap::from([(vec![1], 3)])]), format!("[0]: {refused} a list"));
}

#[test]
fn nesting_ends_at_32_levels() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Nest {
        End,
        List(Box<(Nest,)>),
    }
    fn nested(levels: usize) -> Nest {
        (0..levels).fold(Nest::End, |inner, _| Nest::List(Box::new((inner,))))
    }
    // Each level is the map of a variant and a list.
    round_trip(&nested(15));
    let error = write_error(&nested(16));
    assert!(error.starts_with("List[0].List[0]") && error.contains("32 levels"), "{error}");

    // A server that sends more is stopped long before the stack ends.
    let deep = format!("{}{}{}", r#"{"L":["#.repeat(1_000), r#"{"N":"1"}"#, "]}".repeat(1_000));
    assert!(read_error::<serde_json::Value>(&deep).contains("nested deeper"));
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Tagged {
    Plain,
    Sized { size: f64, wide: u64, note: Option<String> },
    Wrapped(Settings),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "t", content = "c")]
enum Adjacent {
    Unit,
    Pair(u8, String),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Number(i64),
    Text(String),
    Pair(u8, bool),
    Point { x: f32, y: f32 },
    Nothing,
}

#[test]
fn the_other_representations_of_enums_come_back() {
    stored_as(&Tagged::Plain, r#"{"M":{"kind":{"S":"plain"}}}"#);
    for size in [0.0, 0.1, -3.0, 1e20, 1e125, 1.234_567_890_123_456_7e25, 18_446_744_073_709_551_616.0] {
        round_trip(&Tagged::Sized { size, wide: u64::MAX, note: Some("x".into()) });
    }
    // As DynamoDB hands a large float back.
    let plain = r#"{"M":{"kind":{"S":"sized"},"size":{"N":"100000000000000000000"},"wide":{"N":"1"}}}"#;
    assert_eq!(read::<Tagged>(plain), Ok(Tagged::Sized { size: 1e20, wide: 1, note: None }));
    round_trip(&Tagged::Wrapped(Settings { colours: vec!["red".into()], ratio: 0.5, ..Settings::default() }));

    stored_as(&Adjacent::Unit, r#"{"M":{"t":{"S":"Unit"}}}"#);
    stored_as(&Adjacent::Pair(1, "x".into()), r#"{"M":{"t":{"S":"Pair"},"c":{"L":[{"N":"1"},{"S":"x"}]}}}"#);

    let content_first = r#"{"M":{"c":{"L":[{"N":"1"},{"S":"x"}]},"x":{"NULL":true},"t":{"S":"Pair"}}}"#;
    assert_eq!(read::<Adjacent>(content_first), Ok(Adjacent::Pair(1, "x".into())));

    stored_as(&Untagged::Number(-1), r#"{"N":"-1"}"#);
    stored_as(&Untagged::Text("x".into()), r#"{"S":"x"}"#);
    stored_as(&Untagged::Pair(1, true), r#"{"L":[{"N":"1"},{"BOOL":true}]}"#);
    stored_as(&Untagged::Point { x: 0.1, y: 2.0 }, r#"{"M":{"x":{"N":"0.1"},"y":{"N":"2"}}}"#);
    stored_as(&Untagged::Nothing, r#"{"NULL":true}"#);
    assert_eq!(
        read_error::<Vec<Untagged>>(r#"{"L":[{"N":"1"},{"BOOL":true}]}"#),
        "[1]: data did not match any variant of untagged enum Untagged"
    );
    assert_eq!(
        read_error::<Vec<Untagged>>(r#"{"L":[{"N":"18446744073709551617"}]}"#),
        "[0]: expected any value, found an integer of more than 64 bits"
    );
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Flattened {
    name: String,
    #[serde(flatten)]
    settings: Settings,
    #[serde(flatten)]
    rest: BTreeMap<String, serde_json::Value>,
}

#[test]
fn flattened_fields_come_back() {
    let mut flattened = Flattened {
        name: "x".into(),
        settings: Settings { shape: Some(Shape::Line(1, 2)), ratio: 0.25, ..Settings::default() },
        rest: BTreeMap::from([
            ("more".into(), serde_json::json!({"a": [1, -2, 0.5, "x", null, true]})),
            ("other".into(), serde_json::json!("x")),
        ]),
    };
    round_trip(&flattened);
    // Serde's buffer has text for keys and nothing else; serde_json ends there as well.
    flattened.settings.counts.insert(1, 1);
    assert_eq!(read_error::<Flattened>(&json(&flattened)), "expected u32, found a string");
    // The map must not hide a field: one of the two would be lost.
    flattened.rest.insert("name".into(), "y".into());
    assert_eq!(
        write_error(&vec![flattened]),
        "[0][\"name\"]: the map has two entries with this key, and one of them would be lost"
    );
}

#[test]
fn a_tag_must_not_hide_a_field() {
    #[derive(Serialize)]
    struct Inner {
        kind: u8,
    }
    #[derive(Serialize)]
    #[serde(tag = "kind")]
    enum Outer {
        Only(Inner),
    }
    assert!(write_error(&Outer::Only(Inner { kind: 1 })).starts_with("[\"kind\"]: the map has two entries"));
}
