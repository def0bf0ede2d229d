//! The floor for dynorm's codec: hand-written code with serde_json for these four items, with the same bytes
//! and structs, and without dynorm's codec. Each struct is written by one function, with serde_json's writer
//! for strings and floats and itoa's for integers. It is read in one pass by serde's derive into its fields,
//! with one copy of each string.

use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use dynorm::prelude::*;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

mod shapes;
mod time;

/// A struct with hand-written reading and writing.
pub(crate) trait Floor: Sized {
    /// Writes the attributes as a JSON object.
    fn write(&self, out: &mut Vec<u8>);

    /// Reads the attributes.
    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error>;

    /// Reads an item.
    fn from_json(json: &[u8]) -> serde_json::Result<Self> {
        let mut from = serde_json::Deserializer::from_slice(json);
        let item = Self::read(&mut from)?;
        from.end()?;
        Ok(item)
    }
}

// Writing

fn json_text(out: &mut Vec<u8>, text: &str) {
    // Writing into memory cannot fail.
    let _ = serde_json::to_writer(out, text);
}

/// `before` is the text before the value: the name of the attribute and punctuation.
fn text(out: &mut Vec<u8>, before: &str, text: &str) {
    out.extend_from_slice(before.as_bytes());
    json_text(out, text);
    out.push(b'}');
}

fn optional(out: &mut Vec<u8>, before: &str, value: Option<&String>) {
    if let Some(value) = value {
        text(out, before, value);
    }
}

fn number(out: &mut Vec<u8>, before: &str, number: impl itoa::Integer) {
    out.extend_from_slice(before.as_bytes());
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    out.extend_from_slice(b"\"}");
}

fn float(out: &mut Vec<u8>, before: &str, number: f64) {
    out.extend_from_slice(before.as_bytes());
    let _ = serde_json::to_writer(&mut *out, &number);
    out.extend_from_slice(b"\"}");
}

fn flag(out: &mut Vec<u8>, before: &str, value: bool) {
    out.extend_from_slice(before.as_bytes());
    out.extend_from_slice(if value { b"true}" } else { b"false}" });
}

fn id<T>(out: &mut Vec<u8>, before: &str, id: Id<T>) {
    out.extend_from_slice(before.as_bytes());
    let mut buffer = [0; dynorm::ulid::ULID_LEN];
    out.extend_from_slice(id.ulid().array_to_str(&mut buffer).as_bytes());
    out.extend_from_slice(b"\"}");
}

fn moment(out: &mut Vec<u8>, before: &str, moment: Timestamp) {
    out.extend_from_slice(before.as_bytes());
    time::write(out, moment.unix_micros());
    out.extend_from_slice(b"\"}");
}

fn list<T>(
    out: &mut Vec<u8>,
    before: &str,
    items: impl IntoIterator<Item = T>,
    each: impl Fn(&mut Vec<u8>, T),
) {
    out.extend_from_slice(before.as_bytes());
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        each(out, item);
    }
    out.extend_from_slice(b"]}");
}

fn map(out: &mut Vec<u8>, before: &str, value: &impl Floor) {
    out.extend_from_slice(before.as_bytes());
    value.write(out);
    out.push(b'}');
}

// Reading: each value is an object with one member, whose name is its type.

/// Reads the content after the type's name.
trait Content<'de> {
    const TYPE: &'static str;
    type Value;

    fn content<A: MapAccess<'de>>(map: &mut A) -> Result<Self::Value, A::Error>;
}

struct OneMember<C>(PhantomData<C>);

impl<'de, C: Content<'de>> Visitor<'de> for OneMember<C> {
    type Value = C::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an attribute of type {}", C::TYPE)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<C::Value, A::Error> {
        if map.next_key::<&str>()? != Some(C::TYPE) {
            return Err(A::Error::custom("an attribute of another type"));
        }
        let value = C::content(&mut map)?;
        match map.next_key::<&str>()? {
            None => Ok(value),
            Some(_) => Err(A::Error::custom("more than one value")),
        }
    }
}

fn attribute<'de, C: Content<'de>, D: Deserializer<'de>>(from: D) -> Result<C::Value, D::Error> {
    from.deserialize_map(OneMember::<C>(PhantomData))
}

/// Built from a JSON string without another copy.
struct FromText<T, F>(F, PhantomData<T>);

impl<'de, T, F: FnOnce(&str) -> Option<T>> DeserializeSeed<'de> for FromText<T, F> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<T, D::Error> {
        from.deserialize_str(self)
    }
}

