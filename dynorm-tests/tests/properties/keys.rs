//! Equal keys: a batch sends each key only once, since DynamoDB refuses a request with duplicates.

use dynorm::attribute::{Encoder, Value, ValueError, shape};
use dynorm::prelude::*;
use dynorm::{Attribute, Fate};
use dynorm_tests::canned::{self, Answer, Recorded};
use proptest::prelude::*;
use rust_decimal::Decimal;
use serde_json::json;

use crate::{cases, run};

/// A number as text, written and read as it is.
#[derive(Clone, Debug, PartialEq)]
struct Spelled(String);

impl Attribute for Spelled {
    type Base = Self;
    type Shape = shape::Number;

    fn encode(&self, encoder: &mut Encoder) -> Result<(), ValueError> {
        encoder.number(&self.0)
    }

    fn decode(value: Value<'_>) -> Result<Self, ValueError> {
        value.as_number().map(|text| Self(text.to_owned()))
    }
}

macro_rules! keyed {
    ($($entity:ident: $key:ty;)*) => {$(
        #[derive(Entity, Clone, Debug, PartialEq)]
        #[entity(table = "keyed")]
        struct $entity {
            #[entity(partition)]
            key: $key,
        }
    )*};
}

keyed! {
    BySpelling: Spelled;
    ByFloat: f64;
    ByDecimal: Decimal;
    BySigned: i64;
    ByUnsigned: u64;
    ByText: String;
    ByBytes: Vec<u8>;
}

#[derive(Entity, Clone, Debug, PartialEq)]
#[entity(table = "keyed")]
struct ByTexts {
    #[entity(partition)]
    key: String,
    #[entity(sort)]
    sort: String,
}

#[derive(Entity, Clone, Debug, PartialEq)]
#[entity(table = "keyed")]
struct ByTextAndDecimal {
    #[entity(partition)]
    key: String,
    #[entity(sort)]
    sort: Decimal,
}

/// The keys in a request.
fn keys(request: &Recorded) -> &Vec<serde_json::Value> {
    request.body["RequestItems"]["keyed"]["Keys"].as_array().unwrap()
}

/// Saves, deletes and reads two entities, and compares the batch's notion of equal keys with DynamoDB's.
macro_rules! check {
    ($entity:ident, $repo:ident, $left:expr, $right:expr, $is_one:expr) => {{
        let (left, right): ($entity, $entity) = ($left, $right);
        let is_one: bool = $is_one;
        let expected = if is_one { 1 } else { 2 };
        let context = format!("{left:?} {right:?}");
        // Every requested item exists, and the server spells numbers in its own way.
        let (db, requests) = canned::over(&canned::sink(), |request| match request.target.as_str() {
            "BatchGetItem" => Answer::ok(json!({ "Responses": { "keyed": keys(request) } }).to_string()),
            _ => Answer::written(),
        });
        let pair = [left.clone(), right.clone()];
        let saved = run(async { $repo::batch_save(&pair).on(&db).await.unwrap() });
        prop_assert_eq!(saved.stats().superseded, u64::from(is_one), "{}", context);
        let first = if is_one { Fate::Superseded { by: 1 } } else { Fate::Done };
        prop_assert_eq!(saved.stats().fates().collect::<Vec<_>>(), [first, Fate::Done], "{}", context);
        let deleted = run(async { $repo::batch_delete_entities(&pair).on(&db).await.unwrap() });
        prop_assert_eq!(deleted.superseded, u64::from(is_one), "{}", context);
        for request in requests.all() {
            prop_assert_eq!(request.body["RequestItems"]["keyed"].as_array().unwrap().len(), expected, "{}", context);
        }

        requests.clear();
        let asked = [&left, &right, &left].map(Entity::entity_key);
        let found = run(async { $repo::batch_get(asked).positional().on(&db).await.unwrap() });
        prop_assert!(found.iter().all(Option::is_some), "{}: {:?}", context, found);
        prop_assert_eq!(&found[0], &found[2], "{}", context);
        prop_assert_eq!(keys(&requests.all()[0]).len(), expected, "{}", context);
        prop_assert_eq!(requests.len(), 1);
    }};
}

/// Two values of the same kind, often equal ones.
fn pair<T: Clone + std::fmt::Debug + 'static>(
    one: impl Strategy<Value = T> + Clone + 'static,
) -> BoxedStrategy<(T, T)> {
    prop_oneof![one.clone().prop_map(|one| (one.clone(), one)), (one.clone(), one)].boxed()
}

/// A number `mantissa × 10^power`, and some of its spellings.
fn spellings((mantissa, power): (i32, i32)) -> Vec<String> {
    let mut spellings = vec![
        format!("{mantissa}e{power}"),
        format!("{mantissa}.0E{power}"),
        format!("{mantissa}00e{}", power - 2),
    ];
    spellings.push(
        format!("{mantissa}.000e+{}", power.unsigned_abs())
            .replace("e+", if power < 0 { "e-" } else { "e+" }),
    );
    if power >= 0 {
        spellings.push(format!("{mantissa}{}", "0".repeat(power.unsigned_abs() as usize)));
        spellings.push(format!(
            "{}00{}{}.00",
            if mantissa < 0 { "-" } else { "" },
            mantissa.unsigned_abs(),
            "0".repeat(power.unsigned_abs() as usize)
        ));
    }
    if mantissa == 0 {
        spellings.extend(["0", "-0", "-0.0", "0.00", "0e5", "-0e-7"].map(str::to_owned));
    }
    spellings
}

