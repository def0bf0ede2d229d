//! Numbers as DynamoDB treats them: limits, equality, order and spelling.

use std::borrow::Cow;

use super::{ValueError, beginning, shown};

/// The most significant digits of a number in DynamoDB.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html>
const MAX_DIGITS: usize = 38;
/// The range of the exponent of a number's first digit: magnitudes lie between 1E-130 and 9.99…E+125.
const EXPONENTS: std::ops::RangeInclusive<i64> = -130..=125;

/// A number in normal form: sign, significant digits without leading and trailing zeros, and the power of ten
/// of the first digit.
#[derive(Debug, PartialEq, Eq)]
struct Normal<'a> {
    negative: bool,
    digits: Cow<'a, str>,
    exponent: i64,
}

/// Checks that DynamoDB can store the number `text` without rounding it.
pub(super) fn check(text: &str) -> Result<(), ValueError> {
    // Up to 38 plain digits always fit, and nearly every number has this form.
    if text.len() <= MAX_DIGITS && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(());
    }
    let number = parse(text).ok_or_else(|| {
        ValueError::showing(format!("{:?} is not a number", beginning(text)), "it is not a number")
    })?;
    if number.digits.len() > MAX_DIGITS {
        let why = format!("has {} significant digits, and DynamoDB keeps {MAX_DIGITS}", number.digits.len());
        return Err(refused(text, &why));
    }
    if !number.digits.is_empty() && !EXPONENTS.contains(&number.exponent) {
        return Err(out_of_range(text));
    }
    Ok(())
}

/// The error for a number outside DynamoDB's range.
pub(crate) fn out_of_range(text: &str) -> ValueError {
    refused(text, "is outside the range of DynamoDB, 1E-130 to 9.99…E+125 in magnitude")
}

fn refused(text: &str, why: &str) -> ValueError {
    ValueError::showing(format!("the number {} {why}", shown(text)), format!("the number {why}"))
}

/// Returns the same text for all spellings of a number: 1, 1.0 and 1e0 are the same key to DynamoDB.
pub(crate) fn normal_number(text: &str) -> Cow<'_, str> {
    if is_plain_number(text.as_bytes()) {
        return text.into();
    }
    let Some(Normal { negative, digits, exponent }) = parse(text) else { return text.into() };
    let sign = if negative { "-" } else { "" };
    match usize::try_from(exponent + 1) {
        _ if digits.is_empty() => "0".into(),
        Ok(width) if (digits.len()..=MAX_DIGITS).contains(&width) => {
            format!("{sign}{digits:0<width$}").into()
        }
        _ => format!("{sign}{digits}e{exponent}").into(),
    }
}

/// Returns true for a whole number without point, exponent or leading zeros, as nearly all are written.
pub(crate) fn is_plain_number(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    match digits {
        b"0" => digits.len() == text.len(),
        [b'1'..=b'9', rest @ ..] => rest.len() < MAX_DIGITS && rest.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

/// Compares two numbers of any spelling and any number of digits.
pub(crate) fn compare_numbers(one: &str, other: &str) -> Option<std::cmp::Ordering> {
    let (one, other) = (parse(one)?, parse(other)?);
    // -1, 0 or 1.
    let sign = |number: &Normal<'_>| match (number.digits.is_empty(), number.negative) {
        (true, _) => 0,
        (false, true) => -1,
        (false, false) => 1,
    };
    let by_sign = sign(&one).cmp(&sign(&other));
    // If the exponents are equal, the order of normalized digits is their order as text.
    let by_size = || one.exponent.cmp(&other.exponent).then_with(|| one.digits.cmp(&other.digits));
    Some(by_sign.then_with(|| match sign(&one) {
        0 => std::cmp::Ordering::Equal,
        -1 => by_size().reverse(),
        _ => by_size(),
    }))
}

/// Returns the number of significant digits, without leading and trailing zeros. 0 for 0, and for text that
/// is not a number.
pub(super) fn significant_digits(text: &str) -> usize {
    parse(text).map_or(0, |number| number.digits.len())
}

/// Returns true for a number without a fraction, of any size and spelling.
pub(crate) fn is_whole(text: &str) -> bool {
    parse(text).is_some_and(|number| {
        let fits = |width| usize::try_from(width).is_ok_and(|width| number.digits.len() <= width);
        number.digits.is_empty() || fits(number.exponent + 1)
    })
}

/// Returns true if `float` is written as the number `text`, so that nothing is rounded. If two texts are
/// equally short and equally near, writers choose differently; those of serde_json, which dynorm uses, and of
/// the standard library are both accepted.
pub(crate) fn is_float_text(float: f64, text: &str) -> bool {
    let number = normal_number(text);
    serde_json::to_string(&float).is_ok_and(|written| normal_number(&written) == number)
        || normal_number(&format!("{float:e}")) == number
}

/// Rewrites a whole number without point and exponent. `None` for a number with a fraction, and for one with
/// more digits than any Rust integer.
pub(crate) fn integer_text(text: &str) -> Option<String> {
    let number = parse(text)?;
    if number.digits.is_empty() {
        return Some("0".to_owned());
    }
    let width = usize::try_from(number.exponent).ok()?.checked_add(1)?;
    if width < number.digits.len() || width > 40 {
        return None;
    }
    let sign = if number.negative { "-" } else { "" };
    Some(format!("{sign}{:0<width$}", number.digits))
}

/// Rewrites a number without exponent. `None` if the result would be longer than the types that are read from
/// it can have.
pub(crate) fn plain_number(text: &str) -> Option<String> {
    let number = parse(text)?;
    if number.digits.is_empty() {
        return Some("0".to_owned());
    }
    if !(-60..=60).contains(&number.exponent) {
        return None;
    }
    let sign = if number.negative { "-" } else { "" };
    Some(match usize::try_from(number.exponent) {
        Err(_) => {
            let zeros = usize::try_from(-number.exponent - 1).ok()?;
            format!("{sign}0.{}{}", "0".repeat(zeros), number.digits)
        }
        Ok(exponent) if exponent + 1 >= number.digits.len() => {
            format!("{sign}{:0<width$}", number.digits, width = exponent + 1)
        }
        Ok(exponent) => {
            let (whole, fraction) = number.digits.split_at_checked(exponent + 1)?;
            format!("{sign}{whole}.{fraction}")
        }
    })
}

fn parse(text: &str) -> Option<Normal<'_>> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    if !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let joined: Cow<'_, str> =
        if fraction.is_empty() { whole.into() } else { format!("{whole}{fraction}").into() };
    let leading = joined.len() - joined.trim_start_matches('0').len();
    let exponent = i64::from(exponent) + i64::try_from(whole.len()).ok()? - i64::try_from(leading).ok()? - 1;
    let digits = match joined {
        Cow::Borrowed(text) => text.trim_matches('0').into(),
        Cow::Owned(text) => text.trim_matches('0').to_owned().into(),
    };
    Some(Normal { negative, digits, exponent })
}

