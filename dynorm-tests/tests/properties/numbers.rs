//! Numbers and sizes, checked against independent calculations.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use dynorm::Attribute;
use dynorm::attribute::{Encoder, Value, ValueError, shape};
use dynorm::prelude::*;
use dynorm_tests::canned::{self, Answer};
use proptest::prelude::*;
use rust_decimal::Decimal;
use time::Duration;

use crate::sample::*;
use crate::{cases, run};

/// A number as text, written and read as it is.
#[derive(Clone, Debug, PartialEq)]
struct Raw(String);

impl Attribute for Raw {
    type Base = Self;
    type Shape = shape::Number;

    fn encode(&self, encoder: &mut Encoder) -> Result<(), ValueError> {
        encoder.number(&self.0)
    }

    fn decode(value: Value<'_>) -> Result<Self, ValueError> {
        value.as_number().map(|text| Self(text.to_owned()))
    }
}

#[derive(Entity, Clone, Debug, PartialEq)]
struct Keyed {
    #[entity(partition)]
    number: Raw,
}

/// A number by its construction: `±d.ddd × 10^exponent`, without leading or trailing zeros.
#[derive(Clone, Debug)]
struct Known {
    negative: bool,
    digits: String,
    exponent: i32,
    /// One of many.
    spelling: Spelling,
}

#[derive(Clone, Debug)]
struct Spelling {
    /// The position of the point, in digits after the first one; the exponent compensates for it.
    point: i32,
    leading: usize,
    trailing: usize,
    plus: bool,
    upper: bool,
    exponent_plus: bool,
}

impl Known {
    fn text(&self) -> String {
        let Spelling { point, leading, trailing, plus, upper, exponent_plus } = self.spelling;
        let sign = if self.negative {
            "-"
        } else if plus {
            "+"
        } else {
            ""
        };
        let width = i32::try_from(self.digits.len()).unwrap();
        // The digits with the point `point` places after the first one, padded with zeros.
        let (whole, fraction) = if point < 0 {
            (String::new(), "0".repeat(point.unsigned_abs() as usize - 1) + &self.digits)
        } else if point + 1 >= width {
            (self.digits.clone() + &"0".repeat((point + 1 - width).unsigned_abs() as usize), String::new())
        } else {
            let (whole, fraction) = self.digits.split_at(point.unsigned_abs() as usize + 1);
            (whole.to_owned(), fraction.to_owned())
        };
        let whole = "0".repeat(leading) + &whole;
        let fraction = fraction + &"0".repeat(trailing);
        let mantissa = if fraction.is_empty() { whole } else { format!("{whole}.{fraction}") };
        let exponent = self.exponent - point;
        let e = if upper { 'E' } else { 'e' };
        let plus = if exponent_plus && exponent >= 0 { "+" } else { "" };
        if exponent == 0 {
            format!("{sign}{mantissa}")
        } else {
            format!("{sign}{mantissa}{e}{plus}{exponent}")
        }
    }

    fn is_held(&self) -> bool {
        self.digits.len() <= 38 && (-130..=125).contains(&self.exponent)
    }

    /// The digits of a whole number of at most 39 digits.
    fn whole(&self) -> Option<String> {
        let zeros = (self.exponent + 1).checked_sub_unsigned(u32::try_from(self.digits.len()).ok()?)?;
        let zeros = usize::try_from(zeros).ok().filter(|_| self.exponent <= 38)?;
        Some(format!("{}{}{}", if self.negative { "-" } else { "" }, self.digits, "0".repeat(zeros)))
    }
}

fn known(
    digits: impl Strategy<Value = usize>,
    exponents: std::ops::Range<i32>,
) -> impl Strategy<Value = Known> {
    let digits = digits.prop_flat_map(|count| {
        proptest::collection::vec(0..10u8, count).prop_map(|mut digits| {
            for end in [0, digits.len() - 1] {
                digits[end] = digits[end].max(1);
            }
            digits.into_iter().map(|digit| char::from(b'0' + digit)).collect::<String>()
        })
    });
    let spelling = (-20..50i32, 0..3usize, 0..3usize, any::<[bool; 3]>());
    (any::<bool>(), digits, exponents, spelling).prop_map(
        |(negative, digits, exponent, (point, leading, trailing, [plus, upper, exponent_plus]))| Known {
            negative,
            digits,
            exponent,
            spelling: Spelling { point, leading, trailing, plus, upper, exponent_plus },
        },
    )
}

#[test]
fn a_number_is_taken_if_and_only_if_dynamodb_holds_it() {
    let edges = prop_oneof![Just(1usize), 36..41usize, 1..60usize];
    let low = known(1..40usize, -134..-126);
    let high = known(1..40usize, 122..129);
    proptest!(cases(2000), |(number in prop_oneof![known(edges, -134..129), low, high])| {
        let taken = dynorm::to_item(&Keyed { number: Raw(number.text()) });
        prop_assert_eq!(taken.is_ok(), number.is_held(), "{} {:?}", number.text(), taken.map(drop));
    });
}

