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
    pub(crate) fn unescape(self) -> Result<std::borrow::Cow<'a, str>, ValueError> {
        if !self.escaped {
            return Ok(self.text.into());
        }
        serde_json::from_str::<String>(&format!("\"{}\"", self.text))
            .map(Into::into)
            .map_err(|error| ValueError::new(format!("not a string of JSON: {error}")))
    }
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The next byte that is not white space, left in place.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(*byte);
            }
            self.at += 1;
        }
        None
    }

    pub(crate) fn take(&mut self, expected: u8) -> Result<(), ValueError> {
        match self.peek() {
            Some(byte) if byte == expected => {
                self.at += 1;
                Ok(())
            }
            found => Err(self.unexpected(&format!("`{}`", char::from(expected)), found)),
        }
    }

    /// Takes `closing`, or the comma before one more element. True while there is one more.
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

    pub(crate) fn string(&mut self) -> Result<RawString<'a>, ValueError> {
        self.take(b'"')?;
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut escaped = false;
        loop {
            let rest = bytes.get(self.at..).unwrap_or_default();
            let Some(offset) = memchr::memchr2(b'"', b'\\', rest) else {
                return Err(ValueError::new("the answer ends inside a string"));
            };
            if rest.get(offset) == Some(&b'"') {
                let end = self.at + offset;
                self.at = end + 1;
                return Ok(RawString { text: self.slice(start, end)?, escaped });
            }
            escaped = true;
            self.at += offset + 2;
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
                    self.string()?;
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

    fn slice(&self, start: usize, end: usize) -> Result<&'a str, ValueError> {
        self.text.get(start..end).ok_or_else(|| ValueError::new("the answer is cut inside a character"))
    }

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
