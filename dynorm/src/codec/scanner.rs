//! Scanning JSON text.

use super::unescape::unescape;
use super::{ValueError, ValueType};

/// Steps through JSON text and returns the positions of its parts, without copying or unescaping.
///
/// The answer is checked once to be UTF-8, so every part is a `&str`. Lists and maps are skipped by counting
/// brackets, so no input causes recursion.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scanner<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
}

/// A JSON string as it was sent, without its quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RawString<'a> {
    pub(crate) text: &'a str,
    pub(crate) escaped: bool,
}

impl<'a> RawString<'a> {
    #[inline]
    pub(crate) fn unescape(self) -> Result<std::borrow::Cow<'a, str>, ValueError> {
        if self.escaped { self.unescape_slowly() } else { Ok(self.text.into()) }
    }

    /// Returns true if the string equals `text` once it is unescaped.
    #[inline]
    pub(crate) fn is(self, text: &str) -> Result<bool, ValueError> {
        if self.escaped { Ok(self.unescape_slowly()? == text) } else { Ok(self.text == text) }
    }

    fn unescape_slowly(self) -> Result<std::borrow::Cow<'a, str>, ValueError> {
        unescape(self.text).map(Into::into)
    }

    /// Returns the text for an error; invalid escapes are left as they are.
    pub(crate) fn readable(self) -> std::borrow::Cow<'a, str> {
        self.unescape().unwrap_or_else(|_| self.text.into())
    }
}

/// Strings up to this length are searched eight bytes at a time, longer ones by `memchr`, which takes longer
/// to start. Most names and values are shorter.
const SHORT: usize = 32;

/// Returns the length of the next string, up to its quote, if it is short and has no escapes.
#[inline(always)]
pub(super) fn plain_length(text: &[u8]) -> Option<usize> {
    let mut rest = text;
    for words in 0..SHORT / 8 {
        let Some((word, behind)) = rest.split_first_chunk() else { return last_length(text) };
        let word = u64::from_le_bytes(*word);
        let found = (first_of(b'"', word) | first_of(b'\\', word)) & (ONES << 7);
        if found != 0 {
            // The bit is the highest one of its byte.
            let bit = found.trailing_zeros();
            return ((word >> (bit - 7)) as u8 == b'"').then_some(8 * words + bit as usize / 8);
        }
        rest = behind;
    }
    None
}

/// The same if less than a word is left.
#[inline(never)]
fn last_length(text: &[u8]) -> Option<usize> {
    let length = text.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
    (text.get(length) == Some(&b'"')).then_some(length)
}

/// Returns the bytes after `{"S":"text"}`, or another scalar, if it comes next, is short and has no escapes.
#[inline(always)]
fn behind_scalar(json: &[u8]) -> Option<&[u8]> {
    let (beginning, text) = json.split_first_chunk()?;
    let [b'{', b'"', _, b'"', b':', b'"'] = beginning else { return None };
    let length = plain_length(text)?;
    if text.get(length + 1) == Some(&b'}') { text.get(length + 2..) } else { None }
}

/// One in each byte of a word.
const ONES: u64 = u64::from_ne_bytes([1; 8]);

