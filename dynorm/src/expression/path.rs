//! Typed document paths inside a field. To add an operator, also change the files that `operators.rs` lists.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::marker::PhantomData;

use super::condition::{Comparand, Condition, Operand, OperandList};
use super::document_path::{DocumentPath, Step};
use super::node::{Comparison, Node, Term};
use super::operators::{ContainerAttribute, OrderedAttribute, PrefixedAttribute, SizedAttribute};
use super::size::Size;
use crate::attribute::{Attribute, shape};
use crate::field::{Encode, Entry, Field, Opaque, Plain, TypedAttribute, TypedKind, encode_opaque};
use crate::sealed::Sealed;

/// A document path inside a field of an `E`, to a value of type `T`: a field of a nested struct, an element
/// of a list, or an entry of a map. Made by [`Field::field`], [`Field::at`] and [`Field::key`]. It has the
/// operators of [`Field`].
///
/// ```
/// # use std::collections::BTreeMap;
/// # use dynorm::prelude::*;
/// # #[derive(Attribute, Clone, Debug)]
/// # struct Address { city: String, lines: Vec<String> }
/// # #[derive(Entity, Clone, Debug)]
/// # struct User { #[entity(id)] id: Id<User>, address: Option<Address>, scores: BTreeMap<String, u32> }
/// let parisians = User::ADDRESS.field(Address::CITY).eq("Paris");
/// let first_line = User::ADDRESS.field(Address::LINES).at(0).begins_with("1 ");
/// let champions = User::SCORES.key("chess").ge(2000);
/// ```
///
/// The last parameter is the kind of the field at the end of the path; see [`Field`].
pub struct Path<E, T, K = Plain> {
    path: DocumentPath,
    /// The encoding of the field at the end of the path, if it is not stored as its type says.
    encode: Option<Encode<T>>,
    of: PhantomData<fn(&E) -> T>,
    kind: PhantomData<fn() -> K>,
}

/// The nested struct that a field of type `T` holds: `T` itself, or the type inside the `Option`.
// Implemented for the struct and not for `T`: then rustc checks the argument first, and reports a mismatch
// once, at the argument.
#[diagnostic::on_unimplemented(
    message = "`{T}` does not have the fields of `{Self}`",
    label = "not a field of `{T}`",
    note = "`.field(…)` takes a field of the nested struct; for a list write `.at(index)` before it, for a \
        map `.key(\"key\")`"
)]
pub trait StructIn<T> {}

#[diagnostic::do_not_recommend]
impl<S, T: Attribute<Base = S, Shape: shape::HasFields>> StructIn<T> for S {}

/// A type that is stored as a list: a `Vec`, or an `Option` of one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no elements with an index",
    label = "`{Self}` is not a list",
    note = "`.at(index)` needs a list; for a set use `.contains(value)`"
)]
pub trait ListAttribute: Attribute {
    /// The type of the elements.
    type Element: Attribute;
}

#[diagnostic::do_not_recommend]
impl<T: Attribute<Shape: shape::HasElements<Element: Attribute>>> ListAttribute for T {
    type Element = <T::Shape as shape::HasElements>::Element;
}

/// A type that is stored as a map with string keys, or an `Option` of one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no entries with a key",
    label = "`{Self}` is not a map",
    note = "`.key(\"key\")` needs a map such as `BTreeMap<String, u32>`; for a nested struct use `.field(…)`"
)]
pub trait MapAttribute: Attribute {
    /// The type of the entries.
    type Entry: Attribute;
}

#[diagnostic::do_not_recommend]
impl<T: Attribute<Shape: shape::HasEntries<Entry: Attribute>>> MapAttribute for T {
    type Entry = <T::Shape as shape::HasEntries>::Entry;
}

// The bounds are on the methods for better error messages, as in `operators.rs`.
impl<E, T, K> Field<E, T, K> {
    fn path(self) -> Path<E, T, K> {
        Path::new(self.into(), self.encoding())
    }