#[test]
fn the_spellings_of_a_number_are_one_key() {
    let number = (prop_oneof![Just(0), Just(1), -12..12i32, any::<i32>()], -6..7i32);
    let choice = (pair(number), any::<prop::sample::Index>(), any::<prop::sample::Index>());
    proptest!(cases(200), |(((left, right), one, other) in choice)| {
        // Without trailing zeros in the mantissa, so that equal numbers are equal pairs.
        let normal = |(mut mantissa, mut power): (i32, i32)| {
            while mantissa != 0 && mantissa % 10 == 0 {
                (mantissa, power) = (mantissa / 10, power + 1);
            }
            (mantissa, if mantissa == 0 { 0 } else { power })
        };
        let (one, other) = (one.get(&spellings(left)).clone(), other.get(&spellings(right)).clone());
        let by = |text: String| BySpelling { key: Spelled(text) };
        check!(BySpelling, BySpellingRepo, by(one), by(other), normal(left) == normal(right));
    });
}

#[test]
fn numbers_of_every_type_are_one_key_if_and_only_if_they_are_equal() {
    let float = prop_oneof![
        Just(0.0),
        Just(-0.0),
        Just(100.0),
        Just(1e2),
        Just(1e21),
        Just(0.1),
        Just(0.1 + 0.2),
        Just(0.3),
        -5.0..5.0f64,
        (-20..20i32).prop_map(f64::from)
    ];
    let decimal = (-30..30i64, 0..4u32, 0..6u32).prop_map(|(number, scale, more)| {
        // The same number with more trailing zeros differs in memory.
        let mut decimal = Decimal::new(number, scale);
        decimal.rescale(scale + more);
        decimal
    });
    let signed = prop_oneof![-3..3i64, Just(i64::MIN), Just(i64::MIN + 1), Just(i64::MAX), any::<i64>()];
    let unsigned = prop_oneof![
        0..3u64,
        Just(u64::MAX),
        Just(u64::MAX - 1),
        Just(1 << 53),
        Just((1 << 53) + 1),
        any::<u64>()
    ];
    proptest!(cases(100), |(
        floats in pair(float),
        decimals in pair(decimal),
        signed in pair(signed),
        unsigned in pair(unsigned),
    )| {
        let by = |key| ByFloat { key };
        check!(ByFloat, ByFloatRepo, by(floats.0), by(floats.1), floats.0 == floats.1);
        let by = |key| ByDecimal { key };
        check!(ByDecimal, ByDecimalRepo, by(decimals.0), by(decimals.1), decimals.0 == decimals.1);
        let by = |key| BySigned { key };
        check!(BySigned, BySignedRepo, by(signed.0), by(signed.1), signed.0 == signed.1);
        let by = |key| ByUnsigned { key };
        check!(ByUnsigned, ByUnsignedRepo, by(unsigned.0), by(unsigned.1), unsigned.0 == unsigned.1);
    });
}

/// Similar strings: numbers in several spellings, characters in several forms, and characters that JSON
/// escapes.
fn text() -> impl Strategy<Value = String> + Clone {
    const KNOWN: &[&str] = &[
        "1", "1.0", "1e0", "01", "é", "e\u{301}", "\u{1}", "\\u0001", "\"", "\\\"", "a", "A", "\0", "\0\0",
        "🍵", " ",
    ];
    prop_oneof![prop::sample::select(KNOWN).prop_map(str::to_owned), "[ab\\\\\"#\u{0}é]{1,4}"]
}

#[test]
fn texts_and_bytes_are_one_key_only_if_they_are_the_same() {
    let bytes = prop_oneof![
        proptest::collection::vec(prop_oneof![Just(0u8), Just(1), Just(49), Just(255)], 1..4),
        text().prop_map(String::into_bytes),
    ];
    proptest!(cases(100), |(texts in pair(text()), bytes in pair(bytes))| {
        let is_one = texts.0 == texts.1;
        let by = |key| ByText { key };
        check!(ByText, ByTextRepo, by(texts.0), by(texts.1), is_one);
        let is_one = bytes.0 == bytes.1;
        let by = |key| ByBytes { key };
        check!(ByBytes, ByBytesRepo, by(bytes.0), by(bytes.1), is_one);
    });
}

#[test]
fn keys_of_two_parts_are_one_only_if_both_parts_are() {
    // One string cut at two places, and two unrelated ones.
    let cut = ("[ab\u{0}1é]{2,6}", any::<prop::sample::Index>(), any::<prop::sample::Index>()).prop_map(
        |(text, one, other)| {
            let cut = |at: prop::sample::Index| {
                let starts: Vec<usize> = text.char_indices().map(|(start, _)| start).skip(1).collect();
                let (first, second) = text.split_at(*at.get(&starts));
                (first.to_owned(), second.to_owned())
            };
            (cut(one), cut(other))
        },
    );
    let decimal = (-3..3i64, 0..3u32).prop_map(|(number, scale)| Decimal::new(number, scale));
    proptest!(cases(150), |(
        texts in prop_oneof![cut, pair((text(), text()))],
        mixed in pair((text(), decimal)),
    )| {
        let is_one = texts.0 == texts.1;
        let by = |(key, sort)| ByTexts { key, sort };
        check!(ByTexts, ByTextsRepo, by(texts.0), by(texts.1), is_one);
        let is_one = mixed.0 == mixed.1;
        let by = |(key, sort)| ByTextAndDecimal { key, sort };
        check!(ByTextAndDecimal, ByTextAndDecimalRepo, by(mixed.0), by(mixed.1), is_one);
    });
}