/// A batch reads each key once: for DynamoDB 1, 1.0 and 1e0 are the same key, and it refuses a request with
/// duplicates.
#[test]
fn two_spellings_are_one_key_if_and_only_if_the_numbers_are_equal() {
    let pair =
        (known(1..6usize, -5..6), known(1..6usize, -5..6), any::<bool>()).prop_map(|(left, right, equal)| {
            let right = if equal { Known { spelling: right.spelling, ..left.clone() } } else { right };
            (left, right)
        });
    let (db, requests) = canned::database(|_| Answer::ok(r#"{"Responses":{"keyeds":[]}}"#));
    proptest!(cases(300), |((left, right) in pair)| {
        let equal = (left.negative, &left.digits, left.exponent) == (right.negative, &right.digits, right.exponent);
        requests.clear();
        run(async { KeyedRepo::batch_get([Raw(left.text()), Raw(right.text())]).on(&db).await.unwrap() });
        let keys = requests.all()[0].body["RequestItems"]["keyeds"]["Keys"].as_array().unwrap().len();
        prop_assert_eq!(keys, if equal { 1 } else { 2 }, "{} {}", left.text(), right.text());
    });
}

/// The result of reading a value as a `T`.
#[derive(Clone, Debug)]
struct Try<T>(Result<T, String>);

impl<T: Attribute> Attribute for Try<T> {
    type Base = Self;
    type Shape = shape::Number;

    fn encode(&self, _: &mut Encoder) -> Result<(), ValueError> {
        Err(ValueError::new("for reading alone"))
    }

    fn decode(value: Value<'_>) -> Result<Self, ValueError> {
        Ok(Self(T::decode(value).map_err(|error| error.to_string())))
    }
}

#[derive(Entity, Clone, Debug)]
struct Readings {
    #[entity(partition)]
    pk: String,
    a: Try<u8>,
    b: Try<u16>,
    c: Try<u32>,
    d: Try<u64>,
    e: Try<u128>,
    f: Try<i8>,
    g: Try<i16>,
    h: Try<i32>,
    i: Try<i64>,
    j: Try<i128>,
    float: Try<f64>,
    single: Try<f32>,
    decimal: Try<Decimal>,
    duration: Try<Duration>,
    std_duration: Try<std::time::Duration>,
}

fn read(text: &str) -> Readings {
    let number = AttributeValue::N(text.to_owned());
    let mut item: HashMap<String, AttributeValue> =
        Readings::INFO.fields.iter().map(|field| (field.name.to_owned(), number.clone())).collect();
    item.insert("pk".to_owned(), AttributeValue::S("k".to_owned()));
    dynorm::from_item(&item).unwrap()
}

#[test]
fn whole_numbers_are_read_in_every_spelling_and_nothing_is_rounded() {
    let numbers = prop_oneof![known(1..6usize, -3..8), known(1..40usize, 0..45), known(1..25usize, -20..25)];
    proptest!(cases(2000), |(number in numbers)| {
        let text = number.text();
        let readings = read(&text);
        let whole = number.whole();
        macro_rules! check {
            ($($field:ident: $type:ident),*) => {$(
                let expected = whole.as_deref().and_then(|whole| whole.parse::<$type>().ok());
                prop_assert_eq!(readings.$field.0.as_ref().ok(), expected.as_ref(), "{}", text);
                if let Err(error) = &readings.$field.0 {
                    let fraction = number.exponent + 1 < i32::try_from(number.digits.len()).unwrap();
                    let reason = if fraction { "found one with a fraction" } else { "the number does not \
                        fit" };
                    prop_assert!(error.contains(reason) && error.contains(stringify!($type)), "{}: {}", text, error);
                }
            )*};
        }
        check!(a: u8, b: u16, c: u32, d: u64, e: u128, f: i8, g: i16, h: i32, i: i64, j: i128);
    });
}

#[test]
fn floats_are_read_as_the_nearest() {
    proptest!(cases(500), |(number in known(1..39usize, -130..126))| {
        let sign = if number.negative { "-" } else { "" };
        let (first, rest) = number.digits.split_at(1);
        let plain = format!("{sign}{first}.{rest}e{}", number.exponent);
        let readings = read(&number.text());
        prop_assert_eq!(readings.float.0, Ok(plain.parse::<f64>().unwrap()));
        let single = plain.parse::<f32>().unwrap();
        prop_assert_eq!(readings.single.0.ok(), single.is_finite().then_some(single));
    });
}

#[test]
fn decimals_are_exact_or_refused() {
    let numbers =
        prop_oneof![known(1..30usize, -29..30), known(27..31usize, -5..31), known(1..60usize, -130..126)];
    proptest!(cases(2000), |(number in numbers)| {
        let places = i32::try_from(number.digits.len()).unwrap() - 1 - number.exponent;
        let digits = number.digits.clone() + &"0".repeat((-places).clamp(0, 40).unsigned_abs() as usize);
        let mantissa = digits.parse::<i128>().ok().filter(|mantissa| *mantissa < 1 << 96);
        let expected = mantissa.filter(|_| places <= 28).map(|mantissa| {
            let mantissa = if number.negative { -mantissa } else { mantissa };
            Decimal::from_i128_with_scale(mantissa, places.max(0).unsigned_abs())
        });
        let read = read(&number.text()).decimal.0;
        prop_assert_eq!(read.as_ref().ok(), expected.as_ref(), "{} {:?}", number.text(), read);
    });
}

#[test]
fn durations_are_cut_off_at_the_nanosecond() {
    let numbers = prop_oneof![known(1..20usize, -12..20), known(1..28usize, -35..22)];
    proptest!(cases(1000), |(number in numbers)| {
        let mantissa: i128 = number.digits.parse().unwrap();
        let power = number.exponent - i32::try_from(number.digits.len()).unwrap() + 1 + 9;
        let nanos = if power >= 0 {
            mantissa * 10i128.pow(power.unsigned_abs())
        } else {
            10i128.checked_pow(power.unsigned_abs()).map_or(0, |divisor| mantissa / divisor)
        };
        let readings = read(&number.text());
        let (seconds, below) = (nanos / 1_000_000_000, i32::try_from(nanos % 1_000_000_000).unwrap());
        let sign = if number.negative { -1 } else { 1 };
        let expected = i64::try_from(seconds * i128::from(sign)).ok().map(|seconds| Duration::new(seconds, below * sign));
        prop_assert_eq!(readings.duration.0.ok(), expected, "{}", number.text());
        let expected = u64::try_from(seconds).ok().filter(|_| !number.negative || nanos == 0);
        let expected = expected.map(|seconds| std::time::Duration::new(seconds, below.unsigned_abs()));
        prop_assert_eq!(readings.std_duration.0.ok(), expected, "{}", number.text());
    });
}

/// The size of an item by AWS's rules.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
fn size(item: &HashMap<String, AttributeValue>) -> usize {
    fn number(text: &str) -> usize {
        let mantissa = text.split(['e', 'E']).next().unwrap();
        let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
        let significant = digits.trim_matches('0').len();
        significant.div_ceil(2) + if text.starts_with('-') { 2 } else { 1 }
    }
    fn value(attribute: &AttributeValue) -> usize {
        match attribute {
            AttributeValue::S(text) => text.len(),
            AttributeValue::N(text) => number(text),
            AttributeValue::B(bytes) => bytes.as_ref().len(),
            AttributeValue::Bool(_) | AttributeValue::Null(_) => 1,
            AttributeValue::Ss(texts) => texts.iter().map(String::len).sum(),
            AttributeValue::Ns(numbers) => numbers.iter().map(|text| number(text)).sum(),
            AttributeValue::Bs(all) => all.iter().map(|bytes| bytes.as_ref().len()).sum(),
            AttributeValue::L(items) => 3 + items.iter().map(|item| 1 + value(item)).sum::<usize>(),
            AttributeValue::M(entries) => 3 + entries.len() + size(entries),
            other => panic!("{other:?}"),
        }
    }
    item.iter().map(|(name, attribute)| name.len() + value(attribute)).sum()
}

#[test]
fn the_size_of_an_item_is_that_of_its_names_and_values() {
    const LIMIT: usize = 400 * 1024;
    proptest!(cases(6), |(sample in Sample::any(), excess in 1..5000usize)| {
        let mut sample = sample;
        sample.texts.string = String::new();
        let small = size(&dynorm::to_item(&sample).unwrap());
        // The largest item that fits, although its JSON is longer, …
        sample.texts.string = "\u{1}".repeat(1000) + &"x".repeat(LIMIT - small - 1000);
        prop_assert_eq!(size(&dynorm::to_item(&sample).unwrap()), LIMIT);
        // … and some that do not fit.
        sample.texts.string = "é".repeat((LIMIT - small) / 2 + excess);
        let expected = small + sample.texts.string.len();
        let error = dynorm::to_item(&sample).unwrap_err().to_string();
        prop_assert!(error.contains(&format!("the item has {expected} bytes")), "{}", error);
        prop_assert!(error.contains("the largest attribute is `texts`"), "{}", error);
    });
}
