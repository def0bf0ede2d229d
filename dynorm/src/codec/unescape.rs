//! Unescaping JSON strings. It accepts what `serde_json` does, with one allocation and half the instructions,
//! which matters where documents are stored as text.

use super::ValueError;

/// Unescapes the text between the quotes of a string. Characters that should be escaped and are not are
/// accepted, as in a string without escapes.
pub(super) fn unescape(text: &str) -> Result<String, ValueError> {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, escape)) = split_at_escape(rest) {
        plain.push_str(before);
        let (character, behind) = character(escape).ok_or_else(|| {
            ValueError::new("not a string of JSON: there is a `\\` in it that begins no escape")
        })?;
        plain.push(character);
        rest = behind;
    }
    plain.push_str(rest);
    // A text with many escapes would keep too large an allocation.
    if plain.len() < text.len() / 4 * 3 {
        plain.shrink_to_fit();
    }
    Ok(plain)
}

/// Splits at the first backslash, which is in neither part.
fn split_at_escape(text: &str) -> Option<(&str, &str)> {
    let at = memchr::memchr(b'\\', text.as_bytes())?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// Reads the escape after a backslash: the character, and the text after it.
fn character(escape: &str) -> Option<(char, &str)> {
    let (kind, behind) = (*escape.as_bytes().first()?, || escape.get(1..));
    let character = match kind {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode(behind()?),
        _ => return None,
    };
    Some((character, behind()?))
}

/// Reads the four hexadecimal digits of a character, or twice four: a character of more than 16 bits is
/// written as a pair of surrogates.
fn unicode(text: &str) -> Option<(char, &str)> {
    let (unit, behind) = code_unit(text)?;
    if !(0xd800..0xdc00).contains(&unit) {
        return Some((char::from_u32(unit)?, behind));
    }
    let (low, behind) = code_unit(behind.strip_prefix("\\u")?)?;
    if !(0xdc00..0xe000).contains(&low) {
        return None;
    }
    let character = char::from_u32(0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00))?;
    Some((character, behind))
}

fn code_unit(text: &str) -> Option<(u32, &str)> {
    let (digits, behind) = text.split_at_checked(4)?;
    // `from_str_radix` would accept a sign too.
    let is_hexadecimal = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    Some((u32::from_str_radix(digits, 16).ok().filter(|_| is_hexadecimal)?, behind))
}

#[cfg(test)]
mod tests {
    use super::unescape;

    #[test]
    fn escapes_are_read_as_serde_json_reads_them() {
        let parts = [
            "",
            "a",
            "é",
            "📦",
            "\\\"",
            "\\\\",
            "\\/",
            "\\b",
            "\\f",
            "\\n",
            "\\r",
            "\\t",
            "\\u0041",
            "\\u00e9",
            "\\uFFFF",
            "\\ud83d\\udce6",
            "\\ud83d",
            "\\udce6",
            "\\ud83dx",
            "\\ud83d\\u0041",
            "\\ud83d\\n",
            "\\u12",
            "\\u+123",
            "\\u12é",
            "\\x",
            "\\é",
            "\\u",
        ];
        for one in parts {
            for other in parts {
                for text in [format!("{one}{other}"), format!("x{one}yz{other}"), format!("{one}\\n{other}é")]
                {
                    let expected = serde_json::from_str::<String>(&format!("\"{text}\"")).ok();
                    assert_eq!(unescape(&text).ok(), expected, "{text}");
                }
            }
        }
        assert!(unescape("\\").is_err());
        assert_eq!(unescape("\n\\n").as_deref(), Ok("\n\n"));
    }
}
