//! Values that DynamoDB cannot hold are refused before they are sent, by an error that says where and why.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, NaiveTime};
use dynorm::Attribute;
use dynorm::Error;
use dynorm::attribute::{Encoder, Value, ValueError, shape};
use dynorm::prelude::*;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::json;
use time::macros::datetime;

use crate::sample::*;

/// Some value, always the same.
pub(crate) fn some<T: Sampled>() -> T {
    T::any().new_tree(&mut TestRunner::deterministic()).unwrap().current()
}

/// The error of a refused entity, from the path on.
fn refusal<E: Entity>(entity: &E) -> String {
    let error = dynorm::to_item(entity).unwrap_err();
    assert!(matches!(error, Error::Invalid(_)), "{error:?}");
    let text = error.to_string();
    text.split_once("cannot be stored: ").unwrap_or_else(|| panic!("{text}")).1.to_owned()
}

macro_rules! refuses {
    ($entity:ident { $($field:ident: $value:expr),* } => $start:literal, $reason:literal) => {
        let refused = refusal(&$entity { $($field: $value,)* ..some::<$entity>() });
        assert!(refused.starts_with($start), "{refused}");
        assert!(refused.contains($reason), "{refused}");
    };
}

#[test]
fn numbers_beyond_the_digits_and_the_range_of_dynamodb() {
    refuses!(FloatItem { double: f64::NAN } => "double: NaN", "is not a number that DynamoDB holds");
    refuses!(FloatItem { double: f64::INFINITY } => "double: inf", "is not a number that DynamoDB holds");
    refuses!(FloatItem { single: f32::NEG_INFINITY } => "single: -inf", "is not a number that DynamoDB \
        holds");
    refuses!(FloatItem { single: f32::NAN } => "single: NaN", "is not a number that DynamoDB holds");
    for number in [f64::MAX, f64::MIN, 5e-324, f64::MIN_POSITIVE, 1e126, -1e126, 9.99e-131, -9.99e-131] {
        refuses!(FloatItem { double: number } => "double: the number", "1E-130 to 9.99…E+125");
    }
    refuses!(UnsignedItem { f: u128::MAX } => "f: the number 3402823", "39 significant digits, and DynamoDB \
        keeps 38");
    refuses!(UnsignedItem { f: 10u128.pow(38) + 1 } => "f: ", "39 significant digits");
    refuses!(SignedItem { f: i128::MIN } => "f: the number -1701411", "39 significant digits");
    refuses!(SignedItem { f: i128::MAX } => "f: ", "39 significant digits");
    // In a set, a list, a map, an enum, and through serde, at any depth.
    refuses!(SetItem { wide: BTreeSet::from([1, u128::MAX]) } => "wide[1]: ", "39 significant digits");
    refuses!(ListItem { lists: vec![vec![], vec![vec![1.0, f64::NAN]]] } => "lists[1][0][1]: NaN", "");
    refuses!(ListItem { anything: vec![json!({ "a b": [1e300] })] } => "anything[0][\"a b\"][0]: the number \
        1e300", "");
    refuses!(SpecialItem { extra: BTreeMap::from([("x y".to_owned(), json!([0, 1e300]))]) } => "x y[1]: the \
        number 1e300", "");
    refuses!(OptionItem { float: Some(f64::INFINITY) } => "float: inf", "");
}

#[test]
fn moments_that_have_no_place_in_the_format() {
    let year_10000 = NaiveDate::from_ymd_opt(10_000, 1, 1).unwrap();
    refuses!(TimeItem { chrono_date: year_10000 } => "chrono_date: a date lies between the years 0 and \
        9999", "");
    refuses!(TimeItem { chrono_date: NaiveDate::MIN } => "chrono_date: ", "between the years 0 and 9999");
    let moment = year_10000.and_time(NaiveTime::MIN);
    refuses!(TimeItem { chrono_naive: moment } => "chrono_naive: ", "between the years 0 and 9999");
    refuses!(TimeItem { chrono_moment: moment.and_utc() } => "chrono_moment: ", "between the years 0 and \
        9999");
    let leap_second = NaiveTime::from_hms_nano_opt(23, 59, 59, 1_500_000_000).unwrap();
    let leap_second = NaiveDate::from_ymd_opt(2016, 12, 31).unwrap().and_time(leap_second);
    refuses!(TimeItem { chrono_naive: leap_second } => "chrono_naive: a leap second cannot be stored", "");
    refuses!(TimeItem { chrono_moment: leap_second.and_utc() } => "chrono_moment: a leap second", "");

    let before = datetime!(-1-12-31 23:59:59 UTC);
    refuses!(TimeItem { moment: before } => "moment: ", "between the years 0 and 9999");
    // Within the supported years locally, but outside of them in UTC.
    refuses!(TimeItem { moment: datetime!(9999-12-31 23:30 -1) } => "moment: ", "between the years 0 and \
        9999");
    refuses!(TimeItem { moment: datetime!(0-01-01 00:30 +1) } => "moment: ", "between the years 0 and 9999");
    refuses!(TimeItem { date: before.date() } => "date: ", "between the years 0 and 9999");
    refuses!(TimeItem { dates: vec![None, Some(before.date())] } => "dates[1]: ", "between the years");
    assert!(Timestamp::try_from(before).is_err());
}

