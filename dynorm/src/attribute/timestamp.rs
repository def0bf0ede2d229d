//! [`Timestamp`]: a time to the microsecond.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use ::time::format_description::well_known::Rfc3339;
use ::time::macros::format_description;
use ::time::{OffsetDateTime, UtcOffset};

use super::{Attribute, shape};
use crate::codec::{Encoder, Value, ValueError};

/// A moment in time, to the microsecond, between the years 0 and 9999.
///
/// It is stored as RFC 3339 in UTC with six fractional digits, such as `2026-03-01T12:30:00.000000Z`. So the
/// texts are in the order of the times, also in a sort key. Any RFC 3339 text can be read. Fractions of a
/// microsecond are cut off when a `Timestamp` is created, so a value that is read back equals the one that
/// was saved.
///
/// The default is 1970-01-01T00:00:00Z, which `created_at` and `updated_at` treat as "not set yet".
///
/// ```
/// use dynorm::Timestamp;
///
/// let moment: Timestamp = "2026-03-01T13:30:00+01:00".parse()?;
/// assert_eq!(moment.to_string(), "2026-03-01T12:30:00.000000Z");
/// assert!(Timestamp::default() < moment);
/// # Ok::<(), dynorm::attribute::TimestampError>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    /// Microseconds since 1970.
    micros: i64,
}

/// 0000-01-01T00:00:00.000000Z
const FIRST: i64 = -62_167_219_200_000_000;
/// 9999-12-31T23:59:59.999999Z
const LAST: i64 = 253_402_300_799_999_999;

impl Timestamp {
    /// Returns the current time.
    ///
    /// ```
    /// assert!(dynorm::Timestamp::now() > dynorm::Timestamp::default());
    /// ```
    #[must_use]
    pub fn now() -> Self {
        SystemTime::now().try_into().unwrap_or_default()
    }

    /// Creates the timestamp this many microseconds after 1970-01-01T00:00:00Z. Fails outside the years 0 to
    /// 9999.
    ///
    /// ```
    /// # use dynorm::Timestamp;
    /// assert_eq!(Timestamp::from_unix_micros(1_500_000)?.to_string(), "1970-01-01T00:00:01.500000Z");
    /// assert!(Timestamp::from_unix_micros(i64::MAX).is_err());
    /// # Ok::<(), dynorm::attribute::TimestampError>(())
    /// ```
    pub const fn from_unix_micros(micros: i64) -> Result<Self, TimestampError> {
        if micros < FIRST || micros > LAST {
            return Err(TimestampError(Problem::OutOfRange));
        }
        Ok(Self { micros })
    }

    /// Returns the microseconds since 1970-01-01T00:00:00Z.
    ///
    /// ```
    /// assert_eq!(dynorm::Timestamp::default().unix_micros(), 0);
    /// ```
    #[must_use]
    pub const fn unix_micros(self) -> i64 {
        self.micros
    }

    /// Adds a duration; `None` after the year 9999.
    ///
    /// ```
    /// # use dynorm::Timestamp;
    /// # use std::time::Duration;
    /// let later = Timestamp::default().checked_add(Duration::from_secs(60)).map(|later| later.to_string());
    /// assert_eq!(later.as_deref(), Some("1970-01-01T00:01:00.000000Z"));
    /// ```
    #[must_use]
    pub fn checked_add(self, duration: Duration) -> Option<Self> {
        let micros = self.micros.checked_add(i64::try_from(duration.as_micros()).ok()?)?;
        Self::from_unix_micros(micros).ok()
    }

    /// Subtracts a duration; `None` before the year 0.
    ///
    /// ```
    /// # use dynorm::Timestamp;
    /// # use std::time::Duration;
    /// let yesterday = Timestamp::now().checked_sub(Duration::from_secs(86_400));
    /// assert!(yesterday.is_some_and(|yesterday| yesterday < Timestamp::now()));
    /// ```
    #[must_use]
    pub fn checked_sub(self, duration: Duration) -> Option<Self> {
        let micros = self.micros.checked_sub(i64::try_from(duration.as_micros()).ok()?)?;
        Self::from_unix_micros(micros).ok()
    }

