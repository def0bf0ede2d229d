//! The positions of the attributes of an item, or the entries of a map, in the text of an answer.

use std::ops::Range;

use super::scanner::{RawString, Scanner, plain_length};
use super::text::head;
use super::{Value, ValueError, ValueType};

/// The position of a name and its value. It holds no text, so it is small, and nothing is copied out of the
/// answer before it is needed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The first bytes of the name; see [`head`].
    pub(super) head: u64,
    name: (u32, u32),
    value: (u32, u32),
    kind: ValueType,
    name_escaped: bool,
    escaped: bool,
}

impl Place {
    /// Returns true if this is the attribute `name`, whose first bytes are `head`. Only for names without
    /// escapes.
    #[inline]
    pub(super) fn is(&self, head: u64, name: &str, text: &str) -> bool {
        let length = (self.name.1 - self.name.0) as usize;
        self.head == head && name.len() == length && (length <= 8 || self.ends_as(name.as_bytes(), text))
    }

    /// Returns true if the bytes after the first eight are equal too; for a longer name of the same length.
    #[inline(always)]
    fn ends_as(&self, name: &[u8], text: &str) -> bool {
        let Some(own) = text.as_bytes().get(self.name.0 as usize..self.name.1 as usize) else { return false };
        // The first and the last eight bytes cover most names completely.
        own.last_chunk::<8>() == name.last_chunk::<8>() && (own.len() <= 16 || own == name)
    }

    /// Returns true if the name must be unescaped before it is compared.
    #[inline]
    pub(super) fn is_escaped(&self) -> bool {
        self.name_escaped
    }

    pub(super) fn name<'a>(&self, text: &'a str) -> RawString<'a> {
        RawString { text: cut(text, self.name), escaped: self.name_escaped }
    }

    #[inline]
    pub(super) fn value<'a>(&self, text: &'a str, depth: u8) -> Value<'a> {
        Value { kind: self.kind, depth, escaped: self.escaped, text: cut(text, self.value) }
    }
}

/// Returns the text of a range. Ranges begin and end at quotes or brackets, so they are always valid.
#[inline]
fn cut(text: &str, (start, end): (u32, u32)) -> &str {
    text.get(start as usize..end as usize).unwrap_or_default()
}

impl Scanner<'_> {
    /// Calls `visit` with the position of each attribute of the next object.
    #[inline(always)]
    pub(super) fn places(
        &mut self,
        mut visit: impl FnMut(&Place) -> Result<(), ValueError>,
    ) -> Result<(), ValueError> {
        if u32::try_from(self.text.len()).is_err() {
            return Err(ValueError::new("the answer is larger than any that DynamoDB gives"));
        }
        self.take(b'{')?;
        let mut first = true;
        while self.another(&mut first, b'}')? {
            let place = match self.plain_place() {
                Some(place) => place,
                None => self.any_place()?,
            };
            visit(&place)?;
        }
        Ok(())
    }

    /// Reads `"name":{"S":"text"}`, or the like with another type, if it comes next without white space or
    /// escapes, as nearly every attribute does. `None`, with nothing consumed, if not.
    #[inline(always)]
    fn plain_place(&mut self) -> Option<Place> {
        const STRING: u64 = u64::from_le_bytes(*b"\":{\"S\":\"");
        const NUMBER: u64 = u64::from_le_bytes(*b"\":{\"N\":\"");
        const BINARY: u64 = u64::from_le_bytes(*b"\":{\"B\":\"");
        let name = self.text.as_bytes().get(self.at..)?.strip_prefix(b"\"")?;
        let name_length = plain_length(name)?;
        let (between, value) = name.get(name_length..)?.split_first_chunk()?;
        let name_start = self.at + 1;
        let name_end = name_start + name_length;
        let scalar = match u64::from_le_bytes(*between) {
            STRING => Some(ValueType::String),
            NUMBER => Some(ValueType::Number),
            BINARY => Some(ValueType::Binary),
            _ => None,
        };
        let (kind, value) = if let Some(kind) = scalar {
            let value_length = plain_length(value)?;
            if value.get(value_length + 1) != Some(&b'}') {
                return None;
            }
            let start = name_end + 8;
            self.at = start + value_length + 2;
            (kind, start..start + value_length)
        } else {
            self.plain_container(between, name_end)?
        };
        let first = u64::from_le_bytes(*name.first_chunk()?);
        Some(Place {
            head: if name_length < 8 { first & !(u64::MAX << (8 * name_length)) } else { first },
            name: (name_start as u32, name_end as u32),
            value: (value.start as u32, value.end as u32),
            kind,
            name_escaped: false,
            escaped: false,
        })
    }

    /// Reads a list, a map or a set that begins with these bytes at `at`.
    #[inline(never)]
    fn plain_container(&mut self, beginning: &[u8; 8], at: usize) -> Option<(ValueType, Range<usize>)> {
        let (kind, start) = match beginning {
            b"\":{\"M\":{" => (ValueType::Map, at + 7),
            b"\":{\"L\":[" => (ValueType::List, at + 7),
            b"\":{\"SS\":" => (ValueType::StringSet, at + 8),
            b"\":{\"NS\":" => (ValueType::NumberSet, at + 8),
            _ => return None,
        };
        let bytes = self.text.as_bytes();
        let before = self.at;
        self.at = start;
        let is_whole = matches!(bytes.get(start), Some(b'{' | b'['))
            && self.skip_container().is_ok()
            && bytes.get(self.at) == Some(&b'}');
        if !is_whole {
            self.at = before;
            return None;
        }
        let end = self.at;
        self.at += 1;
        Some((kind, start..end))
    }

    /// Reads any name with its value.
    #[inline(never)]
    fn any_place(&mut self) -> Result<Place, ValueError> {
        let name = self.string()?;
        let name_end = self.at - 1;
        let name_start = name_end - name.text.len();
        self.take(b':')?;
        let (kind, escaped, value) =
            self.any_value().map_err(|error| error.in_field(name.readable().into_owned()))?;
        Ok(Place {
            head: head(name.text.as_bytes()),
            name: (name_start as u32, name_end as u32),
            value: (value.start as u32, value.end as u32),
            kind,
            name_escaped: name.escaped,
            escaped,
        })
    }

    /// Reads any value: its type, whether it has escapes, and its position.
    pub(super) fn any_value(&mut self) -> Result<(ValueType, bool, Range<usize>), ValueError> {
        self.take(b'{')?;
        let tag = self.string()?;
        self.take(b':')?;
        let kind = ValueType::from_tag(tag.text).ok_or_else(|| {
            ValueError::new(format!(
                "the answer holds a value of the type {:?}, which DynamoDB does not have",
                tag.text
            ))
        })?;
        let (escaped, place) = match kind {
            ValueType::String | ValueType::Number | ValueType::Binary => {
                let RawString { text, escaped } = self.string()?;
                let end = self.at - 1;
                (escaped, end - text.len()..end)
            }
            _ => {
                let text = self.skip()?;
                (false, self.at - text.len()..self.at)
            }
        };
        self.take(b'}')?;
        Ok((kind, escaped, place))
    }
}
