//! Showing foreign text (keys, names, messages of the server) in errors: on one line, and of limited length.

use std::borrow::Cow;

/// The most characters that are shown.
const MOST: usize = 300;

/// Prepares a text for a message: characters that would break or reverse the line are escaped, and a long
/// text is cut.
pub(crate) fn shown(text: &str) -> Cow<'_, str> {
    let beginning = beginning(text);
    let rest = text.get(beginning.len()..).unwrap_or_default();
    if rest.is_empty() && !beginning.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(beginning.len() + 32);
    for character in beginning.chars() {
        if is_unsafe(character) { shown.extend(character.escape_default()) } else { shown.push(character) }
    }
    if !rest.is_empty() {
        shown.push_str(&format!("… ({} bytes more)", rest.len()));
    }
    Cow::Owned(shown)
}

/// Returns the part of a text that is shown.
pub(crate) fn beginning(text: &str) -> &str {
    let cut = text.char_indices().nth(MOST).map_or(text.len(), |(at, _)| at);
    text.get(..cut).unwrap_or(text)
}

/// Returns true for control characters, line ends, invisible characters, and those that change the direction
/// of the text.
fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn a_message_is_one_line_that_ends() {
        assert_eq!(shown("ada Łovelace 🦀"), "ada Łovelace 🦀");
        assert_eq!(shown("a\nb\u{1b}[31m\u{202e}c\u{85}"), "a\\nb\\u{1b}[31m\\u{202e}c\\u{85}");
        let long = "é".repeat(1_000_000);
        let text = shown(&long);
        assert!(text.len() < 700 && text.ends_with("… (1999400 bytes more)"), "{text}");
        for character in '\0'..=char::MAX {
            let text = character.to_string();
            assert!(!shown(&text).chars().any(|shown| shown.is_control() || shown == '\u{202e}'));
        }
    }
}
