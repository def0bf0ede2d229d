//! Flattened maps: the attributes that a struct does not model.

use std::collections::HashMap;

use crate::codec::{Encoder, Fields, ItemWriter, Scanner, Value, ValueError, ValueType};

use super::{Attribute, shape};

/// A map that holds the attributes that a struct does not model, for an `#[entity(flatten)]` field.
///
/// It is implemented for `BTreeMap` and `HashMap` with keys that are stored as text. With the SDK's
/// `AttributeValue` as value type they hold attributes of any type exactly; with `serde_json::Value` (feature
/// `serde_json`) those that JSON can represent. An attribute whose type would change with the next save, such
/// as a set in a map of JSON values, is an error when it is read.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot hold the attributes that the struct does not model",
    note = "`#[entity(flatten)]` goes on a `BTreeMap` or `HashMap` with text as its keys, such as \
            `BTreeMap<String, dynorm::aws::types::AttributeValue>`"
)]
pub trait Flatten: Default {
    /// Calls `visit` with the name of each attribute and a function that writes its value.
    #[doc(hidden)]
    #[allow(clippy::type_complexity, reason = "called by one function, written by one macro")]
    fn each_attribute(
        &self,
        visit: &mut dyn FnMut(
            &str,
            &mut dyn FnMut(&mut Encoder) -> Result<(), ValueError>,
        ) -> Result<(), ValueError>,
    ) -> Result<(), ValueError>;

    /// Inserts one attribute.
    #[doc(hidden)]
    fn insert_attribute(&mut self, name: &str, value: Value<'_>) -> Result<(), ValueError>;

    /// Writes all attributes of the map, after the fields of the struct.
    #[doc(hidden)]
    fn write_all(map: &Self, item: &mut ItemWriter<'_>, derived: &[&str]) -> Result<(), ValueError> {
        item.rest(map, derived)
    }

    /// The reverse of `write_all`.
    #[doc(hidden)]
    fn read_all<const N: usize>(fields: &Fields<'_, N>, derived: &[&str]) -> Result<Self, ValueError> {
        fields.rest(derived)
    }
}

impl ItemWriter<'_> {
    /// Writes the attributes that the struct does not model. The name of a field, and of an attribute that is
    /// `derived` from fields, is refused, since one of the two values would be lost.
    pub fn rest<M: Flatten>(&mut self, map: &M, derived: &[&str]) -> Result<(), ValueError> {
        map.each_attribute(&mut |name, value| self.other(name, value, derived))
    }
}

impl<const N: usize> Fields<'_, N> {
    /// Reads the attributes that are not fields into a map, except those that are `derived` from fields.
    pub fn rest<M: Flatten>(&self, derived: &[&str]) -> Result<M, ValueError> {
        let mut map = M::default();
        self.each_other(derived, &mut |name, value| map.insert_attribute(name, value))?;
        Ok(map)
    }
}

/// Refuses a value that would be stored with another type when it is written again.
pub(super) fn check_type<V: Attribute>(stored: Value<'_>, held: &V) -> Result<(), ValueError> {
    let mut encoder = Encoder::default();
    held.encode(&mut encoder)?;
    let json = encoder.into_bytes();
    let text = std::str::from_utf8(&json).map_err(|_| ValueError::new("not UTF-8"))?;
    let written = Value::parse(&mut Scanner::new(text))?;
    if have_one_type(stored, written)? {
        return Ok(());
    }
    Err(ValueError::new(
        "this map would store the attribute as another type than it has: make it a map of \
         `dynorm::aws::types::AttributeValue`, which keeps every type",
    ))
}

fn have_one_type(stored: Value<'_>, written: Value<'_>) -> Result<bool, ValueError> {
    if stored.value_type() != written.value_type() {
        return Ok(false);
    }
    match stored.value_type() {
        ValueType::List => {
            for (stored, written) in stored.as_list()?.zip(written.as_list()?) {
                if !have_one_type(stored?, written?)? {
                    return Ok(false);
                }
            }
        }
        ValueType::Map => {
            let written: HashMap<_, _> = written.as_map()?.collect::<Result<_, _>>()?;
            for entry in stored.as_map()? {
                let (key, stored) = entry?;
                if let Some(written) = written.get(&key)
                    && !have_one_type(stored, *written)?
                {
                    return Ok(false);
                }
            }
        }
        _ => {}
    }
    Ok(true)
}

/// Returns the text of a map's key.
pub(super) fn key_text<K: Attribute<Shape: shape::TextLike>>(key: &K) -> Result<String, ValueError> {
    let mut encoder = Encoder::default();
    key.encode(&mut encoder)?;
    let json = encoder.into_bytes();
    crate::codec::scalar_text(&json).map(std::borrow::Cow::into_owned)
}