    /// The path of a field of the nested struct in this field.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Attribute, Clone, Debug)] struct Address { city: String }
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct User { #[entity(id)] id: Id<User>, address: Option<Address> }
    /// let condition = User::ADDRESS.field(Address::CITY).eq("Paris");
    /// ```
    #[must_use]
    pub fn field<V, S, F, L>(self, field: Field<S, F, L>) -> Path<E, F, L>
    where
        T: TypedAttribute<K, Type = V>,
        S: StructIn<V>,
    {
        self.path().field(field)
    }

    /// The path of an element of the list in this field, by its index from 0.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct User { #[entity(id)] id: Id<User>, scores: Vec<u32> }
    /// let condition = User::SCORES.at(0).gt(10);
    /// ```
    #[must_use]
    pub fn at<V, U>(self, index: usize) -> Path<E, U, Entry>
    where
        T: TypedAttribute<K, Type = V>,
        V: ListAttribute<Element = U>,
    {
        self.path().at(index)
    }

    /// The path of an entry of the map in this field.
    ///
    /// ```
    /// # use std::collections::BTreeMap;
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct User { #[entity(id)] id: Id<User>, scores: BTreeMap<String, u32> }
    /// let condition = User::SCORES.key("chess").gt(2000);
    /// ```
    #[must_use]
    pub fn key<V, U>(self, key: impl Into<String>) -> Path<E, U, Entry>
    where
        T: TypedAttribute<K, Type = V>,
        V: MapAttribute<Entry = U>,
    {
        self.path().key(key)
    }
}

impl<E, T, K> Path<E, T, K> {
    fn new(path: DocumentPath, encode: Option<Encode<T>>) -> Self {
        Self { path, encode, of: PhantomData, kind: PhantomData }
    }

    pub(crate) fn encoding(&self) -> Option<Encode<T>> {
        self.encode
    }

    /// Returns the path without its types.
    pub(crate) fn untyped(self) -> DocumentPath {
        self.path
    }

    fn compare(self, operator: Comparison, right: Term) -> Condition<E> {
        Condition::new(Term::Path(self.path).compare(operator, right))
    }

    /// See [`Field::exists`].
    #[must_use]
    pub fn exists(self) -> Condition<E> {
        Condition::new(Node::exists(self.path))
    }

    /// See [`Field::not_exists`].
    #[must_use]
    pub fn not_exists(self) -> Condition<E> {
        Condition::new(Node::absent(self.path))
    }

    /// See [`Field::field`].
    #[must_use]
    pub fn field<V, S, F, L>(self, field: Field<S, F, L>) -> Path<E, F, L>
    where
        T: TypedAttribute<K, Type = V>,
        S: StructIn<V>,
    {
        Path::new(self.path.step(Step::Member(field.name().into())), field.encoding())
    }

    /// See [`Field::at`].
    #[must_use]
    pub fn at<V, U>(self, index: usize) -> Path<E, U, Entry>
    where
        T: TypedAttribute<K, Type = V>,
        V: ListAttribute<Element = U>,
    {
        Path::new(self.path.step(Step::Element(index)), None)
    }

    /// See [`Field::key`].
    #[must_use]
    pub fn key<V, U>(self, key: impl Into<String>) -> Path<E, U, Entry>
    where
        T: TypedAttribute<K, Type = V>,
        V: MapAttribute<Entry = U>,
    {
        Path::new(self.path.step(Step::Member(Cow::Owned(key.into()))), None)
    }

    /// See [`Field::lt`].
    #[must_use]
    pub fn lt<V, O>(self, operand: impl Operand<O, E>) -> Condition<E>
    where
        T: TypedAttribute<K, Type = V>,
        V: OrderedAttribute<Operand = O>,
    {
        self.compare(Comparison::Less, operand.into_comparand().0)
    }

    /// See [`Field::le`].
    #[must_use]
    pub fn le<V, O>(self, operand: impl Operand<O, E>) -> Condition<E>
    where
        T: TypedAttribute<K, Type = V>,
        V: OrderedAttribute<Operand = O>,
    {
        self.compare(Comparison::LessOrEqual, operand.into_comparand().0)
    }

    /// See [`Field::gt`].
    #[must_use]
    pub fn gt<V, O>(self, operand: impl Operand<O, E>) -> Condition<E>
    where
        T: TypedAttribute<K, Type = V>,
        V: OrderedAttribute<Operand = O>,
    {
        self.compare(Comparison::Greater, operand.into_comparand().0)
    }

    /// See [`Field::ge`].
    #[must_use]
    pub fn ge<V, O>(self, operand: impl Operand<O, E>) -> Condition<E>
    where
        T: TypedAttribute<K, Type = V>,
        V: OrderedAttribute<Operand = O>,
    {
        self.compare(Comparison::GreaterOrEqual, operand.into_comparand().0)
    }

    /// See [`Field::between`].
    #[must_use]
    pub fn between<V, O>(self, low: impl Operand<O, E>, high: impl Operand<O, E>) -> Condition<E>
    where
        T: TypedAttribute<K, Type = V>,
        V: OrderedAttribute<Operand = O>,
    {
        Condition::new(Term::Path(self.path).between(low.into_comparand().0, high.into_comparand().0))
    }

    /// See [`Field::is_in`].
    #[must_use]
    pub fn is_in<V: Attribute>(self, operands: impl OperandList<V::Base, E>) -> Condition<E>
    where
        T: TypedAttribute<K, Type = V>,
    {
        Condition::new(Term::Path(self.path).one_of(operands.into_terms()))
    }

    /// See [`Field::begins_with`].
    #[must_use]
    pub fn begins_with<V, O>(self, operand: impl Operand<O, E>) -> Condition<E>
    where
        T: TypedAttribute<K, Type = V>,
        V: PrefixedAttribute<Prefix = O>,
    {
        Condition::new(Term::Path(self.path).begins_with(operand.into_comparand().0))
    }

    /// See [`Field::contains`].
    #[must_use]
    pub fn contains<V, O>(self, operand: impl Operand<O, E>) -> Condition<E>
    where
        T: TypedAttribute<K, Type = V>,
        V: ContainerAttribute<Contained = O>,
    {
        Condition::new(Term::Path(self.path).contains(operand.into_comparand().0))
    }

    /// See [`Field::size`].
    #[must_use]
    pub fn size<V>(self) -> Size<E>
    where
        T: TypedAttribute<K, Type = V>,
        V: SizedAttribute,
    {
        Size::new(self.path)
    }
}

impl<E, T: Attribute, K: TypedKind> Path<E, T, K> {
    /// See [`Field::eq`].
    #[must_use]
    pub fn eq(self, operand: impl Operand<T::Base, E>) -> Condition<E> {
        self.compare(Comparison::Equal, operand.into_comparand().0)
    }

    /// See [`Field::ne`].
    #[must_use]
    pub fn ne(self, operand: impl Operand<T::Base, E>) -> Condition<E> {
        self.compare(Comparison::NotEqual, operand.into_comparand().0)
    }
}

/// Fields of nested structs that are stored by `serde` or `with`.
impl<E, T> Path<E, T, Opaque> {
    /// True if the field is equal to the value in its stored form.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(serde::Serialize, serde::Deserialize, Clone, Debug, Default, PartialEq)]
    /// # struct Theme { dark: bool }
    /// # #[derive(Attribute, Clone, Debug)] struct Settings { #[attribute(serde)] theme: Theme }
    /// # #[derive(Entity, Clone, Debug)] struct User { #[entity(id)] id: Id<User>, settings: Settings }
    /// let condition = User::SETTINGS.field(Settings::THEME).eq(Theme { dark: true });
    /// ```
    #[must_use]
    pub fn eq(self, value: impl Borrow<T>) -> Condition<E> {
        let value = self.value(value.borrow());
        self.compare(Comparison::Equal, value)
    }

    /// True if the field is different from the value in its stored form, or absent.
    #[must_use]
    pub fn ne(self, value: impl Borrow<T>) -> Condition<E> {
        let value = self.value(value.borrow());
        self.compare(Comparison::NotEqual, value)
    }

    fn value(&self, value: &T) -> Term {
        encode_opaque(self.encode, value).map_or_else(
            |error| Term::Refused(error.discreet().in_field(format!("{:?}", self.path))),
            Term::Value,
        )
    }
}

#[diagnostic::do_not_recommend]
impl<E, T: Attribute, F: Attribute<Base = T>, K: TypedKind> Operand<T, E> for Path<E, F, K> {
    fn into_comparand(self) -> Comparand<T> {
        Comparand::new(Term::Path(self.untyped()))
    }
}

impl<E, T, K> Sealed for Path<E, T, K> {}

impl<E, T, K> Clone for Path<E, T, K> {
    fn clone(&self) -> Self {
        Self::new(self.path.clone(), self.encode)
    }
}

impl<E, T, K> fmt::Debug for Path<E, T, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Path({:?})", self.path)
    }
}