/// Returns a word whose lowest set high bit is in the first byte of `word` that equals `byte`.
#[inline]
const fn first_of(byte: u8, word: u64) -> u64 {
    let difference = word ^ (ONES * byte as u64);
    difference.wrapping_sub(ONES) & !difference
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Returns the current position.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// Returns the next byte that is not white space, without consuming it.
    #[inline]
    pub(crate) fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            // DynamoDB sends no white space, so this is the first byte nearly always.
            if *byte > b' ' || !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(*byte);
            }
            self.at += 1;
        }
        None
    }

    #[inline]
    pub(crate) fn take(&mut self, expected: u8) -> Result<(), ValueError> {
        if self.peek() == Some(expected) {
            self.at += 1;
            return Ok(());
        }
        Err(self.missing(expected))
    }

    #[cold]
    fn missing(&mut self, expected: u8) -> ValueError {
        let found = self.peek();
        self.unexpected(&format!("`{}`", char::from(expected)), found)
    }

    /// Returns the eight bytes from `at` on, in little-endian order.
    #[inline]
    pub(super) fn word(&self, at: usize) -> Option<u64> {
        let bytes = self.text.as_bytes().get(at..)?.first_chunk()?;
        Some(u64::from_le_bytes(*bytes))
    }

    /// Consumes the beginning of a scalar, `{"S":"`, up to its text, if it comes next without white space.
    #[inline]
    pub(super) fn take_scalar(&mut self) -> Option<ValueType> {
        const MASK: u64 = u64::from_le_bytes([255, 255, 0, 255, 255, 255, 0, 0]);
        const SCALAR: u64 = u64::from_le_bytes(*b"{\"\0\":\"\0\0");
        let word = self.word(self.at).filter(|word| word & MASK == SCALAR)?;
        let kind = ValueType::of_scalar(word.to_le_bytes()[2])?;
        self.at += 6;
        Some(kind)
    }

    /// Consumes `closing`, or the comma before the next element. Returns true if there is a next element.
    #[inline]
    pub(crate) fn another(&mut self, first: &mut bool, closing: u8) -> Result<bool, ValueError> {
        // DynamoDB writes without white space.
        if !*first && self.text.as_bytes().get(self.at) == Some(&b',') {
            self.at += 1;
            return Ok(true);
        }
        match self.peek() {
            Some(byte) if byte == closing => {
                self.at += 1;
                return Ok(false);
            }
            Some(b',') if !*first => self.at += 1,
            _ if *first => *first = false,
            _ => return Err(self.missing(b',')),
        }
        Ok(true)
    }

    /// Reads the next element of a list or map, for iterators. Returns `None` after the last one, and after
    /// an error.
    pub(crate) fn next_element<T>(
        &mut self,
        first: &mut bool,
        closing: u8,
        read: impl FnOnce(&mut Self) -> Result<T, ValueError>,
    ) -> Option<Result<T, ValueError>> {
        if self.text.is_empty() {
            return None;
        }
        let element = match self.another(first, closing) {
            Ok(true) => Some(read(self)),
            Ok(false) => None,
            Err(error) => Some(Err(error)),
        };
        if !matches!(element, Some(Ok(_))) {
            self.text = "";
        }
        element
    }

    #[inline]
    pub(crate) fn string(&mut self) -> Result<RawString<'a>, ValueError> {
        self.take(b'"')?;
        self.string_after_quote()
    }

    /// Reads a string whose opening quote is consumed.
    #[inline]
    pub(crate) fn string_after_quote(&mut self) -> Result<RawString<'a>, ValueError> {
        let start = self.at;
        match self.text.as_bytes().get(start..).and_then(plain_length) {
            Some(length) => {
                self.at = start + length + 1;
                Ok(RawString { text: self.slice(start, start + length)?, escaped: false })
            }
            None => self.long_string(start),
        }
    }

    /// Reads any string, from after its opening quote.
    #[inline(never)]
    fn long_string(&mut self, start: usize) -> Result<RawString<'a>, ValueError> {
        let bytes = self.text.as_bytes();
        let mut escaped = false;
        let mut from = start;
        loop {
            let rest = bytes.get(from..).unwrap_or_default();
            let Some(offset) = memchr::memchr2(b'"', b'\\', rest) else {
                return Err(ValueError::new("the answer ends inside a string"));
            };
            let end = from + offset;
            if rest.get(offset) == Some(&b'"') {
                self.at = end + 1;
                return Ok(RawString { text: self.slice(start, end)?, escaped });
            }
            escaped = true;
            from = end + 2;
        }
    }

    /// Skips any value, and returns its text.
    pub(crate) fn skip(&mut self) -> Result<&'a str, ValueError> {
        let first = self.peek();
        let start = self.at;
        match first {
            Some(b'"') => {
                self.string()?;
            }
            Some(b'{' | b'[') => self.skip_container()?,
            Some(b't' | b'f' | b'n' | b'-' | b'0'..=b'9') => self.skip_literal(),
            found => return Err(self.unexpected("a value", found)),
        }
        self.slice(start, self.at)
    }

    pub(super) fn skip_container(&mut self) -> Result<(), ValueError> {
        let bytes = self.text.as_bytes();
        let mut depth = 0usize;
        let mut rest = bytes.get(self.at..).unwrap_or_default();
        loop {
            match rest {
                [b'"', string @ ..] => {
                    if let Some(length) = plain_length(string) {
                        rest = string.get(length + 1..).unwrap_or_default();
                    } else {
                        self.at = bytes.len() - string.len();
                        self.string_after_quote()?;
                        rest = bytes.get(self.at..).unwrap_or_default();
                    }
                    if let [b':' | b',', behind @ ..] = rest {
                        rest = behind;
                    }
                    continue;
                }
                [b'{', behind @ ..] => match behind_scalar(rest) {
                    Some(behind) => rest = behind,
                    None => {
                        depth += 1;
                        rest = behind;
                    }
                },
                [b'[', behind @ ..] => {
                    depth += 1;
                    rest = behind;
                }
                [b'}' | b']', behind @ ..] => {
                    depth = depth.saturating_sub(1);
                    rest = behind;
                }
                [_, behind @ ..] => rest = behind,
                [] => return Err(ValueError::new("the answer ends inside a list or map")),
            }
            if depth == 0 {
                self.at = bytes.len() - rest.len();
                return Ok(());
            }
        }
    }

    fn skip_literal(&mut self) {
        let bytes = self.text.as_bytes();
        while bytes
            .get(self.at)
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
        {
            self.at += 1;
        }
    }

    /// Calls `visit` with each key of the next object; `visit` must consume the value.
    pub(crate) fn object(
        &mut self,
        mut visit: impl FnMut(RawString<'a>, &mut Self) -> Result<(), ValueError>,
    ) -> Result<(), ValueError> {
        self.take(b'{')?;
        let mut first = true;
        while self.another(&mut first, b'}')? {
            let key = self.string()?;
            self.take(b':')?;
            visit(key, self)?;
        }
        Ok(())
    }

    /// Calls `visit` before each element of the next list; `visit` must consume it.
    pub(crate) fn array(
        &mut self,
        mut visit: impl FnMut(&mut Self) -> Result<(), ValueError>,
    ) -> Result<(), ValueError> {
        self.take(b'[')?;
        let mut first = true;
        while self.another(&mut first, b']')? {
            visit(self)?;
        }
        Ok(())
    }

    #[inline]
    pub(super) fn slice(&self, start: usize, end: usize) -> Result<&'a str, ValueError> {
        self.text.get(start..end).ok_or_else(cut)
    }

    #[cold]
    fn unexpected(&self, expected: &str, found: Option<u8>) -> ValueError {
        match found {
            Some(byte) => ValueError::new(format!(
                "the answer is not DynamoDB's JSON: expected {expected} at byte {}, found `{}`",
                self.at,
                char::from(byte).escape_default()
            )),
            None => ValueError::new(format!(
                "the answer is not DynamoDB's JSON: it ends where {expected} should be"
            )),
        }
    }
}

