//! Writing attribute values as JSON.

use super::text::{is_plain, write_escaped, write_json_string};
use super::{FieldInfo, ScalarType, ValueError, base64, number};

/// The deepest nesting of lists and maps. DynamoDB allows values nested 32 levels deep, and the elements of
/// the innermost list are one of these levels. DynamoDB Local refuses one more.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
const MAX_DEPTH: u8 = 31;

/// Writes an attribute value as DynamoDB's JSON, directly into the request.
///
/// [`Attribute::encode`](crate::Attribute::encode) gets an encoder, and must write exactly one value with it:
///
/// ```
/// use dynorm::attribute::{Encoder, Value, ValueError, shape};
/// use dynorm::Attribute;
///
/// /// A colour, stored as text such as `#ff8800`.
/// struct Colour([u8; 3]);
///
/// impl Attribute for Colour {
///     type Base = Self;
///     type Shape = shape::Text;
///
///     fn encode(&self, encoder: &mut Encoder) -> Result<(), ValueError> {
///         let [r, g, b] = self.0;
///         encoder.string(&format!("#{r:02x}{g:02x}{b:02x}"))
///     }
///
///     fn decode(value: Value<'_>) -> Result<Self, ValueError> {
///         let text = value.as_str()?;
///         let number = text.strip_prefix('#').and_then(|hex| u32::from_str_radix(hex, 16).ok());
///         let number = number.ok_or_else(|| ValueError::new("expected a colour such as #ff8800"))?;
///         let [_, r, g, b] = number.to_be_bytes();
///         Ok(Colour([r, g, b]))
///     }
/// }
/// ```
#[derive(Default)]
pub struct Encoder {
    out: Vec<u8>,
    depth: u8,
    /// The type of the scalars inside a set, or as the key of a map: there they are written without their
    /// type.
    bare: Option<ScalarType>,
}

