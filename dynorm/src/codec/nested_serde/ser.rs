//! Serializing into an [`Encoder`].

use std::ops::Range;

use serde::ser::{Impossible, Serialize, Serializer};

use super::error::{Error, Wrappers};
use crate::attribute::Attribute;
use crate::codec::{Encoder, ValueError};

/// The serializer that writes into an [`Encoder`].
pub(super) struct Writer<'e> {
    encoder: &'e mut Encoder,
    wrappers: Wrappers,
}

impl<'e> Writer<'e> {
    pub(super) fn new(encoder: &'e mut Encoder) -> Self {
        Self { encoder, wrappers: Wrappers::default() }
    }
}

/// Types that are attributes are written as attributes.
macro_rules! attributes {
    ($($method:ident: $type:ty),*) => {$(
        fn $method(self, value: $type) -> Result<(), Error> {
            Ok(value.encode(self.encoder)?)
        }
    )*};
}

impl<'e> Serializer for Writer<'e> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Elements<'e>;
    type SerializeTuple = Elements<'e>;
    type SerializeTupleStruct = Elements<'e>;
    type SerializeTupleVariant = Elements<'e>;
    type SerializeMap = Entries<'e>;
    type SerializeStruct = Entries<'e>;
    type SerializeStructVariant = Entries<'e>;

    attributes! {
        serialize_bool: bool, serialize_char: char, serialize_f32: f32, serialize_f64: f64,
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_i128: i128,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_u128: u128
    }

    fn serialize_str(self, text: &str) -> Result<(), Error> {
        Ok(self.encoder.string(text)?)
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<(), Error> {
        Ok(self.encoder.binary(bytes)?)
    }

    fn serialize_none(self) -> Result<(), Error> {
        Ok(self.encoder.null()?)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(Self { wrappers: self.wrappers.one_more()?, ..self })
    }

    fn serialize_unit(self) -> Result<(), Error> {
        Ok(self.encoder.null()?)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        Ok(self.encoder.null()?)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Error> {
        Ok(self.encoder.string(variant)?)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(Self { wrappers: self.wrappers.one_more()?, ..self })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        begin_variant(self.encoder, variant)?;
        value.serialize(Writer::new(self.encoder)).map_err(|Error(error)| error.in_field(variant))?;
        self.encoder.end_map();
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Elements<'e>, Error> {
        Ok(Elements::begin(self.encoder, None)?)
    }

    fn serialize_tuple(self, _: usize) -> Result<Elements<'e>, Error> {
        Ok(Elements::begin(self.encoder, None)?)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Elements<'e>, Error> {
        Ok(Elements::begin(self.encoder, None)?)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Elements<'e>, Error> {
        begin_variant(self.encoder, variant)?;
        Ok(Elements::begin(self.encoder, Some(variant))?)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Entries<'e>, Error> {
        Ok(Entries::begin(self.encoder, None)?)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Entries<'e>, Error> {
        Ok(Entries::begin(self.encoder, None)?)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Entries<'e>, Error> {
        begin_variant(self.encoder, variant)?;
        Ok(Entries::begin(self.encoder, Some(variant))?)
    }
}

/// Begins the map around the data of a variant.
fn begin_variant(encoder: &mut Encoder, variant: &'static str) -> Result<(), ValueError> {
    encoder.begin_map()?;
    encoder.json_string(variant);
    encoder.push(b':');
    Ok(())
}

/// Adds the variant to the path of an error, if the data of a variant was written.
fn in_variant(error: ValueError, variant: Option<&'static str>) -> ValueError {
    match variant {
        Some(variant) => error.in_field(variant),
        None => error,
    }
}

/// Writes a list.
pub(super) struct Elements<'e> {
    encoder: &'e mut Encoder,
    count: usize,
    variant: Option<&'static str>,
}

impl<'e> Elements<'e> {
    fn begin(encoder: &'e mut Encoder, variant: Option<&'static str>) -> Result<Self, ValueError> {
        encoder.begin_list().map_err(|error| in_variant(error, variant))?;
        Ok(Self { encoder, count: 0, variant })
    }

    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.encoder.separate(self.count);
        value
            .serialize(Writer::new(self.encoder))
            .map_err(|Error(error)| in_variant(error.at_index(self.count), self.variant))?;
        self.count += 1;
        Ok(())
    }

    fn finish(self) {
        self.encoder.end_list();
        if self.variant.is_some() {
            self.encoder.end_map();
        }
    }
}

macro_rules! elements {
    ($($trait:ident::$method:ident),*) => {$(
        impl serde::ser::$trait for Elements<'_> {
            type Ok = ();
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.element(value)
            }

            fn end(self) -> Result<(), Error> {
                self.finish();
                Ok(())
            }
        }
    )*};
}

elements!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);

