//! The types of the crate `time`, and the duration of the standard library.

use ::time::macros::format_description;
use ::time::{Date, Duration, OffsetDateTime};

use super::timestamp::{decode_nanos, encode_nanos};
use super::{Attribute, shape};
use crate::codec::{Encoder, Value, ValueError};

/// Stored in UTC to the nanosecond, and read back as the same moment in UTC.
#[diagnostic::do_not_recommend]
impl Attribute for OffsetDateTime {
    type Base = Self;
    type Shape = shape::Text;

    fn encode(&self, encoder: &mut Encoder) -> Result<(), ValueError> {
        encode_nanos(*self, encoder)
    }

    fn decode(value: Value<'_>) -> Result<Self, ValueError> {
        decode_nanos(value)
    }
}

#[diagnostic::do_not_recommend]
impl Attribute for Date {
    type Base = Self;
    type Shape = shape::FixedText;

    fn encode(&self, encoder: &mut Encoder) -> Result<(), ValueError> {
        if !(0..=9999).contains(&self.year()) {
            return Err(ValueError::new("a date lies between the years 0 and 9999, and this one does not"));
        }
        let text = self
            .format(format_description!("[year]-[month]-[day]"))
            .map_err(|error| ValueError::new(error.to_string()))?;
        encoder.string(&text)
    }

    fn decode(value: Value<'_>) -> Result<Self, ValueError> {
        Self::parse(&value.as_str()?, format_description!("[year]-[month]-[day]"))
            .map_err(|_| ValueError::new("expected a date such as 2026-03-01"))
    }
}

/// Stored as seconds, with up to nine decimals.
#[diagnostic::do_not_recommend]
impl Attribute for Duration {
    type Base = Self;
    type Shape = shape::Number;

    fn encode(&self, encoder: &mut Encoder) -> Result<(), ValueError> {
        let sign = if self.is_negative() { "-" } else { "" };
        write_seconds(
            sign,
            self.whole_seconds().unsigned_abs(),
            self.subsec_nanoseconds().unsigned_abs(),
            encoder,
        )
    }

    fn decode(value: Value<'_>) -> Result<Self, ValueError> {
        let (negative, seconds, nanos) = read_seconds(value)?;
        let seconds = if negative { 0i64.checked_sub_unsigned(seconds) } else { i64::try_from(seconds).ok() };
        let nanos = i32::try_from(nanos).ok().map(|nanos| if negative { -nanos } else { nanos });
        match (seconds, nanos) {
            (Some(seconds), Some(nanos)) => Ok(Self::new(seconds, nanos)),
            _ => Err(ValueError::new("the number of seconds does not fit a duration")),
        }
    }
}

/// Stored as seconds, with up to nine decimals.
#[diagnostic::do_not_recommend]
impl Attribute for std::time::Duration {
    type Base = Self;
    type Shape = shape::Number;

    fn encode(&self, encoder: &mut Encoder) -> Result<(), ValueError> {
        write_seconds("", self.as_secs(), self.subsec_nanos(), encoder)
    }

    fn decode(value: Value<'_>) -> Result<Self, ValueError> {
        match read_seconds(value)? {
            (true, seconds, nanos) if seconds != 0 || nanos != 0 => {
                Err(ValueError::new("the number of seconds is negative, and a duration is not"))
            }
            (_, seconds, nanos) => Ok(Self::new(seconds, nanos)),
        }
    }
}

fn write_seconds(sign: &str, seconds: u64, nanos: u32, encoder: &mut Encoder) -> Result<(), ValueError> {
    let text = format!("{sign}{seconds}.{nanos:09}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    encoder.number(if text == "-0" { "0" } else { text })
}

/// Reads the sign, whole seconds, and nanoseconds; smaller fractions are cut off.
fn read_seconds(value: Value<'_>) -> Result<(bool, u64, u32), ValueError> {
    let text = value.as_number()?;
    let plain = crate::codec::plain_number(text)
        .ok_or_else(|| ValueError::new("the number of seconds does not fit a duration"))?;
    let (negative, unsigned) = match plain.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, plain.as_str()),
    };
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let seconds =
        whole.parse().map_err(|_| ValueError::new("the number of seconds does not fit a duration"))?;
    let nanos = format!("{fraction:0<9}").get(..9).and_then(|digits| digits.parse().ok()).unwrap_or_default();
    Ok((negative, seconds, nanos))
}