/// Lists nested in lists, `levels` deep.
fn nested(levels: usize) -> serde_json::Value {
    (0..levels).fold(json!(1), |inner, _| json!([inner]))
}

#[test]
fn nesting_ends_at_32_levels_whatever_is_nested() {
    let special = some::<SpecialItem>();
    assert!(dynorm::to_item(&SpecialItem { json: nested(31), ..special.clone() }).is_ok());
    refuses!(SpecialItem { json: nested(32) } => "json[0][0][0]", "32 levels");
    // A variant is a map that contains its value, a list.
    let deeper = |levels| (0..levels).fold(Tagged::Unit, |inner, _| Tagged::Deeper(vec![inner]));
    assert!(dynorm::to_item(&SpecialItem { tagged: deeper(15), ..special }).is_ok());
    refuses!(SpecialItem { tagged: deeper(16) } => "tagged.value[0].value[0]", "32 levels");
}

#[derive(Entity, Clone, Debug, Default, PartialEq)]
struct Keyed {
    #[entity(partition)]
    pk: String,
    #[entity(sort)]
    sk: Vec<u8>,
    #[entity(index = "by_city")]
    city: Option<String>,
    #[entity(index("by_city", sort))]
    hash: Option<Vec<u8>>,
}

#[test]
fn keys_that_are_empty_or_too_long() {
    let keyed = Keyed { pk: "a".to_owned(), sk: vec![0], ..Keyed::default() };
    assert!(dynorm::to_item(&keyed).is_ok());
    for (broken, expected) in [
        (Keyed { pk: String::new(), ..keyed.clone() }, "pk: the partition key of the table cannot be empty"),
        (Keyed { sk: vec![], ..keyed.clone() }, "sk: the sort key of the table cannot be empty"),
        (
            Keyed { city: Some(String::new()), ..keyed.clone() },
            "city: the partition key of the index `by_city` cannot be empty",
        ),
        (
            Keyed { hash: Some(vec![]), ..keyed.clone() },
            "hash: the sort key of the index `by_city` cannot be empty",
        ),
        (
            Keyed { pk: "é".repeat(1025), ..keyed.clone() },
            "pk: the partition key of the table takes at most 2048 bytes, and this has 2050",
        ),
        (
            Keyed { sk: vec![7; 1025], ..keyed.clone() },
            "sk: the sort key of the table takes at most 1024 bytes, and this has 1025",
        ),
        (
            Keyed { hash: Some(vec![7; 1025]), ..keyed.clone() },
            "hash: the sort key of the index `by_city` takes at most 1024 bytes, and this has 1025",
        ),
    ] {
        assert_eq!(refusal(&broken), expected);
    }
    // The limit counts the bytes of the value, not of its JSON, in which a control character takes six bytes.
    let widest = Keyed { pk: "\u{1}".repeat(2048), sk: vec![255; 1024], ..keyed };
    assert!(dynorm::to_item(&widest).is_ok());
}

#[test]
fn keys_of_maps_that_are_empty() {
    let empty = "a key of the map is empty";
    for (broken, path) in [
        (SpecialItem { json: json!({ "a": [{ "": 1 }] }), ..some() }, "json[\"a\"][0][\"\"]: "),
        (SpecialItem { extra: BTreeMap::from([(String::new(), json!(1))]), ..some() }, "[\"\"]: "),
    ] {
        let refused = refusal(&broken);
        assert!(refused.starts_with(path) && refused.contains(empty), "{refused}");
    }
    refuses!(MapItem { numbers: BTreeMap::from([(String::new(), 1)]) } => "numbers[\"\"]: ", "a key of the \
        map is empty");
    refuses!(MapItem { maps: BTreeMap::from([("a".to_owned(), BTreeMap::from([(String::new(), String::new())]))]) } => "maps[\"a\"][\"\"]: ", "a key of the map is empty");
}

#[test]
fn an_attribute_that_stands_twice_in_an_item() {
    refuses!(SpecialItem { extra: BTreeMap::from([("json".to_owned(), json!(1))]) } => "", "\"json\", which \
        is an attribute of the struct itself");
}

