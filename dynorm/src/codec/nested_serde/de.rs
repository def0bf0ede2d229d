//! Deserializing from a [`Value`].

use std::borrow::Cow;

use serde::de::value::CowStrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};

use super::error::{Error, Wrappers};
use crate::attribute::Attribute;
use crate::codec::{Entries, RawString, Value, ValueError, ValueType, integer_text, is_float_text};

/// The deserializer that reads from a [`Value`].
pub(super) struct Reader<'a> {
    value: Value<'a>,
    wrappers: Wrappers,
}

impl<'a> Reader<'a> {
    pub(super) fn new(value: Value<'a>) -> Self {
        Self { value, wrappers: Wrappers::default() }
    }
}

/// Numbers of a known type are read as attributes of that type.
macro_rules! numbers {
    ($($method:ident: $type:ident, $visit:ident;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            visitor.$visit($type::decode(self.value)?)
        }
    )*};
}

impl<'de> Deserializer<'de> for Reader<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let Self { value, .. } = self;
        match value.value_type() {
            ValueType::String => visit_text(value.as_str()?, visitor),
            ValueType::Number => visit_number(value, visitor),
            ValueType::Binary => visitor.visit_byte_buf(value.as_bytes()?),
            ValueType::Bool => visitor.visit_bool(value.as_bool()?),
            ValueType::Null => visitor.visit_unit(),
            ValueType::List => visit_elements(value.as_list()?, visitor),
            ValueType::StringSet | ValueType::NumberSet | ValueType::BinarySet => {
                visit_elements(value.as_set()?, visitor)
            }
            ValueType::Map => {
                visitor.visit_map(Pairs { entries: value.as_map()?, fields: false, current: None })
            }
        }
    }

    numbers! {
        deserialize_i8: i8, visit_i8;
        deserialize_i16: i16, visit_i16;
        deserialize_i32: i32, visit_i32;
        deserialize_i64: i64, visit_i64;
        deserialize_i128: i128, visit_i128;
        deserialize_u8: u8, visit_u8;
        deserialize_u16: u16, visit_u16;
        deserialize_u32: u32, visit_u32;
        deserialize_u64: u64, visit_u64;
        deserialize_u128: u128, visit_u128;
        deserialize_f32: f32, visit_f32;
        deserialize_f64: f64, visit_f64;
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.value.is_null() {
            visitor.visit_none()
        } else {
            visitor.visit_some(Self { wrappers: self.wrappers.one_more()?, ..self })
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(Self { wrappers: self.wrappers.one_more()?, ..self })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.value.as_map() {
            Ok(entries) => visitor.visit_map(Pairs { entries, fields: true, current: None }),
            Err(_) => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let Self { value, .. } = self;
        match value.value_type() {
            ValueType::String => visitor.visit_enum(Variant { name: value.raw(), data: None }),
            ValueType::Map => {
                let mut entries = value.as_map()?;
                if let Some((name, data)) = entries.next_raw()?
                    && entries.next_raw()?.is_none()
                {
                    return visitor.visit_enum(Variant { name, data: Some(data) });
                }
                Err(ValueError::new("expected a map with one entry, which is the variant of an enum").into())
            }
            _ => Err(value.unexpected("a variant of an enum, as a string or a map with one entry").into()),
        }
    }

    /// Skips the value without reading it.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bool char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map identifier
    }
}

fn visit_text<'de, V: Visitor<'de>>(text: Cow<'de, str>, visitor: V) -> Result<V::Value, Error> {
    match text {
        Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
        Cow::Owned(text) => visitor.visit_string(text),
    }
}

/// Reads a number whose type is not known.
fn visit_number<'de, V: Visitor<'de>>(value: Value<'de>, visitor: V) -> Result<V::Value, Error> {
    let text = value.as_number()?;
    if let Ok(number) = text.parse() {
        return visitor.visit_u64(number);
    }
    if let Ok(number) = text.parse() {
        return visitor.visit_i64(number);
    }
    let float = f64::decode(value)?;
    let Some(whole) = integer_text(text) else {
        return visitor.visit_f64(float);
    };
    if let Ok(number) = whole.parse() {
        return visitor.visit_u64(number);
    }
    if let Ok(number) = whole.parse() {
        return visitor.visit_i64(number);
    }
    // DynamoDB returns a large float as plain digits, and few visitors accept 128 bits, so those are used
    // only for numbers that a float would round.
    if !is_float_text(float, text) {
        if let Ok(number) = whole.parse() {
            return visitor.visit_i128(number);
        }
        if let Ok(number) = whole.parse() {
            return visitor.visit_u128(number);
        }
    }
    visitor.visit_f64(float)
}