impl<T, F: FnOnce(&str) -> Option<T>> Visitor<'_> for FromText<T, F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        self.0(text).ok_or_else(|| E::custom("a text of another form"))
    }
}

fn string<'de, A: MapAccess<'de>, T>(map: &mut A, read: impl Fn(&str) -> Option<T>) -> Result<T, A::Error> {
    map.next_value_seed(FromText(read, PhantomData))
}

struct Text;

impl<'de> Content<'de> for Text {
    const TYPE: &'static str = "S";
    type Value = String;

    fn content<A: MapAccess<'de>>(map: &mut A) -> Result<String, A::Error> {
        map.next_value()
    }
}

struct Ulid<T>(PhantomData<T>);

impl<'de, T> Content<'de> for Ulid<T> {
    const TYPE: &'static str = "S";
    type Value = Id<T>;

    fn content<A: MapAccess<'de>>(map: &mut A) -> Result<Id<T>, A::Error> {
        string(map, |text| dynorm::ulid::Ulid::from_string(text).ok().map(Id::from))
    }
}

struct Time;

impl<'de> Content<'de> for Time {
    const TYPE: &'static str = "S";
    type Value = Timestamp;

    fn content<A: MapAccess<'de>>(map: &mut A) -> Result<Timestamp, A::Error> {
        string(map, |text| Timestamp::from_unix_micros(time::read(text)?).ok())
    }
}

/// An enum, `status`, the only one.
struct State;

impl<'de> Content<'de> for State {
    const TYPE: &'static str = "S";
    type Value = crate::shapes::Status;

    fn content<A: MapAccess<'de>>(map: &mut A) -> Result<Self::Value, A::Error> {
        string(map, |text| match text {
            "pending" => Some(crate::shapes::Status::Pending),
            "active" => Some(crate::shapes::Status::Active),
            _ => None,
        })
    }
}

struct Number<T>(PhantomData<T>);

impl<'de, T: FromStr> Content<'de> for Number<T> {
    const TYPE: &'static str = "N";
    type Value = T;

    fn content<A: MapAccess<'de>>(map: &mut A) -> Result<T, A::Error> {
        string(map, |text| text.parse().ok())
    }
}

struct Flag;

impl<'de> Content<'de> for Flag {
    const TYPE: &'static str = "BOOL";
    type Value = bool;

    fn content<A: MapAccess<'de>>(map: &mut A) -> Result<bool, A::Error> {
        map.next_value()
    }
}

/// A set of strings.
struct Texts;

impl<'de> Content<'de> for Texts {
    const TYPE: &'static str = "SS";
    type Value = BTreeSet<String>;

    fn content<A: MapAccess<'de>>(map: &mut A) -> Result<BTreeSet<String>, A::Error> {
        map.next_value()
    }
}

/// A nested struct.
struct Map<T>(PhantomData<T>);

impl<'de, T: Floor> Content<'de> for Map<T> {
    const TYPE: &'static str = "M";
    type Value = T;

    fn content<A: MapAccess<'de>>(map: &mut A) -> Result<T, A::Error> {
        map.next_value_seed(Struct(PhantomData))
    }
}

struct Struct<T>(PhantomData<T>);

impl<'de, T: Floor> DeserializeSeed<'de> for Struct<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<T, D::Error> {
        T::read(from)
    }
}

/// A list of values of one type.
struct List<C>(PhantomData<C>);

impl<'de, C: Content<'de>> Content<'de> for List<C> {
    const TYPE: &'static str = "L";
    type Value = Vec<C::Value>;

    fn content<A: MapAccess<'de>>(map: &mut A) -> Result<Self::Value, A::Error> {
        map.next_value_seed(Self(PhantomData))
    }
}

impl<'de, C: Content<'de>> DeserializeSeed<'de> for List<C> {
    type Value = Vec<C::Value>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de, C: Content<'de>> Visitor<'de> for List<C> {
    type Value = Vec<C::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(One::<C>(PhantomData))? {
            list.push(item);
        }
        Ok(list)
    }
}

struct One<C>(PhantomData<C>);

impl<'de, C: Content<'de>> DeserializeSeed<'de> for One<C> {
    type Value = C::Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<C::Value, D::Error> {
        attribute::<C, D>(from)
    }
}

/// For a field that may be absent; one that is present has a value.
fn some<'de, C: Content<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<C::Value>, D::Error> {
    attribute::<C, D>(from).map(Some)
}
