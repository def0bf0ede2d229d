//! The one door through which the code of the derive macros comes in. Nothing here is for anybody else.

pub use crate::__claims as claims;
use crate::attribute::ScalarType;
pub use crate::attribute::part::Part;
pub use crate::attribute::{Attribute, Flatten, Id, Identifier, Moment, Timestamp, shape};
pub use crate::codec::{
    Attributes, Encoder, FieldInfo, Fields, Item, ItemWriter, Value, ValueError, nested_serde,
};
pub use crate::entity::{Entity, EntityInfo, Hook, HookFuture, IndexInfo, Stamp};
pub use crate::field::{Field, Key, Opaque, Plain};
pub use crate::hooks::{HasHooks, Hooked};
pub use crate::key::{
    EntityKey, IndexKeyAttribute, IndexKeyPart, IntoKey, KeyAttribute, KeyPart, KeySource,
    PaddedIndexKeyPart, PaddedKeyPart, Segment, Template, UniqueAttribute,
};
pub use crate::query::select::{ProjectedFrom, ProjectedPaths, projected_field};
pub use crate::query::{Projected, Projection, Query};
pub use crate::repository::Repository;
pub use crate::rules::{Expires, Expiry, Mark, SoftDelete, Version, Versioned};
pub use crate::unique::claims as claims_in;
pub use crate::validation::{Validated, Violation};

// By these names the expansion does not care what a user calls `Option` or `Ok`.
pub use core::clone::Clone;
pub use core::option::Option::{self, None, Some};
pub use core::result::Result::{Err, Ok};

/// What the functions that write return.
pub type Written = core::result::Result<(), ValueError>;

/// What the functions that read return.
pub type Read<T> = core::result::Result<T, ValueError>;

/// `T` itself, if it is an attribute. If it is not, what is asked of `Own<T>` is not reported a second time.
pub type Own<T> = <<T as Attribute>::Shape as shape::Shape>::Itself<T>;

/// The key of an entity whose key is a mistake, which is reported: it takes whatever a caller gives for it, so that nothing
/// else is.
#[derive(Clone, Copy, Debug)]
pub struct UnknownKey;

impl EntityKey for UnknownKey {
    const EXACT: bool = false;

    fn part(&self, _: usize) -> Option<&dyn Part> {
        None
    }
}

impl<G> IntoKey<UnknownKey> for G {
    fn into_key(self) -> UnknownKey {
        UnknownKey
    }
}

/// The shape of a newtype around a `T`.
pub type Newtype<T> = <<T as Attribute>::Shape as shape::Shape>::Newtype;

/// A type that `#[entity(serde)]` can store.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored through serde",
    label = "`serde` needs `Serialize` and `Deserialize`",
    note = "for a type of your own: `#[derive(serde::Serialize, serde::Deserialize)]` on it",
    note = "for one of another crate: see whether it has a feature `serde`, or write `with = module`"
)]
pub trait Serde: Sized {
    /// As the field at `index` of a struct.
    fn put(value: &Self, item: &mut ItemWriter<'_>, index: usize) -> Written;

    /// The reverse of `put`.
    fn get<const N: usize>(fields: &Fields<'_, N>, index: usize) -> Read<Self>;

    /// The same, with a default for a field that is not there.
    fn get_or<const N: usize>(
        fields: &Fields<'_, N>,
        index: usize,
        default: impl FnOnce() -> Self,
    ) -> Read<Self>;

    /// As the value of a condition.
    fn encode(value: &Self, encoder: &mut Encoder) -> Written;
}

#[diagnostic::do_not_recommend]
impl<T: serde::Serialize + serde::de::DeserializeOwned> Serde for T {
    fn put(value: &Self, item: &mut ItemWriter<'_>, index: usize) -> Written {
        item.field_with(index, |encoder| nested_serde::encode(value, encoder))
    }

    fn get<const N: usize>(fields: &Fields<'_, N>, index: usize) -> Read<Self> {
        fields.get_with(index, nested_serde::decode)
    }

    fn get_or<const N: usize>(
        fields: &Fields<'_, N>,
        index: usize,
        default: impl FnOnce() -> Self,
    ) -> Read<Self> {
        fields.get_with_or(index, nested_serde::decode, default)
    }

    fn encode(value: &Self, encoder: &mut Encoder) -> Written {
        nested_serde::encode(value, encoder)
    }
}

/// The key of an index without the `Option` around it.
pub type Base<T> = <T as Attribute>::Base;

// The functions below are what the tables of the derive macros are written in: short, since every word of them is compiled
// once for each entity.

/// What every entity has; the rest is as for one without.
pub const fn entity(name: &'static str, table: &'static str) -> EntityInfo {
    EntityInfo::new(name, table)
}

/// A field whose type is `scalar` as a key.
pub const fn field(name: &'static str, scalar: Option<ScalarType>) -> FieldInfo {
    FieldInfo::new(name, scalar)
}

/// A field that is a key of the table or of an index.
pub const fn key(name: &'static str, scalar: Option<ScalarType>) -> FieldInfo {
    FieldInfo::key(name, scalar)
}

/// A field that is a key of an index, and may be absent.
pub const fn keyed(name: &'static str, key: (Option<ScalarType>, bool)) -> FieldInfo {
    FieldInfo::index_key(name, key)
}

/// A field whose stored type is known to its module alone.
pub const fn opaque(name: &'static str) -> FieldInfo {
    FieldInfo::opaque(name)
}

/// A global index.
pub const fn index(
    name: &'static str,
    partition: &'static [KeySource],
    sort: &'static [KeySource],
) -> IndexInfo {
    IndexInfo { name, local: false, partition, sort, projection: None }
}

/// A local index, with the partition key of its table.
pub const fn local_index(
    name: &'static str,
    partition: &'static [KeySource],
    sort: &'static [KeySource],
) -> IndexInfo {
    IndexInfo { name, local: true, partition, sort, projection: None }
}

/// The field at this position of the table, as a key.
pub const fn at(position: usize) -> KeySource {
    KeySource::Field(position)
}

/// A template, in an attribute of its own.
pub const fn template(attribute: &'static str, segments: &'static [Segment]) -> KeySource {
    KeySource::Template(Template::new(attribute, segments))
}

/// The same, with values that are written as they are.
pub const fn unescaped_template(attribute: &'static str, segments: &'static [Segment]) -> KeySource {
    KeySource::Template(Template::unescaped(attribute, segments))
}

/// The attributes of an item, for the fields of an entity.
#[inline]
pub fn found<'a, E: Entity, const N: usize>(item: &'a Item<'_>) -> Read<Fields<'a, N>> {
    Fields::read(item, E::INFO.fields)
}

/// Makes the constant of a field.
#[doc(hidden)]
#[macro_export]
macro_rules! __field {
    ($field:ident) => {
        $crate::__private::field!($field, ::core::stringify!($field))
    };
    ($field:ident, $name:expr) => {
        $crate::__private::Field::new($name, |entity| &entity.$field, |entity, value| entity.$field = value)
    };
    ($field:ident, $name:expr, $encode:expr) => {
        $crate::__private::Field::opaque(
            $name,
            |entity| &entity.$field,
            |entity, value| entity.$field = value,
            $encode,
        )
    };
}
pub use crate::__field as field;