impl Encoder {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self { out: Vec::with_capacity(bytes), ..Self::default() }
    }

    /// Creates an encoder with room for an item of the usual size.
    pub(crate) fn for_items() -> Self {
        // Many allocators reuse a freed block below 1 KB at once, and search for a larger one.
        Self::with_capacity(1000)
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.out
    }

    /// Clears the encoder, for another value.
    pub(crate) fn clear(&mut self) {
        self.take_back(0);
    }

    pub(crate) fn len(&self) -> usize {
        self.out.len()
    }

    pub(crate) fn written_since(&self, start: usize) -> &[u8] {
        self.out.get(start..).unwrap_or_default()
    }

    pub(crate) fn truncate(&mut self, len: usize) {
        self.out.truncate(len);
    }

    /// Removes an attribute that begins at `start` and was written in part.
    pub(crate) fn take_back(&mut self, start: usize) {
        self.out.truncate(start);
        (self.depth, self.bare) = (0, None);
    }

    /// Writes text, type `S`.
    pub fn string(&mut self, text: &str) -> Result<(), ValueError> {
        if is_plain(text.as_bytes()) {
            self.plain(text.as_bytes())
        } else {
            self.scalar(ScalarType::String, |out| write_escaped(out, text))
        }
    }

    /// The same for a field of a struct, where every scalar is written with its type.
    #[inline]
    pub(super) fn tagged_text(&mut self, text: &str) {
        if is_plain(text.as_bytes()) {
            self.out.extend_from_slice(br#"{"S":""#);
            self.out.extend_from_slice(text.as_bytes());
            self.out.extend_from_slice(br#""}"#);
        } else {
            self.out.extend_from_slice(br#"{"S":"#);
            write_escaped(&mut self.out, text);
            self.out.push(b'}');
        }
    }

    /// Writes text that needs no escaping.
    #[inline]
    pub(crate) fn plain(&mut self, text: &[u8]) -> Result<(), ValueError> {
        if self.bare.is_none() {
            self.out.extend_from_slice(br#"{"S":""#);
            self.out.extend_from_slice(text);
            self.out.extend_from_slice(br#""}"#);
            return Ok(());
        }
        self.scalar(ScalarType::String, |out| {
            out.push(b'"');
            out.extend_from_slice(text);
            out.push(b'"');
        })
    }

    /// Writes a number, type `N`, given as decimal text such as `-12.5` or `1e20`.
    ///
    /// Fails for numbers that DynamoDB cannot store: with more than 38 significant digits, or with a
    /// magnitude outside 1E-130 to 9.99…E+125.
    pub fn number(&mut self, decimal: &str) -> Result<(), ValueError> {
        number::check(decimal)?;
        self.unchecked_number(decimal.as_bytes())
    }

    /// Writes a number that DynamoDB is known to accept.
    #[inline]
    pub(crate) fn unchecked_number(&mut self, decimal: &[u8]) -> Result<(), ValueError> {
        if self.bare.is_none() {
            self.out.extend_from_slice(br#"{"N":""#);
            self.out.extend_from_slice(decimal);
            self.out.extend_from_slice(br#""}"#);
            return Ok(());
        }
        self.scalar(ScalarType::Number, |out| {
            out.push(b'"');
            out.extend_from_slice(decimal);
            out.push(b'"');
        })
    }

    /// Writes bytes, type `B`.
    pub fn binary(&mut self, bytes: &[u8]) -> Result<(), ValueError> {
        self.scalar(ScalarType::Binary, |out| {
            out.push(b'"');
            out.extend_from_slice(base64::encode(bytes).as_bytes());
            out.push(b'"');
        })
    }

    /// Writes a boolean, type `BOOL`.
    pub fn bool(&mut self, value: bool) -> Result<(), ValueError> {
        self.refuse_bare("a boolean")?;
        if value {
            self.out.extend_from_slice(br#"{"BOOL":true}"#);
        } else {
            self.out.extend_from_slice(br#"{"BOOL":false}"#);
        }
        Ok(())
    }

    /// Writes NULL, type `NULL`: an absent value that cannot be left out, such as an element of a list.
    pub fn null(&mut self) -> Result<(), ValueError> {
        self.refuse_bare("NULL")?;
        self.out.extend_from_slice(br#"{"NULL":true}"#);
        Ok(())
    }

    /// Writes a map, type `M`. `write` adds its entries.
    pub fn map(
        &mut self,
        write: impl FnOnce(&mut MapEncoder<'_>) -> Result<(), ValueError>,
    ) -> Result<(), ValueError> {
        self.begin_map()?;
        write(&mut MapEncoder { encoder: self, entries: 0 })?;
        self.end_map();
        Ok(())
    }

    /// Writes a set. `write` adds the elements and returns their number. DynamoDB has no empty sets, so an
    /// empty one is written as NULL.
    #[inline]
    pub(crate) fn set_of(
        &mut self,
        scalar: ScalarType,
        write: impl FnOnce(&mut Self) -> Result<usize, ValueError>,
    ) -> Result<(), ValueError> {
        self.refuse_bare("a set")?;
        let start = self.out.len();
        self.out.extend_from_slice(match scalar {
            ScalarType::String => br#"{"SS":["#,
            ScalarType::Number => br#"{"NS":["#,
            ScalarType::Binary => br#"{"BS":["#,
        });
        self.bare = Some(scalar);
        let written = write(self);
        self.bare = None;
        if written? == 0 {
            self.out.truncate(start);
            return self.null();
        }
        self.out.extend_from_slice(b"]}");
        Ok(())
    }

    /// Begins a list whose elements come one by one: call `separate` and write a value for each, then
    /// `end_list`.
    pub(crate) fn begin_list(&mut self) -> Result<(), ValueError> {
        self.enter(br#"{"L":["#)
    }

    pub(crate) fn end_list(&mut self) {
        self.leave(b"]}");
    }

    /// Begins a map likewise: `separate`, `json_string`, a colon and a value for each entry, then `end_map`.
    pub(crate) fn begin_map(&mut self) -> Result<(), ValueError> {
        self.enter(br#"{"M":{"#)
    }

    pub(crate) fn end_map(&mut self) {
        self.leave(b"}}");
    }

    /// Writes the name of a field's attribute, with a comma before it and a colon after it.
    #[inline]
    pub(crate) fn label(&mut self, info: &FieldInfo) {
        info.label.append(&mut self.out);
        if info.label.is_empty() {
            self.name(info.name);
        }
    }

    /// The same for an attribute that is not a field.
    #[cold]
    pub(crate) fn name(&mut self, name: &str) {
        self.out.push(b',');
        write_json_string(&mut self.out, name);
        self.out.push(b':');
    }

    /// Sets the byte at `position`, or appends it if `position` is past the end.
    pub(crate) fn set_or_push(&mut self, position: usize, byte: u8) {
        match self.out.get_mut(position) {
            Some(slot) => *slot = byte,
            None => self.out.push(byte),
        }
    }

    /// Writes bytes that are already JSON.
    #[inline]
    pub(crate) fn raw(&mut self, json: &[u8]) {
        self.out.extend_from_slice(json);
    }

    pub(crate) fn push(&mut self, byte: u8) {
        self.out.push(byte);
    }

    /// Writes a plain JSON string, such as an attribute name.
    pub(crate) fn json_string(&mut self, text: &str) {
        write_json_string(&mut self.out, text);
    }

    /// Checks the attribute name or map key that was written at `start`: it must not be empty.
    pub(crate) fn check_name(&self, start: usize) -> Result<(), ValueError> {
        if self.written_since(start) == br#""""# {
            return Err(
                ValueError::new("a key of the map is empty, and DynamoDB takes none that is").at_key("")
            );
        }
        Ok(())
    }

    /// Runs `write` with scalars of one type written without their type.
    #[inline]
    pub(crate) fn bare(
        &mut self,
        scalar: ScalarType,
        write: impl FnOnce(&mut Self) -> Result<(), ValueError>,
    ) -> Result<(), ValueError> {
        let outer = self.bare.replace(scalar);
        let written = write(self);
        self.bare = outer;
        written
    }

    fn scalar(&mut self, scalar: ScalarType, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), ValueError> {
        match self.bare {
            None => {
                self.out.extend_from_slice(match scalar {
                    ScalarType::String => br#"{"S":"#,
                    ScalarType::Number => br#"{"N":"#,
                    ScalarType::Binary => br#"{"B":"#,
                });
                write(&mut self.out);
                self.out.push(b'}');
            }
            Some(expected) if expected == scalar => write(&mut self.out),
            Some(expected) => {
                return Err(wrote_another(expected, &scalar.to_string()));
            }
        }
        Ok(())
    }

    #[inline]
    fn refuse_bare(&self, what: &str) -> Result<(), ValueError> {
        match self.bare {
            None => Ok(()),
            Some(expected) => Err(wrote_another(expected, what)),
        }
    }

    #[inline]
    pub(super) fn enter<const N: usize>(&mut self, opening: &[u8; N]) -> Result<(), ValueError> {
        self.refuse_bare("a list or map")?;
        if self.depth == MAX_DEPTH {
            return Err(too_deep());
        }
        self.depth += 1;
        self.out.extend_from_slice(opening);
        Ok(())
    }

    #[inline]
    pub(super) fn leave<const N: usize>(&mut self, closing: &[u8; N]) {
        self.depth = self.depth.saturating_sub(1);
        self.out.extend_from_slice(closing);
    }

    /// Writes the comma before each element or entry except the first.
    pub(crate) fn separate(&mut self, index: usize) {
        if index > 0 {
            self.out.push(b',');
        }
    }
}

impl std::fmt::Debug for Encoder {
    /// Shows the size alone: values stay out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encoder").field("bytes", &self.out.len()).finish_non_exhaustive()
    }
}

/// Writes the entries of a map; see [`Encoder::map`].
#[derive(Debug)]
pub struct MapEncoder<'e> {
    encoder: &'e mut Encoder,
    entries: usize,
}

impl MapEncoder<'_> {
    /// Writes one entry: `key` writes the key, which is text, and `value` the value.
    #[inline]
    pub(crate) fn encoded_entry(
        &mut self,
        key: impl FnOnce(&mut Encoder) -> Result<(), ValueError>,
        value: impl FnOnce(&mut Encoder) -> Result<(), ValueError>,
    ) -> Result<(), ValueError> {
        self.encoder.separate(self.entries);
        self.entries += 1;
        let start = self.encoder.len();
        self.encoder.bare(ScalarType::String, key)?;
        let end = self.encoder.len();
        self.encoder.check_name(start)?;
        self.encoder.push(b':');
        value(self.encoder).map_err(|error| {
            let key = self.encoder.written_since(start).get(..end - start).unwrap_or_default();
            error.at_key(serde_json::from_slice::<String>(key).unwrap_or_default())
        })
    }

    /// Writes one entry with this key. `write` adds the value.
    pub(crate) fn raw_entry(
        &mut self,
        key: &str,
        write: impl FnOnce(&mut Encoder) -> Result<(), ValueError>,
    ) -> Result<(), ValueError> {
        self.encoder.separate(self.entries);
        self.entries += 1;
        let start = self.encoder.len();
        self.encoder.json_string(key);
        self.encoder.check_name(start)?;
        self.encoder.push(b':');
        write(self.encoder).map_err(|error| error.at_key(key))
    }
}

#[cold]
fn wrote_another(expected: ScalarType, what: &str) -> ValueError {
    ValueError::new(format!("the type says that it is {expected}, and its `Attribute::encode` wrote {what}"))
}

#[cold]
fn too_deep() -> ValueError {
    ValueError::new(format!(
        "lists and maps lie more than {MAX_DEPTH} deep in one another here, and DynamoDB ends \
         at 32 levels with what is in them"
    ))
}

#[cold]
pub(crate) fn wrote_nothing() -> ValueError {
    ValueError::new("the implementation of `Attribute::encode` wrote nothing")
}
