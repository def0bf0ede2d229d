//! Typed constants for the fields of structs.

use std::fmt;
use std::marker::PhantomData;

use crate::attribute::Attribute;
use crate::codec::{Encoder, ValueError};
use crate::sealed::Sealed;

/// A field of an entity or of a nested struct. The derive macros make a constant for each field, such as
/// `User::EMAIL`.
///
/// It creates conditions, and gets and sets the field of a value:
///
/// ```
/// # use dynorm::prelude::*;
/// # #[derive(Entity, Clone, Debug, Default)]
/// # struct User { #[entity(id)] id: Id<User>, email: String, age: u32 }
/// let condition = User::AGE.ge(18) & User::EMAIL.begins_with("ada@");
///
/// let mut user = User::default();
/// User::AGE.set(&mut user, 36);
/// assert_eq!(User::AGE.get(&user), &36);
/// assert_eq!(User::AGE.name(), "age");
/// ```
///
/// It is [`Copy`]. The last type parameter is the kind of the field; fields of the key cannot be changed.
pub struct Field<E, T, K = Plain> {
    name: &'static str,
    get: fn(&E) -> &T,
    set: fn(&mut E, T),
    /// How the values are written, for fields stored through `serde` or `with`.
    encode: Option<Encode<T>>,
    kind: PhantomData<fn() -> K>,
}

pub(crate) type Encode<T> = fn(&T, &mut Encoder) -> Result<(), ValueError>;

/// The kind of ordinary fields, which can be changed.
#[derive(Debug)]
pub enum Plain {}

/// The kind of the fields that are part of the table's key.
#[derive(Debug)]
pub enum Key {}

/// The kind of the fields that are stored through `serde` or `with`. Their stored type is not known, so they
/// have only the operators `eq`, `ne`, `exists` and `not_exists`.
#[derive(Debug)]
pub enum Opaque {}

/// The kinds of fields that are stored by the [`Attribute`] implementation of their type.
///
/// ```
/// # use dynorm::prelude::*;
/// use dynorm::condition::{Field, TypedKind};
/// use dynorm::Condition;
/// # #[derive(Entity, Clone, Debug)]
/// # struct Reading { #[entity(partition)] sensor: u32, #[entity(sort)] number: u32, value: u32 }
///
/// // Accepts fields of the key and others.
/// fn is_large<E, K: TypedKind>(field: Field<E, u32, K>) -> Condition<E> {
///     field.ge(1_000) & field.ne(u32::MAX)
/// }
/// let condition = is_large(Reading::NUMBER) & is_large(Reading::VALUE);
/// ```
#[diagnostic::on_unimplemented(
    message = "a field that is stored through `serde` or `with` has only `eq`, `ne`, `exists` and \
               `not_exists`",
    label = "how it is stored is known to its module alone"
)]
pub trait TypedKind: Sealed {}

impl Sealed for Plain {}
impl Sealed for Key {}
impl Sealed for Opaque {}
impl Sealed for Entry {}
impl<E, T, K> Sealed for Field<E, T, K> {}

#[diagnostic::do_not_recommend]
impl TypedKind for Plain {}
#[diagnostic::do_not_recommend]
impl TypedKind for Key {}

/// The type of a field of the kind `K`, if the field is stored by that type's [`Attribute`] implementation.
///
/// The operators get the type through this trait. So the compile error for an operator on another field names
/// the operators that the field has, rather than a trait that its type lacks.
#[diagnostic::on_unimplemented(
    message = "a field that is stored through `serde` or `with` has only `eq`, `ne`, `exists` and \
               `not_exists`",
    label = "how it is stored is known to its module alone"
)]
pub trait TypedAttribute<K> {
    /// The type itself.
    type Type;
}

#[diagnostic::do_not_recommend]
impl<T: Attribute, K: TypedKind> TypedAttribute<K> for T {
    type Type = T;
}

/// The kind of a path to an element of a list or an entry of a map, which can be removed.
#[derive(Debug)]
pub enum Entry {}

impl TypedKind for Entry {}

/// The kinds of fields that can be changed.
#[diagnostic::on_unimplemented(
    message = "a field of the key cannot be changed",
    label = "the key says which item it is",
    note = "save the entity under its new key, and delete the one with the old key"
)]
pub trait ChangeableKind: Sealed {}

#[diagnostic::do_not_recommend]
impl ChangeableKind for Plain {}
#[diagnostic::do_not_recommend]
impl ChangeableKind for Opaque {}

impl<E, T, K> Field<E, T, K> {
    #[doc(hidden)]
    #[must_use]
    pub const fn new(name: &'static str, get: fn(&E) -> &T, set: fn(&mut E, T)) -> Self {
        Self { name, get, set, encode: None, kind: PhantomData }
    }

    /// Returns the name of the attribute that the field is stored in.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// How the values are written, for fields stored through `serde` or `with`.
    pub(crate) fn encoding(self) -> Option<Encode<T>> {
        self.encode
    }

    /// Returns the value of the field in `entity`.
    #[must_use]
    pub fn get(self, entity: &E) -> &T {
        (self.get)(entity)
    }

    /// Sets the field in `entity`. Nothing is sent.
    pub fn set(self, entity: &mut E, value: T) {
        (self.set)(entity, value);
    }
}

impl<E, T> Field<E, T, Opaque> {
    #[doc(hidden)]
    #[must_use]
    pub const fn opaque(
        name: &'static str,
        get: fn(&E) -> &T,
        set: fn(&mut E, T),
        encode: Encode<T>,
    ) -> Self {
        Self { name, get, set, encode: Some(encode), kind: PhantomData }
    }
}

/// Writes the value of a field that is stored through `serde` or `with`.
pub(crate) fn encode_opaque<T>(encode: Option<Encode<T>>, value: &T) -> Result<Vec<u8>, ValueError> {
    let encode = encode.ok_or_else(|| ValueError::new("it is not known how this field is stored"))?;
    let mut encoder = Encoder::default();
    encode(value, &mut encoder)?;
    Ok(encoder.into_bytes())
}

// Implemented by hand, since a derive would require the same of the parameters.
impl<E, T, K> Clone for Field<E, T, K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<E, T, K> Copy for Field<E, T, K> {}

impl<E, T, K> fmt::Debug for Field<E, T, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Field({})", self.name)
    }
}