    /// Writes the stored form, which always has 27 bytes.
    fn write(self, out: &mut [u8; 27]) {
        const DAY: i64 = 86_400_000_000;
        // Within the limits of the type, no number counted from the year 0 is negative.
        let since_first = u64::try_from(self.micros - FIRST).unwrap_or_default();
        let (days, micros) = (since_first / DAY.unsigned_abs(), since_first % DAY.unsigned_abs());
        let (year, month, day) = civil(u32::try_from(days).unwrap_or_default());
        let (seconds, micros) = (u32::try_from(micros / 1_000_000), u32::try_from(micros % 1_000_000));
        let (seconds, micros) = (seconds.unwrap_or_default(), micros.unwrap_or_default());
        let (minutes, fraction) = (seconds / 60, micros / 100);
        *out = *b"0000-00-00T00:00:00.000000Z";
        // Fixed positions, which the compiler knows to be in bounds.
        let [a, b, c, d, _, e, f, _, g, h, _, i, j, _, k, l, _, m, n, _, o, p, q, r, s, t, _] = out;
        [*a, *b] = two_digits(year / 100);
        [*c, *d] = two_digits(year % 100);
        [*e, *f] = two_digits(month);
        [*g, *h] = two_digits(day);
        [*i, *j] = two_digits(minutes / 60);
        [*k, *l] = two_digits(minutes % 60);
        [*m, *n] = two_digits(seconds % 60);
        [*o, *p] = two_digits(fraction / 100);
        [*q, *r] = two_digits(fraction % 100);
        [*s, *t] = two_digits(micros % 100);
    }

    /// Reads the stored form, without a general parser; `None` for any other text.
    fn read(text: &str) -> Option<Self> {
        let bytes: &[u8; 27] = text.as_bytes().try_into().ok()?;
        let (year_month, rest) = bytes.split_first_chunk()?;
        let (day_minute, rest) = rest.split_first_chunk()?;
        let (second, _) = rest.split_first_chunk()?;
        let (year_month, day_minute) = (pairs(year_month, b"0000-00-")?, pairs(day_minute, b"00T00:00")?);
        let (second, fraction) = (pairs(second, b":00.0000")?, pairs(rest.last_chunk()?, b".000000Z")?);
        let year = 100 * number(year_month, 0) + number(year_month, 2);
        let (month, day) = (number(year_month, 5), number(day_minute, 0));
        let (hour, minute, second) = (number(day_minute, 3), number(day_minute, 6), number(second, 1));
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let days = days_since_1970(year, month, day)?;
        let micros = 10_000 * number(fraction, 1) + 100 * number(fraction, 3) + number(fraction, 5);
        let seconds = i64::from(days) * 86_400 + i64::from(hour * 3600 + minute * 60 + second);
        Self::from_unix_micros(seconds * 1_000_000 + i64::from(micros)).ok()
    }
}

/// Reads a text that has digits where `form` has zeros, and otherwise equals `form`. Each byte of the result
/// is the number made by the two digits that begin there. The eight bytes are processed as one word.
#[inline]
fn pairs(text: &[u8; 8], form: &[u8; 8]) -> Option<u64> {
    const HIGHEST: u64 = u64::from_ne_bytes([0x80; 8]);
    // Adding these sets the highest bit of each byte that is not a digit where one is expected, or that
    // differs from `form`.
    let limits = u64::from_le_bytes(form.map(|byte| if byte == b'0' { 0x76 } else { 0x7f }));
    let digits = u64::from_le_bytes(*text) ^ u64::from_le_bytes(*form);
    if (digits | digits.wrapping_add(limits)) & HIGHEST != 0 {
        return None;
    }
    Some(digits.wrapping_mul(10).wrapping_add(digits >> 8))
}

/// Returns the number of the pair that begins at `at`.
#[inline]
const fn number(pairs: u64, at: u32) -> i32 {
    (pairs >> (8 * at) & 0xff) as i32
}

/// Returns the days from 1970-01-01 to a date between the years 0 and 9999; `None` for a date that does not
/// exist.
fn days_since_1970(year: i32, month: i32, day: i32) -> Option<i32> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    // Counted from 1 March of the year 0, so that a leap day is the last day of its year.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    Some(365 * year + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468)
}

/// Returns the year, month and day of a day that is counted from 0000-01-01. The computation starts years in
/// March, so that the leap day is the last day of a year and divisions find year and month; see "Euclidean
/// affine functions and their application to calendar algorithms" by Neri and Schneider.
const fn civil(days: u32) -> (u32, u32, u32) {
    /// The days of 400 years.
    const ERA: u32 = 146_097;
    // Counted from 1 March of the year -400: no day lies before it, and the leap years repeat every 400
    // years.
    let quarters = 4 * (days + ERA - 60) + 3;
    let (century, of_century) = (quarters / ERA, quarters % ERA / 4);
    let quarters = 4 * of_century + 3;
    let (of_years, of_year) = (quarters / 1461, quarters % 1461 / 4);
    let months = 5 * of_year + 2;
    let (month, day) = (months / 153, months % 153 / 5 + 1);
    let year = (100 * century + of_years).wrapping_sub(400);
    if month < 10 { (year, month + 3, day) } else { (year.wrapping_add(1), month - 9, day) }
}