#[test]
fn an_item_above_400_kb_names_its_largest_attribute() {
    let bytes = vec![0; 400 * 1024];
    refuses!(ByteItem { bytes: bytes } => "the item has ", "DynamoDB takes 409600 (400 KB); the largest \
        attribute is `bytes` with 409605 bytes");
}

/// The two distinctions that DynamoDB cannot store, and NULL among the flattened attributes.
#[test]
fn what_does_not_come_back_as_it_was() {
    #[derive(Entity, Clone, Debug, PartialEq)]
    struct Lossy {
        #[entity(partition)]
        pk: String,
        twice: Option<Option<u32>>,
        set: Option<BTreeSet<u32>>,
        null: Option<serde_json::Value>,
        listed: Vec<Option<BTreeSet<u32>>>,
        float: serde_json::Value,
        #[entity(flatten)]
        rest: BTreeMap<String, Option<String>>,
    }

    let lossy = Lossy {
        pk: "a".to_owned(),
        twice: Some(None),
        set: Some(BTreeSet::new()),
        null: Some(json!(null)),
        listed: vec![Some(BTreeSet::new())],
        float: json!(1.0),
        rest: BTreeMap::from([("x".to_owned(), None)]),
    };
    let item = dynorm::to_item(&lossy).unwrap();
    let mut names: Vec<_> = item.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["float", "listed", "pk", "x"]);
    let left = Lossy { twice: None, set: None, null: None, listed: vec![None], float: json!(1), ..lossy };
    assert_eq!(dynorm::from_item::<Lossy>(&item).unwrap(), left);
}

/// A hand-written `Attribute` with an error.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Wrong {
    Nothing,
    Number,
    Good,
}

impl Attribute for Wrong {
    type Base = Self;
    type Shape = shape::Text;

    fn encode(&self, encoder: &mut Encoder) -> Result<(), ValueError> {
        match self {
            Self::Nothing => Ok(()),
            Self::Number => encoder.number("1"),
            Self::Good => encoder.string("good"),
        }
    }

    fn decode(_: Value<'_>) -> Result<Self, ValueError> {
        Ok(Self::Good)
    }
}

#[test]
fn an_implementation_that_writes_nothing_or_the_wrong_type_is_told_so() {
    #[derive(Entity, Clone, Debug, PartialEq)]
    struct Doubtful {
        #[entity(partition)]
        pk: String,
        field: Option<Wrong>,
        list: Vec<Wrong>,
        set: BTreeSet<Wrong>,
        map: BTreeMap<Wrong, Wrong>,
        #[entity(flatten)]
        rest: BTreeMap<String, Wrong>,
    }

    let good = Doubtful {
        pk: "a".to_owned(),
        field: Some(Wrong::Good),
        list: vec![Wrong::Good],
        set: BTreeSet::from([Wrong::Good]),
        map: BTreeMap::from([(Wrong::Good, Wrong::Good)]),
        rest: BTreeMap::from([("x".to_owned(), Wrong::Good)]),
    };
    let item = dynorm::to_item(&good).unwrap();
    assert_eq!(dynorm::from_item::<Doubtful>(&item).unwrap(), good);
    let nothing = "wrote nothing";
    for (wrong, path, reason) in [
        (Doubtful { field: Some(Wrong::Nothing), ..good.clone() }, "field: ", nothing),
        (Doubtful { list: vec![Wrong::Good, Wrong::Nothing], ..good.clone() }, "list[1]: ", nothing),
        (Doubtful { set: BTreeSet::from([Wrong::Nothing]), ..good.clone() }, "set[0]: ", nothing),
        (Doubtful { map: BTreeMap::from([(Wrong::Nothing, Wrong::Good)]), ..good.clone() }, "map: ", nothing),
        (
            Doubtful { map: BTreeMap::from([(Wrong::Good, Wrong::Nothing)]), ..good.clone() },
            "map[\"good\"]: ",
            nothing,
        ),
        (
            Doubtful { rest: BTreeMap::from([("x".to_owned(), Wrong::Nothing)]), ..good.clone() },
            "x: ",
            nothing,
        ),
        (Doubtful { set: BTreeSet::from([Wrong::Number]), ..good.clone() }, "set[0]: ", "wrote a number"),
        (
            Doubtful { map: BTreeMap::from([(Wrong::Number, Wrong::Good)]), ..good.clone() },
            "map: ",
            "wrote a number",
        ),
    ] {
        let refused = refusal(&wrong);
        assert!(refused.starts_with(path) && refused.contains(reason), "{refused}");
    }
}
