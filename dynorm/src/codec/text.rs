//! Writing text as a JSON string.
//!
//! Text without escapes, which is nearly all text, is found by checking 8 or 16 bytes at a time, and copied.
//! `serde_json` writes the rest.

/// Appends `text` with its quotes.
#[inline]
pub(crate) fn write_json_string(out: &mut Vec<u8>, text: &str) {
    if is_plain(text.as_bytes()) {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        write_escaped(out, text);
    }
}

/// The same for text that needs escaping.
#[cold]
pub(super) fn write_escaped(out: &mut Vec<u8>, text: &str) {
    // Writing text into memory cannot fail.
    let _ = serde_json::to_writer(out, text);
}

/// Returns true if no character of `text` needs escaping in JSON.
#[inline]
pub(crate) fn is_plain(text: &[u8]) -> bool {
    // The last chunk is aligned to the end, and may overlap the one before.
    if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        return if text.len() <= 16 { is_plain_pair(*first, *last) } else { is_plain_long(text) };
    }
    if let (Some([a, b, c, d]), Some([e, f, g, h])) = (text.first_chunk(), text.last_chunk()) {
        let both = [*a, *b, *c, *d, *e, *f, *g, *h];
        return is_plain_pair(both, both);
    }
    text.iter().copied().all(is_plain_byte)
}

fn is_plain_long(text: &[u8]) -> bool {
    text.as_chunks().0.iter().all(is_plain_block) && text.last_chunk().is_none_or(is_plain_block)
}

pub(super) const fn is_plain_byte(byte: u8) -> bool {
    byte >= 0x20 && byte != b'"' && byte != b'\\'
}

/// Without branches, so that the compiler can vectorize it.
#[inline]
fn is_plain_block(block: &[u8; 16]) -> bool {
    block.iter().fold(true, |plain, byte| plain & is_plain_byte(*byte))
}

/// The same in registers.
#[inline]
const fn is_plain_pair(first: [u8; 8], last: [u8; 8]) -> bool {
    (needs_escape(first) | needs_escape(last)) & HIGH == 0
}

const ONES: u64 = u64::from_le_bytes([1; 8]);
const HIGH: u64 = ONES << 7;

/// Returns a word with the high bit set in each byte that needs escaping: below a space, a quote or a
/// backslash. A subtraction may borrow from the next byte, but only if the byte before needs escaping itself.
#[inline]
const fn needs_escape(bytes: [u8; 8]) -> u64 {
    let word = u64::from_le_bytes(bytes);
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    // Bytes with the high bit set are excluded: they are not ASCII, and need no escaping.
    (word.wrapping_sub(ONES * 0x20) & !word)
        | (quote.wrapping_sub(ONES) & !quote)
        | (backslash.wrapping_sub(ONES) & !backslash)
}

/// Returns the first eight bytes of a name, which distinguish it from most others in one comparison.
pub(super) const fn head(name: &[u8]) -> u64 {
    let mut head = 0;
    let mut index = 0;
    while index < name.len() && index < 8 {
        head |= (name[index] as u64) << (8 * index);
        index += 1;
    }
    head
}

#[cfg(test)]
mod tests {
    use super::{is_plain, is_plain_byte, write_json_string};

    /// Every byte at every place of texts of every length that is looked at in another way.
    #[test]
    fn plain_is_what_json_does_not_escape() {
        for length in 0..40 {
            assert!(is_plain(&vec![b'a'; length]));
            for place in 0..length {
                for byte in 0..=255 {
                    let mut text = vec![b'~'; length];
                    text[place] = byte;
                    assert_eq!(is_plain(&text), is_plain_byte(byte), "{byte} at {place} of {length}");
                }
            }
        }
    }

    #[test]
    fn a_string_is_as_serde_json_writes_it() {
        for character in ('\0'..='\u{2ff}').chain("\u{2028}€😀".chars()) {
            for text in [format!("{character}"), format!("a text that is long enough for a block{character}")]
            {
                let mut out = Vec::new();
                write_json_string(&mut out, &text);
                assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string(&text).unwrap());
            }
        }
    }
}