/// Returns the two digits of a number below 100.
#[inline]
fn two_digits(number: u32) -> [u8; 2] {
    #[allow(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "done by the compiler")]
    const ALL: [[u8; 2]; 128] = {
        let mut all = [*b"00"; 128];
        let mut number = 0;
        while number < 100 {
            all[number] = [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
            number += 1;
        }
        all
    };
    // 128 rather than 100 entries, so that no bounds check is needed.
    ALL[(number % 128) as usize]
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 27];
        self.write(&mut text);
        f.pad(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    /// Parses any RFC 3339 text.
    fn from_str(text: &str) -> Result<Self, TimestampError> {
        if let Some(timestamp) = Self::read(text) {
            return Ok(timestamp);
        }
        OffsetDateTime::parse(text, &Rfc3339)
            .map_err(|error| TimestampError(Problem::NotRfc3339(error)))
            .and_then(TryInto::try_into)
    }
}

impl TryFrom<OffsetDateTime> for Timestamp {
    type Error = TimestampError;

    fn try_from(moment: OffsetDateTime) -> Result<Self, TimestampError> {
        i64::try_from(moment.unix_timestamp_nanos().div_euclid(1000))
            .map_err(|_| TimestampError(Problem::OutOfRange))
            .and_then(Self::from_unix_micros)
    }
}

impl From<Timestamp> for OffsetDateTime {
    fn from(timestamp: Timestamp) -> Self {
        // The years 0 to 9999 fit `time` without its feature for large dates.
        Self::from_unix_timestamp_nanos(i128::from(timestamp.micros) * 1000).unwrap_or(Self::UNIX_EPOCH)
    }
}

impl TryFrom<SystemTime> for Timestamp {
    type Error = TimestampError;

    fn try_from(moment: SystemTime) -> Result<Self, TimestampError> {
        let micros = match moment.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_micros()),
            // Rounded down like every other time, which is away from 1970.
            Err(before) => i64::try_from(before.duration().as_nanos().div_ceil(1000)).map(|micros| -micros),
        };
        micros.map_err(|_| TimestampError(Problem::OutOfRange)).and_then(Self::from_unix_micros)
    }
}

impl From<Timestamp> for SystemTime {
    fn from(timestamp: Timestamp) -> Self {
        let distance = Duration::from_micros(timestamp.micros.unsigned_abs());
        let moment = if timestamp.micros < 0 {
            Self::UNIX_EPOCH.checked_sub(distance)
        } else {
            Self::UNIX_EPOCH.checked_add(distance)
        };
        // `SystemTime` on Windows starts in 1601.
        moment.unwrap_or(Self::UNIX_EPOCH)
    }
}

/// Serializes the timestamp as text.
impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[diagnostic::do_not_recommend]
impl Attribute for Timestamp {
    type Base = Self;
    type Shape = shape::FixedText;

    #[inline]
    fn encode(&self, encoder: &mut Encoder) -> Result<(), ValueError> {
        let mut text = [0; 27];
        self.write(&mut text);
        encoder.plain(&text)
    }

    fn decode(value: Value<'_>) -> Result<Self, ValueError> {
        value.as_str()?.parse().map_err(|error: TimestampError| ValueError::new(error.to_string()))
    }

    fn is_spelled(timestamp: &Self, stored: &Value<'_>) -> Option<bool> {
        stored.as_str().ok().map(|text| Self::read(&text) == Some(*timestamp))
    }
}

/// The error for a time outside the years 0 to 9999, or a text that is not RFC 3339.
#[derive(Clone, Debug)]
pub struct TimestampError(Problem);

#[derive(Clone, Debug)]
enum Problem {
    OutOfRange,
    NotRfc3339(::time::error::Parse),
}

impl fmt::Display for TimestampError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Problem::OutOfRange => {
                f.write_str("a timestamp lies between the years 0 and 9999, and this one does not")
            }
            Problem::NotRfc3339(_) => {
                f.write_str("expected a time in RFC 3339, such as 2026-03-01T12:30:00Z")
            }
        }
    }
}

impl std::error::Error for TimestampError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0 {
            Problem::OutOfRange => None,
            Problem::NotRfc3339(error) => Some(error),
        }
    }
}

