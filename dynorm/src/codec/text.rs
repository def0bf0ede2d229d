//! Text as a string of JSON.
//!
//! What needs no escaping, nearly everything that is ever written, is copied as it is; it is told by looking at 8 or 16
//! bytes at a time. The rest is left to `serde_json`.

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

/// The same for text of which something is to be escaped.
#[cold]
pub(super) fn write_escaped(out: &mut Vec<u8>, text: &str) {
    // Writing text into memory has no way to fail.
    let _ = serde_json::to_writer(out, text);
}

/// True if nothing of it is escaped in JSON.
#[inline]
pub(super) fn is_plain(text: &[u8]) -> bool {
    let (blocks, _) = text.as_chunks::<16>();
    if let (false, Some(last)) = (blocks.is_empty(), text.last_chunk::<16>()) {
        // The last block is looked at from the end, and may overlap the one before.
        return blocks.iter().all(is_plain_block) && is_plain_block(last);
    }
    match (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        (Some(first), Some(last)) => is_plain_word(*first) && is_plain_word(*last),
        _ => match (text.first_chunk::<4>(), text.last_chunk::<4>()) {
            (Some([a, b, c, d]), Some([e, f, g, h])) => is_plain_word([*a, *b, *c, *d, *e, *f, *g, *h]),
            _ => text.iter().copied().all(is_plain_byte),
        },
    }
}

pub(super) const fn is_plain_byte(byte: u8) -> bool {
    byte >= 0x20 && byte != b'"' && byte != b'\\'
}

/// Without a branch inside, so that the compiler makes a few vector instructions of it.
#[inline]
fn is_plain_block(block: &[u8; 16]) -> bool {
    block.iter().fold(true, |plain, byte| plain & is_plain_byte(*byte))
}

/// The same in a register: the high bit of a byte is set where it is below a space, or nothing is left of it without the
/// bits of a quote or of a backslash. What is carried from one byte to the next comes from one that is not plain itself.
#[inline]
const fn is_plain_word(bytes: [u8; 8]) -> bool {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    let word = u64::from_le_bytes(bytes);
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let low = word.wrapping_sub(ONES * 0x20) & !word;
    let quote = quote.wrapping_sub(ONES) & !quote;
    let backslash = backslash.wrapping_sub(ONES) & !backslash;
    (low | quote | backslash) & HIGH == 0
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