#[cfg(test)]
mod tests {
    use super::{check, normal_number};

    #[test]
    fn what_dynamodb_holds_passes() {
        let widest = "9".repeat(38);
        for text in ["0", "-0", "1", "-12.5", "1e125", "9.99e125", "1E-130", "0.000", "1e+3", widest.as_str()]
        {
            check(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        }
        check(&format!("{}000", "1".repeat(38))).unwrap();
        check(&format!("0.{}1", "0".repeat(129))).unwrap();
    }

    #[test]
    fn what_it_cannot_hold_is_refused_with_the_reason() {
        for (text, reason) in [
            ("", "not a number"),
            ("-", "not a number"),
            ("1x", "not a number"),
            ("NaN", "not a number"),
            ("1e", "not a number"),
            ("1e126", "outside the range"),
            ("1e-131", "outside the range"),
            ("-1.7976931348623157e308", "outside the range"),
            ("340282366920938463463374607431768211455", "39 significant digits"),
        ] {
            let error = check(text).unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn whole_numbers_are_whole_however_they_are_spelled() {
        for (text, whole) in
            [("1e2", Some("100")), ("-12.0", Some("-12")), ("0.5e1", Some("5")), ("0.0", Some("0"))]
        {
            assert_eq!(super::integer_text(text).as_deref(), whole, "{text}");
        }
        for text in ["0.5", "1e-1", "12.5", "1e99", "x"] {
            assert_eq!(super::integer_text(text), None, "{text}");
        }
    }

    #[test]
    fn a_float_is_recognised_by_its_shortest_texts() {
        use super::is_float_text;
        // Both texts are equally short and equally near.
        for text in ["-900990648821073.2", "-900990648821073.3"] {
            assert!(is_float_text(-900_990_648_821_073.2, text), "{text}");
        }
        assert!(is_float_text(1e21, "1000000000000000000000"));
        assert!(is_float_text(0.0, "-0.0"));
        assert!(!is_float_text(0.1, "0.1000000000000000055"));
        assert!(!is_float_text(1e21, "1000000000000000000001"));
    }

    #[test]
    fn whole_or_not_however_large() {
        for text in ["0", "-0.0", "1e125", "12.0", "120e-1", "1e40"] {
            assert!(super::is_whole(text), "{text}");
        }
        for text in ["0.1", "1e-130", "12.5", "125e-2", "x"] {
            assert!(!super::is_whole(text), "{text}");
        }
    }

    #[test]
    fn a_plain_spelling_has_no_exponent() {
        for (text, plain) in
            [("1e2", "100"), ("1.5e-3", "0.0015"), ("-12.50", "-12.5"), ("123456e-3", "123.456")]
        {
            assert_eq!(super::plain_number(text).as_deref(), Some(plain), "{text}");
        }
        assert_eq!(super::plain_number("1e125"), None);
    }

    #[test]
    fn equal_numbers_have_one_spelling() {
        for text in ["1", "1.0", "1e0", "+1", "01", "10e-1", "0.1e1"] {
            assert_eq!(normal_number(text), "1", "{text}");
        }
        for text in ["0", "-0", "0.0", "0e5"] {
            assert_eq!(normal_number(text), "0", "{text}");
        }
        for text in ["-1500", "-1.5e3", "-001500.00"] {
            assert_eq!(normal_number(text), "-1500", "{text}");
        }
        for text in ["0.15", "15e-2", "0.150"] {
            assert_eq!(normal_number(text), "15e-1", "{text}");
        }
        for text in [&format!("1{}", "0".repeat(38)), "1e38", "10e37"] {
            assert_eq!(normal_number(text), "1e38", "{text}");
        }
        assert_ne!(normal_number("1"), normal_number("-1"));
        assert_ne!(normal_number("1"), normal_number("10"));
    }
}
