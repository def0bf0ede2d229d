//! Entities with all types of attributes, and strategies that generate their values up to DynamoDB's limits.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration as StdDuration;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use dynorm::prelude::*;
use dynorm::ulid::Ulid;
use proptest::collection::{btree_map, btree_set, hash_map, hash_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use rust_decimal::Decimal;
use serde_json::Value as Json;
use time::{Date, Duration, OffsetDateTime, UtcOffset};
use uuid::Uuid;

/// A type with a strategy.
pub trait Sampled: Sized + std::fmt::Debug {
    /// The strategy for values of the type.
    fn any() -> BoxedStrategy<Self>;
}

/// A struct that can be nested, and an entity with the same fields, since the attributes of an item and the
/// entries of a map have different code.
macro_rules! group {
    ($name:ident, $entity:ident {
        $($(#[doc = $doc:literal])? $([$($words:tt)+])? $field:ident: $type:ty = $strategy:expr,)*
    }) => {
        #[derive(Attribute, Clone, Debug, PartialEq)]
        pub struct $name {
            $($(#[doc = $doc])? $(#[attribute($($words)+)])? pub $field: $type,)*
        }

        #[derive(Entity, Clone, Debug, PartialEq)]
        pub struct $entity {
            #[entity(partition)]
            pub pk: String,
            $($(#[doc = $doc])? $(#[entity($($words)+)])? pub $field: $type,)*
        }

        impl Sampled for $name {
            fn any() -> BoxedStrategy<Self> {
                ($($strategy.boxed(),)*).prop_map(|($($field,)*)| Self { $($field,)* }).boxed()
            }
        }

        impl Sampled for $entity {
            fn any() -> BoxedStrategy<Self> {
                (key(), <$name>::any()).prop_map(|(pk, group)| Self { pk, $($field: group.$field,)* }).boxed()
            }
        }
    };
}

group!(Texts, TextItem {
    string: String = text(),
    boxed: Box<str> = text().prop_map(Into::into),
    shared: Arc<str> = text().prop_map(Into::into),
    cow: Cow<'static, str> = text().prop_map(Into::into),
    character: char = character(),
    truth: bool = any::<bool>(),
    email: Email = text().prop_map(Email),
    choice: Choice = choice(),
    [rename = "with \"quotes\", a \\, dots. and #, spaces and 🦀\n"]
    renamed: String = text(),
    [rename = "\u{2028}"]
    separated: String = text(),
    [rename = "\\ud800"]
    surrogate: String = text(),
});

group!(
    Unsigned,
    UnsignedItem {
        a: u8 = any::<u8>(),
        b: u16 = any::<u16>(),
        c: u32 = any::<u32>(),
        d: u64 = any::<u64>(),
        e: usize = any::<usize>(),
        f: u128 = wide(),
        largest: u64 = Just(u64::MAX),
        widest: u128 = Just(10u128.pow(38) - 1),
        /// 39 digits, of which 38 are significant.
        rounded: u128 = Just(u128::MAX / 10 * 10),
    }
);

group!(
    Signed,
    SignedItem {
        a: i8 = any::<i8>(),
        b: i16 = any::<i16>(),
        c: i32 = any::<i32>(),
        d: i64 = any::<i64>(),
        e: isize = any::<isize>(),
        f: i128 = (wide(), any::<bool>()).prop_map(|(number, negative)| {
            let number = number as i128;
            if negative { -number } else { number }
        }),
        smallest: i64 = Just(i64::MIN),
        widest: i128 = Just(1 - 10i128.pow(38)),
        rounded: i128 = Just(i128::MIN / 10 * 10),
    }
);

group!(
    Floats,
    FloatItem {
        single: f32 = single(),
        double: f64 = double(),
        largest: f64 = Just(9.999_999_999_999_98e125),
        smallest: f64 = Just(-1e-130),
        zero: f64 = Just(-0.0),
        single_largest: f32 = Just(f32::MAX),
        single_smallest: f32 = Just(f32::from_bits(1)),
        decimal: Decimal = decimal(),
        decimal_largest: Decimal = Just(Decimal::MAX),
        decimal_smallest: Decimal = Just(Decimal::new(-1, 28)),
    }
);

group!(Bytes, ByteItem {
    bytes: Vec<u8> = vec(any::<u8>(), 0..20),
    fixed: [u8; 4] = any::<[u8; 4]>(),
    boxed: Box<[u8]> = vec(any::<u8>(), 0..20).prop_map(Into::into),
    hash: Digest = any::<[u8; 8]>().prop_map(Digest),
    many: Vec<Vec<u8>> = vec(vec(any::<u8>(), 0..4), 0..4),
    maybe: Option<Vec<u8>> = option::of(vec(any::<u8>(), 0..4)),
    none: [u8; 0] = Just([]),
});

group!(Lists, ListItem {
    numbers: Vec<u32> = vec(any::<u32>(), 0..5),
    texts: Box<[String]> = vec(text(), 0..4).prop_map(Into::into),
    fixed: [i16; 3] = any::<[i16; 3]>(),
    options: Vec<Option<String>> = vec(option::of(text()), 0..4),
    sets: Vec<BTreeSet<String>> = vec(btree_set(text(), 0..3), 0..3),
    lists: Vec<Vec<Vec<f64>>> = vec(vec(vec(double(), 0..3), 0..3), 0..3),
    structs: Vec<Address> = vec(address(), 0..3),
    variants: Vec<Tagged> = vec(tagged(), 0..3),
    wrapped: Vec<Wrapped> = vec(option::of(any::<u32>()).prop_map(Wrapped), 0..4),
    anything: Vec<Json> = vec(json(), 0..3),
    arrays: [[char; 2]; 2] = [[character(), character()], [character(), character()]],
});

group!(Sets, SetItem {
    texts: BTreeSet<String> = btree_set(text(), 0..5),
    numbers: HashSet<i64> = hash_set(any::<i64>(), 0..5),
    binaries: BTreeSet<Vec<u8>> = btree_set(vec(any::<u8>(), 0..5), 0..4),
    wide: BTreeSet<u128> = btree_set(wide(), 0..4),
    bytes: BTreeSet<u8> = btree_set(any::<u8>(), 0..5),
    arrays: HashSet<[u8; 2]> = hash_set(any::<[u8; 2]>(), 0..4),
    characters: HashSet<char> = hash_set(character(), 0..4),
    choices: BTreeSet<Choice> = btree_set(choice(), 0..4),
    moments: BTreeSet<Timestamp> = btree_set(timestamp(), 0..4),
    decimals: BTreeSet<Decimal> = btree_set(decimal(), 0..4),
    emails: BTreeSet<Email> = btree_set(text().prop_map(Email), 0..4),
    tags: Tags = btree_set(text(), 0..3).prop_map(Tags),
});

group!(Maps, MapItem {
    numbers: BTreeMap<String, u32> = btree_map(name(), any::<u32>(), 0..4),
    by_choice: HashMap<Choice, String> = hash_map(choice(), text(), 0..4),
    by_character: BTreeMap<char, bool> = btree_map(character(), any::<bool>(), 0..4),
    by_id: HashMap<Id<TextItem>, f64> = hash_map(id(), double(), 0..4),
    by_moment: BTreeMap<Timestamp, Vec<u8>> = btree_map(timestamp(), vec(any::<u8>(), 0..3), 0..3),
    by_newtype: BTreeMap<Email, Address> = btree_map(name().prop_map(Email), address(), 0..3),
    options: BTreeMap<String, Option<i64>> = btree_map(name(), option::of(any::<i64>()), 0..4),
    sets: HashMap<Cow<'static, str>, BTreeSet<u16>> =
        hash_map(name().prop_map(Into::into), btree_set(any::<u16>(), 0..3), 0..3),
    maps: BTreeMap<String, BTreeMap<String, String>> =
        btree_map(name(), btree_map(name(), text(), 0..3), 0..3),
    variants: BTreeMap<Arc<str>, Tagged> = btree_map(name().prop_map(Into::into), tagged(), 0..3),
});

group!(Options, OptionItem {
    text: Option<String> = option::of(text()),
    number: Option<i128> = option::of(any::<i64>().prop_map(i128::from)),
    float: Option<f64> = option::of(double()),
    truth: Option<bool> = option::of(any::<bool>()),
    list: Option<Vec<u32>> = option::of(vec(any::<u32>(), 0..3)),
    /// Never `Some` of an empty set, which DynamoDB cannot hold.
    set: Option<BTreeSet<String>> = option::of(btree_set(text(), 1..3)),
    map: Option<BTreeMap<String, u8>> = option::of(btree_map(name(), any::<u8>(), 0..3)),
    nested: Option<Address> = option::of(address()),
    boxed: Option<Box<Tagged>> = option::of(tagged().prop_map(Box::new)),
    moment: Option<Timestamp> = option::of(timestamp()),
    shared: Arc<Option<char>> = option::of(character()).prop_map(Arc::new),
    wrapped: Wrapped = option::of(any::<u32>()).prop_map(Wrapped),
});

group!(Times, TimeItem {
    timestamp: Timestamp = timestamp(),
    moment: OffsetDateTime = moment(),
    date: Date = date(),
    duration: Duration = duration(),
    std_duration: StdDuration = std_duration(),
    chrono_moment: DateTime<Utc> = chrono_moment(),
    chrono_naive: NaiveDateTime = chrono_moment().prop_map(|moment| moment.naive_utc()),
    chrono_date: NaiveDate = chrono_moment().prop_map(|moment| moment.date_naive()),
    dates: Vec<Option<Date>> = vec(option::of(date()), 0..3),
    durations: HashMap<String, Duration> = hash_map(name(), duration(), 0..3),
});

group!(Ids, IdItem {
    id: Id<TextItem> = id(),
    ulid: Ulid = any::<u128>().prop_map(Ulid::from),
    uuid: Uuid = any::<u128>().prop_map(Uuid::from_u128),
    ids: Vec<Id<FloatItem>> = vec(any::<u128>().prop_map(|bits| Ulid::from(bits).into()), 0..3),
    ulids: BTreeSet<Ulid> = btree_set(any::<u128>().prop_map(Ulid::from), 0..3),
    uuids: HashSet<Uuid> = hash_set(any::<u128>().prop_map(Uuid::from_u128), 0..3),
});

group!(Special, SpecialItem {
    tagged: Tagged = tagged(),
    pair: Pair<u32, Option<String>> = (any::<u32>(), option::of(text())).prop_map(|(left, right)| Pair { left, right }),
    boxed: Box<Address> = address().prop_map(Box::new),
    json: Json = json(),
    [serde]
    serde: Serde = serde(),
    [serde]
    maybe_serde: Option<(u8, String)> = option::of((any::<u8>(), text())),
    [with = address_text]
    with: IpAddr = any::<IpAddr>(),
    [default]
    count: u32 = any::<u32>(),
    [default = StdDuration::from_secs(5)]
    patience: StdDuration = std_duration(),
    [skip]
    skipped: Option<Untold> = Just(None),
    [flatten]
    extra: BTreeMap<String, Json> = extra(),
});

/// One of each.
#[derive(Entity, Clone, Debug, PartialEq)]
pub struct Sample {
    #[entity(partition)]
    pub pk: String,
    pub texts: Texts,
    pub unsigned: Unsigned,
    pub signed: Signed,
    pub floats: Floats,
    pub bytes: Bytes,
    pub lists: Lists,
    pub sets: Sets,
    pub maps: Maps,
    pub options: Options,
    pub times: Times,
    pub ids: Ids,
    pub special: Special,
}

impl Sampled for Sample {
    fn any() -> BoxedStrategy<Self> {
        let first =
            (key(), Texts::any(), Unsigned::any(), Signed::any(), Floats::any(), Bytes::any(), Lists::any());
        let second =
            (Sets::any(), Maps::any(), Options::any(), Times::any(), Ids::any(), Special::any()).boxed();
        (first, second)
            .prop_map(
                |(
                    (pk, texts, unsigned, signed, floats, bytes, lists),
                    (sets, maps, options, times, ids, special),
                )| {
                    #[rustfmt::skip]
                    let sample = Self {
                        pk, texts, unsigned, signed, floats, bytes, lists, sets, maps, options, times, ids, special,
                    };
                    sample
                },
            )
            .boxed()
    }
}

/// Cannot be stored, and is not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Untold;

#[derive(Attribute, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Email(pub String);

#[derive(Attribute, Clone, Debug, PartialEq)]
pub struct Digest(pub [u8; 8]);

#[derive(Attribute, Clone, Debug, PartialEq)]
pub struct Wrapped(pub Option<u32>);

#[derive(Attribute, Clone, Debug, PartialEq)]
pub struct Tags(pub BTreeSet<String>);

#[derive(Attribute, Clone, Debug, PartialEq)]
pub struct Pair<L, R> {
    pub left: L,
    pub right: R,
}

#[derive(Attribute, Clone, Debug, PartialEq)]
pub struct Address {
    pub city: String,
    #[attribute(rename = "post \"code\"")]
    pub zip: Option<String>,
    pub lines: Vec<String>,
    #[attribute(default)]
    pub floor: i8,
    pub tags: BTreeSet<String>,
}

#[derive(Attribute, Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Choice {
    First,
    SecondOne,
    #[attribute(rename = "the \"third\" \\ 🦀")]
    Third,
}

/// Every kind of variant.
#[derive(Attribute, Clone, Debug, PartialEq)]
#[attribute(tag = "a \"kind\"")]
pub enum Tagged {
    Unit,
    #[attribute(rename = "new\\type")]
    Newtype(String),
    Maybe(Option<u32>),
    Set(BTreeSet<i32>),
    Struct {
        city: Option<String>,
        #[attribute(rename = "🦀.")]
        count: u64,
        #[attribute(skip)]
        skipped: bool,
    },
    Nested(Address),
    Deeper(Vec<Tagged>),
    Rest {
        known: bool,
        #[attribute(flatten)]
        rest: BTreeMap<String, String>,
    },
}

#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq)]
pub struct Serde {
    text: String,
    character: char,
    float: f64,
    wide: i128,
    option: Option<u8>,
    tuple: (bool, i8, String),
    by_number: BTreeMap<i64, String>,
    by_truth: BTreeMap<bool, Vec<u8>>,
    variants: Vec<SerdeVariant>,
    unit: (),
    #[serde(rename = "a \"b\" \\ 🦀")]
    renamed: BTreeSet<char>,
    nested: Option<Box<Serde>>,
}

#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq)]
pub enum SerdeVariant {
    Unit,
    Newtype(String),
    Tuple(u8, Option<String>),
    Struct { a: f32, b: Vec<()> },
}

/// An address as a string, for `with`.
pub mod address_text {
    use std::net::IpAddr;

    use dynorm::Attribute;
    use dynorm::attribute::{Encoder, Value, ValueError};

    pub fn encode(address: &IpAddr, encoder: &mut Encoder) -> Result<(), ValueError> {
        address.to_string().encode(encoder)
    }

    pub fn decode(value: Value<'_>) -> Result<IpAddr, ValueError> {
        value.as_str()?.parse().map_err(|_| ValueError::new("expected an IP address"))
    }
}

/// A key that is not empty and within DynamoDB's limit.
pub fn key() -> BoxedStrategy<String> {
    text().prop_map(|text| format!("k{text}")).boxed()
}

/// The key of a map, which must not be empty.
fn name() -> BoxedStrategy<String> {
    text().prop_map(|text| if text.is_empty() { "\"".to_owned() } else { text }).boxed()
}

/// Strings with characters that are difficult for readers and writers of JSON.
pub fn text() -> BoxedStrategy<String> {
    let whole = select(vec![
        "",
        "\\",
        "\"",
        "\\\"",
        "\\ud800",
        "\\u0000",
        "\\\\ud83e\\udd80",
        "\"}}",
        "{\"S\":\"x\"}",
        "null",
        "0",
        "\u{feff}",
        "a\u{2028}b\u{2029}",
        "e\u{301}",
        "👨‍👩‍👧",
        "\r\n\t\u{8}\u{c}",
        "\u{7f}\u{80}\u{9f}",
        "\u{fffe}\u{ffff}\u{10ffff}",
    ]);
    let drawn = vec(character(), 0..8).prop_map(String::from_iter);
    prop_oneof![1 => whole.prop_map(str::to_owned), 3 => drawn].boxed()
}

pub fn character() -> BoxedStrategy<char> {
    let nasty = "\0\u{1}\u{1f}\u{7f}\"\\/{}[]:,ud80. #\u{2028}\u{2029}é\u{fffd}\u{ffff}🦀";
    prop_oneof![any::<char>(), select(nasty.chars().collect::<Vec<_>>()), proptest::char::range('a', 'z')]
        .boxed()
}

/// Integers of more than 64 bits, up to DynamoDB's 38 digits.
fn wide() -> BoxedStrategy<u128> {
    (any::<u128>(), 0..39u32).prop_map(|(bits, digits)| bits % 10u128.pow(digits)).boxed()
}

fn single() -> BoxedStrategy<f32> {
    use proptest::num::f32::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    prop_oneof![POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO, (-1000..1000i16).prop_map(f32::from)].boxed()
}

fn double() -> BoxedStrategy<f64> {
    use proptest::num::f64::{NEGATIVE, NORMAL, POSITIVE, ZERO};
    let within = |number: &f64| *number == 0.0 || (1e-130..1e126).contains(&number.abs());
    let edges = select(vec![0.0, -0.0, 1e-130, 1e125, 9.999_999_999_999_98e125, -9.99e125, 0.1, 1e16, 1e23]);
    // From the powers of ten, since few random bit patterns are in this range.
    let powers =
        (-1e3..1e3f64, -127..122i32).prop_map(|(mantissa, exponent)| mantissa * 10f64.powi(exponent));
    prop_oneof![
        (POSITIVE | NEGATIVE | NORMAL | ZERO).prop_filter("within DynamoDB's range", within),
        powers.prop_filter("within DynamoDB's range", within),
        edges,
        any::<i32>().prop_map(f64::from),
    ]
    .boxed()
}

fn decimal() -> BoxedStrategy<Decimal> {
    (any::<u32>(), any::<u32>(), any::<u32>(), any::<bool>(), 0..=28u32)
        .prop_map(|(low, middle, high, negative, scale)| {
            Decimal::from_parts(low, middle, high, negative, scale)
        })
        .boxed()
}

/// The first and the last microsecond of a [`Timestamp`].
const FIRST: i64 = -62_167_219_200_000_000;
const LAST: i64 = 253_402_300_799_999_999;

fn micros() -> BoxedStrategy<i64> {
    prop_oneof![FIRST..=LAST, select(vec![FIRST, LAST, 0, -1, 1])].boxed()
}

pub fn timestamp() -> BoxedStrategy<Timestamp> {
    micros().prop_map(|micros| Timestamp::from_unix_micros(micros).unwrap()).boxed()
}

/// With offsets, which are lost when they are stored; the moment is not.
fn moment() -> BoxedStrategy<OffsetDateTime> {
    let day = 86_400_000_000;
    let anywhere = ((FIRST + day)..=(LAST - day), 0..1000i128, -86_399..=86_399i32);
    let anywhere = anywhere.prop_map(|(micros, nanos, offset)| {
        let utc = OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000 + nanos).unwrap();
        utc.to_offset(UtcOffset::from_whole_seconds(offset).unwrap())
    });
    let edges = select(vec![i128::from(FIRST) * 1000, i128::from(LAST) * 1000 + 999, 0, -1]);
    prop_oneof![anywhere, edges.prop_map(|nanos| OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap())]
        .boxed()
}

fn date() -> BoxedStrategy<Date> {
    let edges = select(vec![
        Date::from_calendar_date(0, time::Month::January, 1).unwrap(),
        Date::from_calendar_date(9999, time::Month::December, 31).unwrap(),
        Date::from_calendar_date(2024, time::Month::February, 29).unwrap(),
    ]);
    prop_oneof![timestamp().prop_map(|timestamp| OffsetDateTime::from(timestamp).date()), edges].boxed()
}

fn duration() -> BoxedStrategy<Duration> {
    let sign = |seconds: i64, nanos: i32| if seconds < 0 { -nanos } else { nanos };
    let anything = (any::<i64>(), 0..1_000_000_000i32);
    let short = (-1000..1000i64, select(vec![0, 1, 500_000_000, 999_999_999]));
    let edges = select(vec![Duration::MIN, Duration::MAX, Duration::ZERO, Duration::nanoseconds(-1)]);
    prop_oneof![
        anything.prop_map(move |(seconds, nanos)| Duration::new(seconds, sign(seconds, nanos))),
        short.prop_map(move |(seconds, nanos)| Duration::new(seconds, sign(seconds, nanos))),
        edges,
    ]
    .boxed()
}

fn std_duration() -> BoxedStrategy<StdDuration> {
    let edges = select(vec![StdDuration::ZERO, StdDuration::MAX, StdDuration::from_nanos(1)]);
    let anything = (any::<u64>(), 0..1_000_000_000u32);
    prop_oneof![anything.prop_map(|(seconds, nanos)| StdDuration::new(seconds, nanos)), edges].boxed()
}

fn chrono_moment() -> BoxedStrategy<DateTime<Utc>> {
    (micros(), 0..1000u32)
        .prop_map(|(micros, nanos)| {
            DateTime::from_timestamp_micros(micros).unwrap() + chrono::Duration::nanoseconds(nanos.into())
        })
        .boxed()
}

fn id<T: 'static>() -> BoxedStrategy<Id<T>> {
    prop_oneof![any::<u128>(), select(vec![0, 1, u128::MAX])].prop_map(|bits| Ulid::from(bits).into()).boxed()
}

fn choice() -> BoxedStrategy<Choice> {
    select(vec![Choice::First, Choice::SecondOne, Choice::Third]).boxed()
}

fn address() -> BoxedStrategy<Address> {
    (text(), option::of(text()), vec(text(), 0..3), any::<i8>(), btree_set(text(), 0..3))
        .prop_map(|(city, zip, lines, floor, tags)| Address { city, zip, lines, floor, tags })
        .boxed()
}

fn tagged() -> BoxedStrategy<Tagged> {
    let rest = btree_map(name().prop_map(|text| format!("x{text}")), text(), 0..3);
    let leaf = prop_oneof![
        Just(Tagged::Unit),
        text().prop_map(Tagged::Newtype),
        option::of(any::<u32>()).prop_map(Tagged::Maybe),
        btree_set(any::<i32>(), 0..3).prop_map(Tagged::Set),
        (option::of(text()), any::<u64>()).prop_map(|(city, count)| Tagged::Struct {
            city,
            count,
            skipped: false
        }),
        address().prop_map(Tagged::Nested),
        (any::<bool>(), rest).prop_map(|(known, rest)| Tagged::Rest { known, rest }),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| vec(inner, 0..3).prop_map(Tagged::Deeper)).boxed()
}

/// Without values that DynamoDB cannot hold: it has one number type, so a whole float is read back as an
/// integer if it fits one.
fn json() -> BoxedStrategy<Json> {
    let float = double().prop_map(|float| {
        if float.fract() == 0.0 && (-9.3e18..1.9e19).contains(&float) {
            Json::from(0)
        } else {
            Json::from(float)
        }
    });
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        float,
        text().prop_map(Json::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Json::from),
            vec((name(), inner), 0..4).prop_map(|entries| Json::Object(entries.into_iter().collect())),
        ]
    })
    .boxed()
}

/// Attributes without a field. NULL is not among them, since absent attributes are left out.
fn extra() -> BoxedStrategy<BTreeMap<String, Json>> {
    let value = json().prop_map(|value| if value.is_null() { Json::from("not null") } else { value });
    btree_map(name().prop_map(|text| format!("x{text}")), value, 0..4).boxed()
}

fn serde() -> BoxedStrategy<Serde> {
    let variant = prop_oneof![
        Just(SerdeVariant::Unit),
        text().prop_map(SerdeVariant::Newtype),
        (any::<u8>(), option::of(text())).prop_map(|(number, text)| SerdeVariant::Tuple(number, text)),
        (single(), vec(Just(()), 0..2)).prop_map(|(a, b)| SerdeVariant::Struct { a, b }),
    ];
    let first = (text(), character(), double(), any::<i64>(), option::of(any::<u8>()));
    let second = (
        (any::<bool>(), any::<i8>(), text()),
        btree_map(any::<i64>(), text(), 0..3),
        btree_map(any::<bool>(), vec(any::<u8>(), 0..3), 0..2),
        vec(variant, 0..4),
        btree_set(character(), 0..3),
    );
    let plain = (first, second).prop_map(
        |((text, character, float, wide, option), (tuple, by_number, by_truth, variants, renamed))| Serde {
            text,
            character,
            float,
            wide: i128::from(wide) * 1_000_000_000,
            option,
            tuple,
            by_number,
            by_truth,
            variants,
            unit: (),
            renamed,
            nested: None,
        },
    );
    plain
        .prop_recursive(2, 3, 1, |inner| {
            (inner.clone(), inner).prop_map(|(outer, inner)| Serde { nested: Some(Box::new(inner)), ..outer })
        })
        .boxed()
}