fn visit_elements<'de, V, I>(items: I, visitor: V) -> Result<V::Value, Error>
where
    V: Visitor<'de>,
    I: Iterator<Item = Result<Value<'de>, ValueError>>,
{
    let mut elements = Elements { items: items.fuse(), count: 0 };
    let result = visitor.visit_seq(&mut elements)?;
    match elements.items.next() {
        None => Ok(result),
        // A tuple reads only its own length; further elements would be lost with the next save.
        Some(_) => {
            Err(ValueError::new(format!("expected {} elements, found more of them", elements.count)).into())
        }
    }
}

struct Elements<I> {
    items: I,
    count: usize,
}

impl<'de, I: Iterator<Item = Result<Value<'de>, ValueError>>> SeqAccess<'de> for &mut Elements<I> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let Some(item) = self.items.next() else { return Ok(None) };
        let element = item
            .map_err(Error)
            .and_then(|value| seed.deserialize(Reader::new(value)))
            .map_err(|Error(error)| error.at_index(self.count))?;
        self.count += 1;
        Ok(Some(element))
    }
}

struct Pairs<'a> {
    entries: Entries<'a>,
    /// True if the keys are the names of fields, which errors show in another form than the keys of a map.
    fields: bool,
    /// The entry whose key was read last.
    current: Option<(RawString<'a>, Value<'a>)>,
}

impl Pairs<'_> {
    fn locate(&self, Error(error): Error) -> Error {
        let Some((key, _)) = self.current else { return error.into() };
        let name = key.readable().into_owned();
        if self.fields { error.in_field(name) } else { error.at_key(name) }.into()
    }
}

impl<'de> MapAccess<'de> for Pairs<'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        self.current = self.entries.next_raw()?;
        let Some((key, _)) = self.current else { return Ok(None) };
        seed.deserialize(KeyReader(key.unescape()?)).map(Some).map_err(|error| self.locate(error))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let Some((_, value)) = self.current else {
            return Err(ValueError::new("a value of a map was asked for before its key").into());
        };
        seed.deserialize(Reader::new(value)).map_err(|error| self.locate(error))
    }
}

/// A variant of an enum; without data if it is stored as a string.
struct Variant<'a> {
    name: RawString<'a>,
    data: Option<Value<'a>>,
}

impl<'a> Variant<'a> {
    fn read<T>(self, read: impl FnOnce(Reader<'a>) -> Result<T, Error>) -> Result<T, Error> {
        let Some(data) = self.data else {
            return Err(ValueError::new("expected a variant with its data, found its name alone").into());
        };
        read(Reader::new(data))
            .map_err(|Error(error)| error.in_field(self.name.readable().into_owned()).into())
    }
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Error> {
        let variant = seed.deserialize(KeyReader(self.name.unescape()?))?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        if self.data.is_none() { Ok(()) } else { self.read(serde::Deserialize::deserialize) }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        self.read(|reader| seed.deserialize(reader))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.read(|reader| reader.deserialize_any(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.read(|reader| reader.deserialize_struct("", fields, visitor))
    }
}

/// The deserializer for the key of a map.
struct KeyReader<'a>(Cow<'a, str>);

macro_rules! from_text {
    ($($method:ident: $type:ident, $visit:ident, $what:literal;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.0.parse::<$type>() {
                Ok(value) => visitor.$visit(value),
                Err(_) => Err(ValueError::new(concat!("expected a key that is ", $what)).into()),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for KeyReader<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visit_text(self.0, visitor)
    }

    from_text! {
        deserialize_bool: bool, visit_bool, "true or false";
        deserialize_i8: i8, visit_i8, "a whole number (i8)";
        deserialize_i16: i16, visit_i16, "a whole number (i16)";
        deserialize_i32: i32, visit_i32, "a whole number (i32)";
        deserialize_i64: i64, visit_i64, "a whole number (i64)";
        deserialize_i128: i128, visit_i128, "a whole number (i128)";
        deserialize_u8: u8, visit_u8, "a whole number (u8)";
        deserialize_u16: u16, visit_u16, "a whole number (u16)";
        deserialize_u32: u32, visit_u32, "a whole number (u32)";
        deserialize_u64: u64, visit_u64, "a whole number (u64)";
        deserialize_u128: u128, visit_u128, "a whole number (u128)";
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(CowStrDeserializer::new(self.0))
    }

    serde::forward_to_deserialize_any! {
        f32 f64 char str string bytes byte_buf option unit unit_struct seq tuple tuple_struct map struct
        identifier ignored_any
    }
}
