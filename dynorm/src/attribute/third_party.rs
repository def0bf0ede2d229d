//! The types of other crates, each behind a feature.

#![allow(unused_imports, reason = "what is used depends on which of the features are on")]

use super::{Attribute, Identifier, shape};
use crate::codec::{Encoder, Value, ValueError};

/// Stored as text with hyphens, in lower case.
#[cfg(feature = "uuid")]
#[diagnostic::do_not_recommend]
impl Attribute for uuid::Uuid {
    type Base = Self;
    type Shape = shape::FixedText;

    fn encode(&self, encoder: &mut Encoder) -> Result<(), ValueError> {
        encoder.string(self.hyphenated().encode_lower(&mut uuid::Uuid::encode_buffer()))
    }

    fn decode(value: Value<'_>) -> Result<Self, ValueError> {
        Self::parse_str(&value.as_str()?)
            .map_err(|error| ValueError::new(format!("expected a UUID: {error}")))
    }
}

/// A fresh id is a UUID of version 7, which sorts by the time of its creation.
#[cfg(feature = "uuid")]
#[diagnostic::do_not_recommend]
impl Identifier for uuid::Uuid {
    fn is_unset(&self) -> bool {
        self.is_nil()
    }

    fn fresh() -> Self {
        Self::now_v7()
    }
}

#[cfg(feature = "rust_decimal")]
#[diagnostic::do_not_recommend]
impl Attribute for rust_decimal::Decimal {
    type Base = Self;
    type Shape = shape::Number;

    fn encode(&self, encoder: &mut Encoder) -> Result<(), ValueError> {
        encoder.number(&self.normalize().to_string())
    }

    fn decode(value: Value<'_>) -> Result<Self, ValueError> {
        crate::codec::plain_number(value.as_number()?)
            .and_then(|plain| Self::from_str_exact(&plain).ok())
            .ok_or_else(|| ValueError::new("the number does not fit a Decimal without rounding"))
    }
}

/// Stored in RFC 3339 to the nanosecond.
#[cfg(feature = "chrono")]
#[diagnostic::do_not_recommend]
impl Attribute for chrono::DateTime<chrono::Utc> {
    type Base = Self;
    type Shape = shape::Text;

    fn encode(&self, encoder: &mut Encoder) -> Result<(), ValueError> {
        chrono_text(&self.naive_utc(), "Z", encoder)
    }

    fn decode(value: Value<'_>) -> Result<Self, ValueError> {
        chrono::DateTime::parse_from_rfc3339(&value.as_str()?)
            .map(|moment| moment.to_utc())
            .map_err(|_| ValueError::new("expected a time in RFC 3339, such as 2026-03-01T12:30:00Z"))
    }
}

/// Stored as RFC 3339 without an offset, such as `2026-03-01T12:30:00.000000000`.
#[cfg(feature = "chrono")]
#[diagnostic::do_not_recommend]
impl Attribute for chrono::NaiveDateTime {
    type Base = Self;
    type Shape = shape::Text;

    fn encode(&self, encoder: &mut Encoder) -> Result<(), ValueError> {
        chrono_text(self, "", encoder)
    }

    fn decode(value: Value<'_>) -> Result<Self, ValueError> {
        value
            .as_str()?
            .parse()
            .map_err(|_| ValueError::new("expected a time without an offset, such as 2026-03-01T12:30:00"))
    }
}

#[cfg(feature = "chrono")]
#[diagnostic::do_not_recommend]
impl Attribute for chrono::NaiveDate {
    type Base = Self;
    type Shape = shape::FixedText;

    fn encode(&self, encoder: &mut Encoder) -> Result<(), ValueError> {
        use chrono::Datelike;
        if !(0..=9999).contains(&self.year()) {
            return Err(ValueError::new("a date lies between the years 0 and 9999, and this one does not"));
        }
        encoder.string(&self.to_string())
    }

    fn decode(value: Value<'_>) -> Result<Self, ValueError> {
        value.as_str()?.parse().map_err(|_| ValueError::new("expected a date such as 2026-03-01"))
    }
}

/// Writes a time with a fixed width, so that the texts sort by time.
#[cfg(feature = "chrono")]
fn chrono_text(moment: &chrono::NaiveDateTime, zone: &str, encoder: &mut Encoder) -> Result<(), ValueError> {
    use chrono::{Datelike, Timelike};
    if !(0..=9999).contains(&moment.year()) {
        return Err(ValueError::new("a time lies between the years 0 and 9999, and this one does not"));
    }
    // chrono represents a leap second by a billion nanoseconds or more, which nine digits cannot hold.
    if moment.nanosecond() >= 1_000_000_000 {
        return Err(ValueError::new("a leap second cannot be stored"));
    }
    let (date, time) = (moment.date(), moment.time());
    encoder.string(&format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}{zone}",
        date.year(),
        date.month(),
        date.day(),
        time.hour(),
        time.minute(),
        time.second(),
        time.nanosecond()
    ))
}
