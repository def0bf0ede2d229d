//! Attribute values of an answer.

use std::borrow::Cow;
use std::fmt;

use super::scanner::{RawString, Scanner};
use super::{Encoder, ValueError, ValueType, base64};

/// The deepest nesting that is read. DynamoDB allows 32 levels; the limit keeps a recursive type from
/// overflowing the stack whatever a server sends.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
const MAX_DEPTH: u8 = 64;

#[cold]
fn too_deep() -> ValueError {
    ValueError::new("the answer is nested deeper than DynamoDB allows")
}

/// An attribute value of an answer: its type, and its text in the answer. Nothing is copied until a field is
/// decoded.
///
/// [`Attribute::decode`](crate::Attribute::decode) reads it.
#[derive(Clone, Copy)]
pub struct Value<'a> {
    pub(super) kind: ValueType,
    pub(super) depth: u8,
    pub(super) escaped: bool,
    /// For a scalar, the text between its quotes; for other types, their JSON.
    pub(super) text: &'a str,
}

impl<'a> Value<'a> {
    /// The value that a missing attribute is read as.
    pub(crate) const NULL: Value<'static> =
        Value { kind: ValueType::Null, depth: 0, escaped: false, text: "true" };

    /// Reads `{"S":"…"}`.
    pub(crate) fn parse(scanner: &mut Scanner<'a>) -> Result<Self, ValueError> {
        Self::parse_at(scanner, 0)
    }

    #[inline]
    fn parse_at(scanner: &mut Scanner<'a>, depth: u8) -> Result<Self, ValueError> {
        // Nearly every value is text or a number, without white space.
        let Some(kind) = scanner.take_scalar() else {
            let (kind, escaped, place) = scanner.any_value()?;
            return Ok(Self { kind, depth, escaped, text: scanner.slice(place.start, place.end)? });
        };
        let RawString { text, escaped } = scanner.string_after_quote()?;
        scanner.take(b'}')?;
        Ok(Self { kind, depth, escaped, text })
    }

    /// Returns the type of the value.
    #[must_use]
    pub fn value_type(&self) -> ValueType {
        self.kind
    }

    /// Returns the text of a string.
    pub fn as_str(&self) -> Result<Cow<'a, str>, ValueError> {
        self.require(ValueType::String)?;
        self.raw().unescape()
    }

    /// Returns a copy of the text of a string.
    #[inline]
    pub(crate) fn to_text(self) -> Result<String, ValueError> {
        self.require(ValueType::String)?;
        if self.escaped { self.raw().unescape().map(Cow::into_owned) } else { Ok(self.text.to_owned()) }
    }

    /// Returns the decimal text of a number, such as `-12.5`.
    pub fn as_number(&self) -> Result<&'a str, ValueError> {
        self.require(ValueType::Number)?;
        Ok(self.text)
    }

    /// Returns the bytes of a binary.
    pub fn as_bytes(&self) -> Result<Vec<u8>, ValueError> {
        self.require(ValueType::Binary)?;
        base64::decode(&self.raw().unescape()?)
    }

    /// Returns the value of a boolean.
    pub fn as_bool(&self) -> Result<bool, ValueError> {
        self.require(ValueType::Bool)?;
        match self.text {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(ValueError::new("a boolean that is neither true nor false")),
        }
    }

    /// Returns true for NULL.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.kind == ValueType::Null
    }

    /// Returns the elements of a list.
    pub fn as_list(&self) -> Result<Items<'a>, ValueError> {
        self.require(ValueType::List)?;
        let depth = self.depth_within()?;
        let mut scanner = Scanner::new(self.text);
        scanner.take(b'[')?;
        Ok(Items { scanner, first: true, depth })
    }

    /// Returns the elements of a set of strings, numbers or bytes, each as a value. None for NULL, which
    /// stands for the empty set.
    pub fn as_set(&self) -> Result<Scalars<'a>, ValueError> {
        let mut scanner = Scanner::new("[]");
        let kind = match self.kind.element() {
            Some(kind) => {
                scanner = Scanner::new(self.text);
                kind
            }
            None if self.is_null() => ValueType::String,
            None => return Err(self.unexpected("a set")),
        };
        scanner.take(b'[')?;
        Ok(Scalars { scanner, first: true, kind, depth: self.depth_within()? })
    }

    /// Returns the entries of a map, in the order in which they were sent.
    pub fn as_map(&self) -> Result<Entries<'a>, ValueError> {
        let (text, depth) = self.map_text()?;
        let mut scanner = Scanner::new(text);
        scanner.take(b'{')?;
        Ok(Entries { scanner, first: true, depth })
    }

    /// Returns the JSON of a map, and the depth of its entries.
    pub(super) fn map_text(&self) -> Result<(&'a str, u8), ValueError> {
        self.require(ValueType::Map)?;
        Ok((self.text, self.depth_within()?))
    }

    /// Returns the depth of the elements of this list, map or set. Everything that recurses into a value
    /// calls this, so the limit holds for all of it.
    #[inline]
    fn depth_within(&self) -> Result<u8, ValueError> {
        if self.depth < MAX_DEPTH { Ok(self.depth + 1) } else { Err(too_deep()) }
    }

    /// Returns the name of an enum's variant, from the map that holds its data.
    #[doc(hidden)]
    pub fn tag(&self, tag: &'static str) -> Result<Cow<'a, str>, ValueError> {
        for entry in self.as_map()? {
            let (key, value) = entry?;
            if key == tag {
                return value.as_str().map_err(|error| error.in_field(tag));
            }
        }
        Err(ValueError::new("the attribute that names the variant is missing").in_field(tag))
    }

    /// Returns the error for a value of the wrong type; `expected` names the right one, such as `a string`.
    #[must_use]
    pub fn unexpected(&self, expected: &str) -> ValueError {
        ValueError::new(format!("expected {expected}, found {}", self.kind))
    }

    /// Writes the value as it was sent.
    pub(crate) fn write(&self, encoder: &mut Encoder) {
        let quote = match self.kind {
            ValueType::String | ValueType::Number | ValueType::Binary => "\"",
            _ => "",
        };
        for part in ["{\"", self.kind.name(), "\":", quote, self.text, quote, "}"] {
            encoder.raw(part.as_bytes());
        }
    }

    pub(crate) fn raw(&self) -> RawString<'a> {
        RawString { text: self.text, escaped: self.escaped }
    }

    /// Wraps plain text as a string value.
    pub(crate) fn of_text(text: &'a str) -> Self {
        Self::of_key(RawString { text, escaped: false })
    }

    /// Wraps the key of a map entry as a string value.
    pub(crate) fn of_key(key: RawString<'a>) -> Self {
        Self { kind: ValueType::String, depth: 0, escaped: key.escaped, text: key.text }
    }

    #[inline]
    fn require(&self, kind: ValueType) -> Result<(), ValueError> {
        if self.kind == kind { Ok(()) } else { Err(self.unexpected_for(kind)) }
    }

    #[cold]
    fn unexpected_for(&self, kind: ValueType) -> ValueError {
        self.unexpected(&kind.to_string())
    }
}

