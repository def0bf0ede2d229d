//! The targets and values of changes: the types behind the methods of [`Update`](crate::operation::Update).

use std::collections::HashSet;

use super::arithmetic::Sum;
use super::json::Json;
use super::path::Path;
use super::update::{Action, Change, Source};
use crate::attribute::{Attribute, shape};
use crate::codec::{Encoder, ValueError};
use crate::field::{ChangeableKind, Entry, Field, Key, Opaque, Plain, TypedKind, encode_opaque};
use crate::sealed::Sealed;

/// A target of an update: a field of `E` that is not part of the key, or a path inside one.
#[diagnostic::on_unimplemented(
    message = "an update of `{E}` cannot change `{Self}`",
    label = "expected a field of `{E}`",
    note = "a field is named by its constant, such as `User::EMAIL`, and a path inside it by `.field(…)`, \
        `.at(…)` or `.key(…)`"
)]
pub trait Target<E>: Sealed {
    /// The type of the value; [`Stored`] for a field that is stored by `serde` or `with`.
    type Value;

    #[doc(hidden)]
    fn change(self, action: Action) -> Change;

    /// The encoding of a value that is not stored as its type says.
    #[doc(hidden)]
    fn stored(&self) -> Option<Self::Value>;
}

/// A `T` that is stored by `serde` or `with`.
pub struct Stored<T>(Box<Encode<T>>);

type Encode<T> = dyn Fn(&T) -> Result<Vec<u8>, ValueError>;

impl<T> std::fmt::Debug for Stored<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stored")
    }
}

fn change_of<E, T, K>(field: Field<E, T, K>, action: Action) -> Change {
    Change { path: field.into(), is_entry: false, action }
}

impl<E, T, K: ChangeableKind + TargetKind<E, T>> Target<E> for Field<E, T, K> {
    type Value = K::Value;

    fn change(self, action: Action) -> Change {
        change_of(self, action)
    }

    fn stored(&self) -> Option<K::Value> {
        K::stored(*self)
    }
}

/// The value type of a target, by the kind of the field.
pub trait TargetKind<E, T>: Sealed + Sized {
    /// See [`Target::Value`].
    type Value;

    #[doc(hidden)]
    fn stored(field: Field<E, T, Self>) -> Option<Self::Value>;
}

impl<E, T> TargetKind<E, T> for Plain {
    type Value = T;

    fn stored(_: Field<E, T, Self>) -> Option<T> {
        None
    }
}

/// Key fields implement this too, so that the only error is that keys cannot be changed.
impl<E, T> TargetKind<E, T> for Key {
    type Value = T;

    fn stored(_: Field<E, T, Self>) -> Option<T> {
        None
    }
}

impl<E: 'static, T: 'static> TargetKind<E, T> for Opaque {
    type Value = Stored<T>;

    fn stored(field: Field<E, T, Self>) -> Option<Stored<T>> {
        let encode = field.encoding();
        Some(Stored(Box::new(move |value| encode_opaque(encode, value))))
    }
}

impl<E, T> Target<E> for Path<E, T> {
    type Value = T;

    fn change(self, action: Action) -> Change {
        Change { path: self.untyped(), is_entry: false, action }
    }

    fn stored(&self) -> Option<T> {
        None
    }
}

impl<E, T> Target<E> for Path<E, T, Entry> {
    type Value = T;

    fn change(self, action: Action) -> Change {
        Change { path: self.untyped(), is_entry: true, action }
    }

    fn stored(&self) -> Option<T> {
        None
    }
}

impl<E, T: 'static> Target<E> for Path<E, T, Opaque> {
    type Value = Stored<T>;

    fn change(self, action: Action) -> Change {
        Change { path: self.untyped(), is_entry: false, action }
    }

    fn stored(&self) -> Option<Stored<T>> {
        let encode = self.encoding();
        Some(Stored(Box::new(move |value| encode_opaque(encode, value))))
    }
}

/// A value for a field of type `T`: a `T` by value or by reference, `&str` for strings, the type inside an
/// `Option`, another field of `E` of the same type or a path inside one, or a [`Sum`].
#[diagnostic::on_unimplemented(
    message = "a field of the type `{T}` cannot be set to `{Self}`",
    label = "expected `{T}`",
    note = "the value is given by value or by reference, strings also as `&str`, or as another field of the \
        entity or `User::PRICE.plus(User::TAX)`",
    note = "only an `Option` can be set to `None`"
)]
pub trait Assign<T, E> {
    #[doc(hidden)]
    fn source(self, stored: Option<T>) -> Result<Source, ValueError>;
}

fn encoded<T: Attribute>(value: &T) -> Result<Source, ValueError> {
    if value.is_absent() {
        return Ok(Source::Absent);
    }
    let mut encoder = Encoder::default();
    encoder.value(value)?;
    Ok(Source::Value(Json(encoder.into_bytes())))
}

impl<T> Stored<T> {
    fn encode(this: Option<Self>, value: &T) -> Result<Source, ValueError> {
        let unknown = || ValueError::new("the encoding of this field is not known");
        let json = (this.ok_or_else(unknown)?.0)(value)?;
        Ok(if json == Json::NULL { Source::Absent } else { Source::Value(Json(json)) })
    }
}

macro_rules! assigned {
    ($([$($generics:tt)*] $type:ty, $of:ty => |$value:ident, $stored:ident| $source:expr;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($generics)*> Assign<$of, E> for $type {
            fn source(self, $stored: Option<$of>) -> Result<Source, ValueError> {
                let $value = self;
                $source
            }
        }
    )*};
}

