use super::ValueError;

/// Steps through JSON text and says where its parts lie, copying and unescaping nothing.
///
/// The server's answer is checked to be UTF-8 once, so every part is a `&str`. Containers are stepped over by counting
/// brackets: no recursion, whatever is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

/// A string of JSON, between its quotes.
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

    /// True if this is how `text` is written.
    #[inline]
    pub(crate) fn is(self, text: &str) -> Result<bool, ValueError> {
        if self.escaped { Ok(self.unescape_slowly()? == text) } else { Ok(self.text == text) }
    }

    fn unescape_slowly(self) -> Result<std::borrow::Cow<'a, str>, ValueError> {
        serde_json::from_str::<String>(&format!("\"{}\"", self.text))
            .map(Into::into)
            .map_err(|error| ValueError::new(format!("not a string of JSON: {error}")))
    }

    /// The text for an error, whatever is in it.
    pub(crate) fn readable(self) -> std::borrow::Cow<'a, str> {
        self.unescape().unwrap_or_else(|_| self.text.into())
    }
}

/// Strings up to this length are searched byte by byte, which is faster than to set up a vectorised search. Most names and
/// values are shorter.
const SHORT: usize = 24;

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// How far it has come.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// The next byte that is not white space, left in place.
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
        match self.peek() {
            Some(byte) if byte == expected => {
                self.at += 1;
                Ok(())
            }
            found => Err(self.unexpected(&format!("`{}`", char::from(expected)), found)),
        }
    }

    /// Takes `expected` if it comes next, byte by byte as DynamoDB writes it.
    #[inline]
    pub(crate) fn take_exactly(&mut self, expected: &[u8]) -> bool {
        let next = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let taken = next.starts_with(expected);
        if taken {
            self.at += expected.len();
        }
        taken
    }

    /// Takes `closing`, or the comma before one more element. True while there is one more.
    #[inline]
    pub(crate) fn another(&mut self, first: &mut bool, closing: u8) -> Result<bool, ValueError> {
        if self.peek() == Some(closing) {
            self.at += 1;
            return Ok(false);
        }
        if !std::mem::take(first) {
            self.take(b',')?;
        }
        Ok(true)
    }

    /// The next element of a list or map, for iterators: after the last one, and after an error, there is none.
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

    /// A string whose first quote is taken.
    pub(crate) fn string_after_quote(&mut self) -> Result<RawString<'a>, ValueError> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let rest = bytes.get(start..).unwrap_or_default();
        let mut offset = 0;
        for byte in rest.iter().take(SHORT) {
            match byte {
                b'"' => {
                    self.at = start + offset + 1;
                    return Ok(RawString { text: self.slice(start, start + offset)?, escaped: false });
                }
                b'\\' => break,
                _ => offset += 1,
            }
        }
        self.long_string(start, start + offset)
    }

    /// The string that begins at `start` and has neither quote nor backslash before `from`.
    fn long_string(&mut self, start: usize, from: usize) -> Result<RawString<'a>, ValueError> {
        let bytes = self.text.as_bytes();
        let mut escaped = false;
        let mut from = from;
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

    /// The text of any value, stepped over.
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

    fn skip_container(&mut self) -> Result<(), ValueError> {
        let bytes = self.text.as_bytes();
        let mut depth = 0usize;
        loop {
            match bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    self.string_after_quote()?;
                    continue;
                }
                Some(b'{' | b'[') => depth += 1,
                Some(b'}' | b']') => depth = depth.saturating_sub(1),
                Some(_) => {}
                None => return Err(ValueError::new("the answer ends inside a list or map")),
            }
            self.at += 1;
            if depth == 0 {
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

    /// Calls `visit` with each key of the object that comes next; `visit` must step over the value.
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

    /// Calls `visit` before each element of the list that comes next; `visit` must step over it.
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
    fn slice(&self, start: usize, end: usize) -> Result<&'a str, ValueError> {
        self.text.get(start..end).ok_or_else(|| ValueError::new("the answer is cut inside a character"))
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