#[cold]
fn cut() -> ValueError {
    ValueError::new("the answer is cut inside a character")
}

#[cfg(test)]
mod tests {
    use super::{Scanner, ValueType};

    #[test]
    fn strings_end_at_their_quote_wherever_it_lies() {
        for length in 0..80 {
            for plain in ["x", "é", "\u{7f}", "!", "#", "[", "]", "\u{1}"] {
                let text = plain.repeat(length);
                for behind in ["", "}", ":{\"S\":\"\\\"", "abcdefghijkl"] {
                    let json = format!("\"{text}\"{behind}");
                    let mut scanner = Scanner::new(&json);
                    let read = scanner.string().unwrap();
                    assert_eq!((read.text, read.escaped), (text.as_str(), false), "{json}");
                    assert_eq!(scanner.position(), text.len() + 2, "{json}");
                }
                for escape in ["\\\"", "\\\\", "\\u0041"] {
                    let json = format!("\"{text}{escape}{text}\"\"");
                    let read = Scanner::new(&json).string().unwrap();
                    assert_eq!((read.text, read.escaped), (&json[1..json.len() - 2], true), "{json}");
                }
                assert!(Scanner::new(&format!("\"{text}")).string().is_err());
                assert!(Scanner::new(&format!("\"{text}\\\"")).string().is_err());
            }
        }
    }

    #[test]
    fn the_beginning_of_a_scalar_is_taken_and_nothing_else() {
        let take = |json: &str| {
            let mut scanner = Scanner::new(json);
            (scanner.take_scalar(), scanner.position())
        };
        assert_eq!(take(r#"{"S":"ab"}"#), (Some(ValueType::String), 6));
        assert_eq!(take(r#"{"N":""}"#), (Some(ValueType::Number), 6));
        for json in
            ["", "{", r#"{"S":"#, r#"{"S": "ab"}"#, r#"{"M":{"a":1}}"#, r#"{"SS":["a"]}"#, r#"{"X":"ab"}"#]
        {
            assert_eq!(take(json), (None, 0), "{json}");
        }
    }
}