assigned! {
    [T: Attribute, E] T, T => |value, _stored| encoded(&value);
    [T: Attribute, E] &T, T => |value, _stored| encoded(value);
    [T: Attribute, E] T, Option<T> => |value, _stored| encoded(&value);
    [T: Attribute, E] &T, Option<T> => |value, _stored| encoded(value);
    [E] &str, String => |text, _stored| encoded(&text.to_owned());
    [E] &str, Option<String> => |text, _stored| encoded(&text.to_owned());
    [T, E] T, Stored<T> => |value, stored| Stored::encode(stored, &value);
    [T, E] &T, Stored<T> => |value, stored| Stored::encode(stored, value);
    [T: Attribute, F: Attribute<Base = T::Base>, E, K: TypedKind] Field<E, F, K>, T
        => |field, _stored| Ok(Source::Path(field.into()));
    [T: Attribute, F: Attribute<Base = T::Base>, E, K: TypedKind] Path<E, F, K>, T
        => |path, _stored| Ok(Source::Path(path.untyped()));
    [T: Attribute, E] Sum<E, T::Base>, T => |sum, _stored| sum.source;
}

/// A type that is stored as a list: a `Vec`, or an `Option` of one.
#[diagnostic::on_unimplemented(
    message = "`append` and `prepend` need a list, and this field is `{Self}`",
    label = "not a list",
    note = "for a set use `.insert(…)`, for a number `.add(…)`; `Vec<u8>` is stored as bytes, and those can \
        only be set"
)]
pub trait GrowingAttribute: Attribute {
    /// The type of the elements.
    type Element: Attribute;
}

#[diagnostic::do_not_recommend]
impl<T: Attribute<Shape: shape::HasElements<Element: Attribute>>> GrowingAttribute for T {
    type Element = <T::Shape as shape::HasElements>::Element;
}

/// A type that is stored as a set: `BTreeSet`, `HashSet`, or an `Option` of one.
#[diagnostic::on_unimplemented(
    message = "`insert` and `discard` need a set, and this field is `{Self}`",
    label = "not a set",
    note = "for a list use `.append(…)`, for an entry of a map `.set(User::SCORES.key(\"key\"), …)`"
)]
pub trait SetAttribute: Attribute {
    /// The type of the elements.
    type Member: Attribute<Shape: shape::Scalar>;
}

#[diagnostic::do_not_recommend]
impl<T: Attribute<Shape: shape::HasMembers<Member: Attribute<Shape: shape::Scalar>>>> SetAttribute for T {
    type Member = <T::Shape as shape::HasMembers>::Member;
}

/// A target that can be absent, and so can be removed: an `Option`, a set, an element of a list or an entry
/// of a map.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be removed, since every item needs it",
    label = "an item without it could not be read any more",
    note = "an `Option`, a set, an element of a list or an entry of a map can be removed: make the field an \
        `Option`, or set it to another value"
)]
pub trait Removable: Sealed {}

#[diagnostic::do_not_recommend]
impl<E, T: Attribute<Shape: shape::Absentable>, K: ChangeableKind> Removable for Field<E, T, K> {}

/// Key fields implement this too, so that the only error is that keys cannot be changed.
#[diagnostic::do_not_recommend]
impl<E, T> Removable for Field<E, T, Key> {}

#[diagnostic::do_not_recommend]
impl<E, T: Attribute<Shape: shape::Absentable>> Removable for Path<E, T> {}

#[diagnostic::do_not_recommend]
impl<E, T> Removable for Path<E, T, Entry> {}

/// An element of a list or a set, by value or by reference; strings also as `&str`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an element of this field",
    label = "expected `{T}`",
    note = "elements are given by value or by reference, strings also as `&str`: `.insert(User::TAGS, \
        [\"vip\"])`"
)]
pub trait IntoElement<T> {
    /// Converts into the element type.
    fn into_element(self) -> T;
}

macro_rules! elements {
    ($([$($generics:tt)*] $type:ty, $of:ty => |$value:ident| $element:expr;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($generics)*> IntoElement<$of> for $type {
            fn into_element(self) -> $of {
                let $value = self;
                $element
            }
        }
    )*};
}

elements! {
    [T: Attribute] T, T => |value| value;
    [T: Attribute + Clone] &T, T => |value| value.clone();
    [T: Attribute + Clone] &&T, T => |value| (*value).clone();
    [] &str, String => |text| text.to_owned();
    [] &&str, String => |text| (*text).to_owned();
}

/// Encodes the elements as a list.
pub(crate) fn list_of<T: Attribute>(elements: &[T]) -> Result<Json, ValueError> {
    let mut encoder = Encoder::default();
    encoder.list(elements)?;
    Ok(Json(encoder.into_bytes()))
}

/// Encodes the elements as a set, without duplicates, which DynamoDB refuses; `None` if there are none.
pub(crate) fn set_of<T: Attribute<Shape: shape::Scalar>>(elements: &[T]) -> Result<Option<Json>, ValueError> {
    let mut seen = HashSet::new();
    let mut distinct = Vec::new();
    for (index, element) in elements.iter().enumerate() {
        let mut encoder = Encoder::default();
        encoder.value(element).map_err(|error| error.at_index(index))?;
        if seen.insert(encoder.into_bytes()) {
            distinct.push(element);
        }
    }
    if distinct.is_empty() {
        return Ok(None);
    }
    let mut encoder = Encoder::default();
    encoder.set(distinct)?;
    Ok(Some(Json(encoder.into_bytes())))
}
