use crate::codec::{Encoder, Fields, ItemWriter, Value, ValueError};

use super::{Attribute, shape};

/// A map that holds the attributes which a struct does not model, for a field marked `#[entity(flatten)]`.
///
/// `BTreeMap` and `HashMap` are, with keys that are stored as text; with `serde_json::Value` as the value (feature
/// `serde_json`) they hold attributes of any type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot hold the attributes that the struct does not model",
    note = "`#[entity(flatten)]` goes on a `BTreeMap` or `HashMap` with text as its keys, such as `BTreeMap<String, serde_json::Value>`"
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

    /// Takes one attribute in.
    #[doc(hidden)]
    fn insert_attribute(&mut self, name: &str, value: Value<'_>) -> Result<(), ValueError>;

    /// Writes all of them beside the fields of a struct.
    #[doc(hidden)]
    fn write_all(map: &Self, item: &mut ItemWriter<'_>, derived: &[&str]) -> Result<(), ValueError> {
        item.rest(map, derived)
    }

    /// The reverse of `write_all`.
    #[doc(hidden)]
    fn read_all<const N: usize>(fields: &Fields<'_, N>) -> Result<Self, ValueError> {
        fields.rest()
    }
}

/// The text of a map's key.
pub(super) fn key_text<K: Attribute<Shape: shape::TextLike>>(key: &K) -> Result<String, ValueError> {
    let mut encoder = Encoder::default();
    key.encode(&mut encoder)?;
    let json = encoder.into_bytes();
    crate::codec::scalar_text(&json).map(std::borrow::Cow::into_owned)
}