/// Writes RFC 3339 in UTC with nine fractional digits, for the types of other crates with nanoseconds.
pub(super) fn encode_nanos(moment: OffsetDateTime, encoder: &mut Encoder) -> Result<(), ValueError> {
    let utc = moment
        .checked_to_offset(UtcOffset::UTC)
        .filter(|utc| (0..=9999).contains(&utc.year()))
        .ok_or_else(|| ValueError::new(TimestampError(Problem::OutOfRange).to_string()))?;
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:9]Z");
    let text = utc.format(format).map_err(|error| ValueError::new(error.to_string()))?;
    encoder.string(&text)
}

/// The reverse of [`encode_nanos`].
pub(super) fn decode_nanos(value: Value<'_>) -> Result<OffsetDateTime, ValueError> {
    OffsetDateTime::parse(&value.as_str()?, &Rfc3339)
        .map_err(|error| ValueError::new(TimestampError(Problem::NotRfc3339(error)).to_string()))
}

#[cfg(test)]
mod tests {
    use super::{FIRST, LAST, Timestamp};
    use ::time::OffsetDateTime;

    #[test]
    fn the_text_has_a_fixed_width_and_comes_back() {
        for (micros, text) in [
            (FIRST, "0000-01-01T00:00:00.000000Z"),
            (LAST, "9999-12-31T23:59:59.999999Z"),
            (-1, "1969-12-31T23:59:59.999999Z"),
            (0, "1970-01-01T00:00:00.000000Z"),
            (1_709_210_096_789_012, "2024-02-29T12:34:56.789012Z"),
        ] {
            let timestamp = Timestamp::from_unix_micros(micros).unwrap();
            assert_eq!(timestamp.to_string(), text);
            assert_eq!(text.parse::<Timestamp>().unwrap(), timestamp);
            assert_eq!(Timestamp::try_from(OffsetDateTime::from(timestamp)).unwrap(), timestamp);
        }
        assert!(Timestamp::from_unix_micros(LAST + 1).is_err());
        assert!(Timestamp::from_unix_micros(FIRST - 1).is_err());
    }

    #[test]
    fn every_day_of_the_calendar_is_read_as_what_it_was_written_as() {
        let mut micros = FIRST;
        while micros <= LAST {
            let timestamp = Timestamp::from_unix_micros(micros).unwrap();
            assert_eq!(Timestamp::read(&timestamp.to_string()), Some(timestamp));
            micros += 86_400_000_000;
        }
        for text in
            ["2023-02-29", "1900-02-29", "2024-04-31", "2024-00-10", "2024-13-10", "2024-01-00", "2024-1:-01"]
        {
            assert_eq!(Timestamp::read(&format!("{text}T00:00:00.000000Z")), None, "{text}");
        }
    }

    #[test]
    fn what_differs_in_any_letter_is_not_the_stored_form() {
        let text = "2024-02-29T12:34:56.789012Z";
        assert!(Timestamp::read(text).is_some());
        for at in 0..text.len() {
            for byte in (0..=127).filter(|byte: &u8| !byte.is_ascii_digit()) {
                let mut bytes = text.as_bytes().to_vec();
                if std::mem::replace(&mut bytes[at], byte) != byte {
                    assert_eq!(Timestamp::read(std::str::from_utf8(&bytes).unwrap()), None, "{bytes:?}");
                }
            }
        }
    }

    #[test]
    fn every_day_has_its_date() {
        const DAY: i64 = 86_400_000_000;
        for days in FIRST / DAY..=LAST / DAY {
            let timestamp = Timestamp::from_unix_micros(days * DAY).unwrap();
            let date = OffsetDateTime::from(timestamp).date();
            let date = format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day());
            assert_eq!(timestamp.to_string(), date + "T00:00:00.000000Z");
        }
    }

    #[test]
    fn any_rfc_3339_is_read_and_nothing_else() {
        for text in ["2024-02-29T12:34:56Z", "2024-02-29T13:34:56+01:00", "2024-02-29T12:34:56.000000000Z"] {
            assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), "2024-02-29T12:34:56.000000Z");
        }
        for text in
            ["", "yesterday", "2024-02-30T00:00:00.000000Z", "2024-02-29T24:00:00.000000Z", "2024-02-29"]
        {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_finer_than_a_microsecond_is_cut_off_towards_the_past() {
        let moment = OffsetDateTime::from_unix_timestamp_nanos(-1).unwrap();
        assert_eq!(Timestamp::try_from(moment).unwrap().unix_micros(), -1);
        let before = std::time::SystemTime::UNIX_EPOCH - std::time::Duration::from_nanos(1);
        assert_eq!(Timestamp::try_from(before).unwrap().unix_micros(), -1);
    }
}
