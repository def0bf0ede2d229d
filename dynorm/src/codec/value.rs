use std::borrow::Cow;
use std::fmt;

use super::scanner::{RawString, Scanner};
use super::{Encoder, ValueError, ValueType, base64};

/// DynamoDB answers with at most 32 levels; a server that sends more is stopped before a recursive type can
/// use up the stack.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
const MAX_DEPTH: u8 = 64;

#[cold]
fn too_deep() -> ValueError {
    ValueError::new("the answer is nested deeper than DynamoDB allows")
}

/// One attribute value of an answer: its type, and where it lies. Reading it copies nothing until a field is
/// filled.
///
/// [`Attribute::decode`](crate::Attribute::decode) is given one.
#[derive(Clone, Copy)]
pub struct Value<'a> {
    pub(super) kind: ValueType,
    pub(super) depth: u8,
    pub(super) escaped: bool,
    /// Of a scalar, the text between its quotes; of the others, their JSON.
    pub(super) text: &'a str,
}

impl<'a> Value<'a> {
    /// What a missing attribute is read as.
    pub(crate) const NULL: Value<'static> =
        Value { kind: ValueType::Null, depth: 0, escaped: false, text: "true" };

    /// Reads `{"S":"…"}`.
    pub(crate) fn parse(scanner: &mut Scanner<'a>) -> Result<Self, ValueError> {
        Self::parse_at(scanner, 0)
    }

    #[inline]
    fn parse_at(scanner: &mut Scanner<'a>, depth: u8) -> Result<Self, ValueError> {
        // Nearly every value is text or a number, written without white space.
        let Some(kind) = scanner.take_scalar() else {
            let (kind, escaped, place) = scanner.any_value()?;
            return Ok(Self { kind, depth, escaped, text: scanner.slice(place.start, place.end)? });
        };
        let RawString { text, escaped } = scanner.string_after_quote()?;
        scanner.take(b'}')?;
        Ok(Self { kind, depth, escaped, text })
    }

    /// The type of this value.
    #[must_use]
    pub fn value_type(&self) -> ValueType {
        self.kind
    }

    /// The text of a string.
    pub fn as_str(&self) -> Result<Cow<'a, str>, ValueError> {
        self.require(ValueType::String)?;
        self.raw().unescape()
    }

    /// The text of a string, as one of its own.
    #[inline]
    pub(crate) fn to_text(self) -> Result<String, ValueError> {
        self.require(ValueType::String)?;
        if self.escaped { self.raw().unescape().map(Cow::into_owned) } else { Ok(self.text.to_owned()) }
    }

    /// The decimal text of a number, such as `-12.5`.
    pub fn as_number(&self) -> Result<&'a str, ValueError> {
        self.require(ValueType::Number)?;
        Ok(self.text)
    }

    /// The bytes of a binary.
    pub fn as_bytes(&self) -> Result<Vec<u8>, ValueError> {
        self.require(ValueType::Binary)?;
        base64::decode(&self.raw().unescape()?)
    }

    /// The truth value of a boolean.
    pub fn as_bool(&self) -> Result<bool, ValueError> {
        self.require(ValueType::Bool)?;
        match self.text {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(ValueError::new("a boolean that is neither true nor false")),
        }
    }

    /// True for NULL.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.kind == ValueType::Null
    }

    /// The elements of a list.
    pub fn as_list(&self) -> Result<Items<'a>, ValueError> {
        self.require(ValueType::List)?;
        let depth = self.depth_within()?;
        let mut scanner = Scanner::new(self.text);
        scanner.take(b'[')?;
        Ok(Items { scanner, first: true, depth })
    }

    /// The elements of a set of strings, numbers or bytes, each as a value of its own; none for NULL, which
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

    /// The entries of a map, in the order in which they were sent.
    pub fn as_map(&self) -> Result<Entries<'a>, ValueError> {
        let (text, depth) = self.map_text()?;
        let mut scanner = Scanner::new(text);
        scanner.take(b'{')?;
        Ok(Entries { scanner, first: true, depth })
    }

    /// The JSON of a map, and how deep its entries lie.
    pub(super) fn map_text(&self) -> Result<(&'a str, u8), ValueError> {
        self.require(ValueType::Map)?;
        Ok((self.text, self.depth_within()?))
    }

    /// How deep lies what is in this list, map or set. Whatever recurses into a value asks here, so this is
    /// where it ends.
    #[inline]
    fn depth_within(&self) -> Result<u8, ValueError> {
        if self.depth < MAX_DEPTH { Ok(self.depth + 1) } else { Err(too_deep()) }
    }

    /// The name of an enum's variant, from the map that holds its data.
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

    /// The error for a value of another type than the one that is `expected`, such as `a string`.
    #[must_use]
    pub fn unexpected(&self, expected: &str) -> ValueError {
        ValueError::new(format!("expected {expected}, found {}", self.kind))
    }

    /// Writes the value again, as it was sent.
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

    /// Plain text, seen as a string value.
    pub(crate) fn of_text(text: &'a str) -> Self {
        Self::of_key(RawString { text, escaped: false })
    }

    /// The key of a map entry, seen as a string value.
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
    /// Values stay out of logs, so this shows the type alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Value").field("type", &self.kind).finish_non_exhaustive()
    }
}

/// The text of one encoded scalar, such as `{"S":"…"}`: of a string its text, of a number its digits, of
/// bytes their base64.
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
    /// The next entry, its key as it was sent.
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
