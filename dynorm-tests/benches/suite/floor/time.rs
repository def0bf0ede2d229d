//! Timestamps such as `2024-01-31T12:00:00.000000Z`, by the usual algorithm for the civil calendar.

const DAY: i64 = 86_400_000_000;

pub(super) fn write(out: &mut Vec<u8>, micros: i64) {
    let (days, mut rest) = (micros.div_euclid(DAY), micros.rem_euclid(DAY));
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);

    let mut text = *b"0000-00-00T00:00:00.000000Z";
    digits(&mut text, 0..4, year);
    digits(&mut text, 5..7, month);
    digits(&mut text, 8..10, day);
    digits(&mut text, 20..26, rest % 1_000_000);
    rest /= 1_000_000;
    digits(&mut text, 11..13, rest / 3600);
    digits(&mut text, 14..16, rest / 60 % 60);
    digits(&mut text, 17..19, rest % 60);
    out.extend_from_slice(&text);
}

fn digits(text: &mut [u8; 27], places: std::ops::Range<usize>, mut number: i64) {
    for place in places.rev() {
        text[place] = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
    }
}

pub(super) fn read(text: &str) -> Option<i64> {
    let text: &[u8; 27] = text.as_bytes().try_into().ok()?;
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'.'), (26, b'Z')];
    if separators.iter().any(|&(place, byte)| text[place] != byte) {
        return None;
    }
    let number = |places: std::ops::Range<usize>| {
        text[places]
            .iter()
            .try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0')))
    };
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
    let days = era * 146_097 + of_era - 719_468;
    Some(days * DAY + (hour * 3600 + minute * 60 + second) * 1_000_000 + number(20..26)?)
}