/// Writes a map.
pub(super) struct Entries<'e> {
    encoder: &'e mut Encoder,
    /// The position of each key in the encoder.
    keys: Vec<Range<usize>>,
    variant: Option<&'static str>,
}

impl<'e> Entries<'e> {
    fn begin(encoder: &'e mut Encoder, variant: Option<&'static str>) -> Result<Self, ValueError> {
        encoder.begin_map().map_err(|error| in_variant(error, variant))?;
        Ok(Self { encoder, keys: Vec::new(), variant })
    }

    fn key<K: Serialize + ?Sized>(&mut self, key: &K) -> Result<(), Error> {
        self.encoder.separate(self.keys.len());
        let start = self.encoder.len();
        key.serialize(KeyWriter(self.encoder)).map_err(|Error(error)| in_variant(error, self.variant))?;
        self.encoder.check_name(start).map_err(|error| in_variant(error, self.variant))?;
        self.keys.push(start..self.encoder.len());
        self.encoder.push(b':');
        Ok(())
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
        self.key(name)?;
        value
            .serialize(Writer::new(self.encoder))
            .map_err(|Error(error)| in_variant(error.in_field(name), self.variant).into())
    }

    /// Finishes the map. A duplicate key is refused, since one of the two values would be lost: a flattened
    /// map can contain the name of a field or of a tag.
    fn finish(mut self) -> Result<(), Error> {
        let mut keys = std::mem::take(&mut self.keys);
        keys.sort_unstable_by(|left, right| self.written(left).cmp(self.written(right)));
        for pair in keys.windows(2) {
            if let [left, right] = pair
                && self.written(left) == self.written(right)
            {
                let error =
                    ValueError::new("the map has two entries with this key, and one of them would be lost")
                        .at_key(self.key_text(left));
                return Err(in_variant(error, self.variant).into());
            }
        }
        self.encoder.end_map();
        if self.variant.is_some() {
            self.encoder.end_map();
        }
        Ok(())
    }

    fn written(&self, range: &Range<usize>) -> &[u8] {
        self.encoder.written_since(range.start).get(..range.len()).unwrap_or_default()
    }

    fn key_text(&self, range: &Range<usize>) -> String {
        serde_json::from_slice(self.written(range)).unwrap_or_default()
    }
}

impl serde::ser::SerializeMap for Entries<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(Writer::new(self.encoder)).map_err(|Error(error)| {
            let key = self.keys.last().map(|range| self.key_text(range)).unwrap_or_default();
            error.at_key(key).into()
        })
    }

    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}

macro_rules! entries {
    ($($trait:ident),*) => {$(
        impl serde::ser::$trait for Entries<'_> {
            type Ok = ();
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), Error> {
                self.field(name, value)
            }

            fn end(self) -> Result<(), Error> {
                self.finish()
            }
        }
    )*};
}

entries!(SerializeStruct, SerializeStructVariant);

/// The serializer for the key of a map, which is text.
struct KeyWriter<'e>(&'e mut Encoder);

/// Types that have exactly one spelling as text.
macro_rules! as_text {
    ($($method:ident: $type:ty),*) => {$(
        fn $method(self, value: $type) -> Result<(), Error> {
            self.0.json_string(&value.to_string());
            Ok(())
        }
    )*};
}

fn no_key<T>(what: &str) -> Result<T, Error> {
    let why = "the keys of a map are text, characters, whole numbers, booleans or variants without data";
    Err(ValueError::new(format!("{why}, and this one is {what}")).into())
}

impl Serializer for KeyWriter<'_> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Impossible<(), Error>;
    type SerializeTuple = Impossible<(), Error>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Impossible<(), Error>;
    type SerializeStruct = Impossible<(), Error>;
    type SerializeStructVariant = Impossible<(), Error>;

    as_text! {
        serialize_bool: bool, serialize_char: char,
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_i128: i128,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_u128: u128
    }

    fn serialize_str(self, text: &str) -> Result<(), Error> {
        self.0.json_string(text);
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Error> {
        self.0.json_string(variant);
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_f32(self, _: f32) -> Result<(), Error> {
        no_key("a float")
    }

    fn serialize_f64(self, _: f64) -> Result<(), Error> {
        no_key("a float")
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), Error> {
        no_key("bytes")
    }

    fn serialize_none(self) -> Result<(), Error> {
        no_key("an `Option`")
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<(), Error> {
        no_key("an `Option`")
    }

    fn serialize_unit(self) -> Result<(), Error> {
        no_key("a unit")
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        no_key("a unit")
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Error> {
        no_key("a variant with data")
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Error> {
        no_key("a list")
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Error> {
        no_key("a tuple")
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Error> {
        no_key("a tuple")
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        no_key("a variant with data")
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Error> {
        no_key("a map")
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, Error> {
        no_key("a struct")
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        no_key("a variant with data")
    }
}