impl fmt::Debug for Value<'_> {
    /// Shows the type alone: values stay out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Value").field("type", &self.kind).finish_non_exhaustive()
    }
}

/// Returns the text of one encoded scalar, such as `{"S":"…"}`: the text of a string, the decimal text of a
/// number, or the base64 of bytes.
pub(crate) fn scalar_text(json: &[u8]) -> Result<Cow<'_, str>, ValueError> {
    let text = std::str::from_utf8(json).map_err(|_| ValueError::new("not UTF-8"))?;
    Value::parse(&mut Scanner::new(text))?.raw().unescape()
}

/// The elements of a list; see [`Value::as_list`].
#[derive(Clone, Debug)]
pub struct Items<'a> {
    scanner: Scanner<'a>,
    first: bool,
    depth: u8,
}

impl<'a> Iterator for Items<'a> {
    type Item = Result<Value<'a>, ValueError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.scanner.next_element(&mut self.first, b']', |scanner| Value::parse_at(scanner, self.depth))
    }
}

/// The elements of a set; see [`Value::as_set`].
#[derive(Clone, Debug)]
pub struct Scalars<'a> {
    scanner: Scanner<'a>,
    first: bool,
    kind: ValueType,
    depth: u8,
}

impl<'a> Iterator for Scalars<'a> {
    type Item = Result<Value<'a>, ValueError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (kind, depth) = (self.kind, self.depth);
        self.scanner.next_element(&mut self.first, b']', |scanner| {
            let RawString { text, escaped } = scanner.string()?;
            Ok(Value { kind, depth, escaped, text })
        })
    }
}

/// The entries of a map; see [`Value::as_map`].
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    scanner: Scanner<'a>,
    first: bool,
    depth: u8,
}

impl<'a> Entries<'a> {
    /// Returns the next entry, with its key as it was sent.
    pub(crate) fn next_raw(&mut self) -> Result<Option<(RawString<'a>, Value<'a>)>, ValueError> {
        let depth = self.depth;
        let entry = self.scanner.next_element(&mut self.first, b'}', |scanner| {
            let key = scanner.string()?;
            scanner.take(b':')?;
            let value = Value::parse_at(scanner, depth)
                .map_err(|error| error.in_field(key.readable().into_owned()))?;
            Ok((key, value))
        });
        entry.transpose()
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<(Cow<'a, str>, Value<'a>), ValueError>;

    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.next_raw().transpose()?;
        Some(entry.and_then(|(key, value)| Ok((key.unescape()?, value))))
    }
}
