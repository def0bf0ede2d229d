//! Places inside an item: an attribute, or something in it.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use super::Expression;
use super::condition::{Condition, Operand, Term};
use super::operators::{ContainerAttribute, OrderedAttribute, PrefixedAttribute, Size, SizedAttribute};
use crate::attribute::{Attribute, shape};
use crate::field::{Field, TypedKind};

/// A place inside a field of an `E`, where a `T` lies: a field of a nested struct, an element of a list, an entry of a map.
/// It has the operators of [`Field`], which makes it by [`field`](Field::field), [`at`](Field::at) and [`key`](Field::key).
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
/// The last parameter tells what can be taken out of its surroundings, an element or an entry, from the field of a struct.
pub struct Path<E, T, S = Member> {
    path: DocumentPath,
    of: PhantomData<fn(&E, S) -> T>,
}

/// The kind of the places that are a field of a nested struct.
#[derive(Debug)]
pub enum Member {}

/// The kind of the places that are an element of a list or an entry of a map.
#[derive(Debug)]
pub enum Entry {}

/// The kinds of places inside a field.
pub trait PathKind: 'static {
    #[doc(hidden)]
    const IS_ENTRY: bool;
}

impl PathKind for Member {
    const IS_ENTRY: bool = false;
}

impl PathKind for Entry {
    const IS_ENTRY: bool = true;
}

/// A path without its types.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct DocumentPath {
    pub(crate) attribute: Cow<'static, str>,
    pub(crate) steps: Vec<Step>,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Member(Cow<'static, str>),
    Element(usize),
}

impl DocumentPath {
    pub(crate) fn of(attribute: impl Into<Cow<'static, str>>) -> Self {
        Self { attribute: attribute.into(), steps: Vec::new() }
    }

    /// True if it is this attribute as a whole.
    pub(crate) fn is_attribute(&self, name: &str) -> bool {
        self.steps.is_empty() && self.attribute == name
    }

    /// True if its name was not known at compile time.
    pub(crate) fn is_by_name(&self) -> bool {
        matches!(self.attribute, Cow::Owned(_))
    }

    /// How deep in the item it lies.
    pub(crate) fn depth(&self) -> usize {
        self.steps.len()
    }

    /// True if `other` is this place, or lies within it.
    pub(crate) fn holds(&self, other: &Self) -> bool {
        self.attribute == other.attribute && other.steps.starts_with(&self.steps)
    }

    fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// Its text, of placeholders.
    pub(crate) fn render(&self, expression: &mut Expression) -> String {
        let mut text = expression.name(&self.attribute);
        for step in &self.steps {
            match step {
                Step::Member(name) => {
                    text.push('.');
                    text.push_str(&expression.name(name));
                }
                Step::Element(index) => text.push_str(&format!("[{index}]")),
            }
        }
        text
    }
}

/// `address.lines[0]`
impl fmt::Debug for DocumentPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.attribute)?;
        for step in &self.steps {
            match step {
                Step::Member(name) => write!(f, ".{name}")?,
                Step::Element(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

impl<E, T, K> From<Field<E, T, K>> for DocumentPath {
    fn from(field: Field<E, T, K>) -> Self {
        Self::of(field.name())
    }
}

/// A type with fields of its own, stored as a map: a nested struct, or an `Option` of one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no fields that a condition could name",
    label = "not a nested struct",
    note = "`.field(…)` needs a struct with `#[derive(Attribute)]`; for a list use `.at(index)`, for a map `.key(\"key\")`"
)]
pub trait StructAttribute: Attribute {}

#[diagnostic::do_not_recommend]
impl<T: Attribute<Shape: shape::HasFields>> StructAttribute for T {}

/// A type with elements in an order: a `Vec`, or an `Option` of one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no elements that a condition could number",
    label = "not a list",
    note = "`.at(index)` needs a list; for a set use `.contains(value)`"
)]
pub trait ListAttribute: Attribute {
    /// What it holds.
    type Element: Attribute;
}

#[diagnostic::do_not_recommend]
impl<T: Attribute<Shape: shape::HasElements<Element: Attribute>>> ListAttribute for T {
    type Element = <T::Shape as shape::HasElements>::Element;
}

/// A map with text as keys, or an `Option` of one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no entries that a condition could name",
    label = "not a map",
    note = "`.key(\"key\")` needs a map such as `BTreeMap<String, u32>`; for a nested struct use `.field(…)`"
)]
pub trait MapAttribute: Attribute {
    /// What its entries hold.
    type Entry: Attribute;
}

#[diagnostic::do_not_recommend]
impl<T: Attribute<Shape: shape::HasEntries<Entry: Attribute>>> MapAttribute for T {
    type Entry = <T::Shape as shape::HasEntries>::Entry;
}

impl<E, T, K> Field<E, T, K> {
    fn path(self) -> Path<E, T> {
        Path::new(self.into())
    }
}

impl<E, T: Attribute, K: TypedKind> Field<E, T, K> {
    /// A field of the nested struct that this field holds.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Attribute, Clone, Debug)] struct Address { city: String }
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct User { #[entity(id)] id: Id<User>, address: Option<Address> }
    /// let condition = User::ADDRESS.field(Address::CITY).eq("Paris");
    /// ```
    #[must_use]
    pub fn field<F, L>(self, field: Field<T::Base, F, L>) -> Path<E, F>
    where
        T: StructAttribute,
    {
        self.path().field(field)
    }

    /// An element of the list that this field holds, by its position from 0.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct User { #[entity(id)] id: Id<User>, scores: Vec<u32> }
    /// let condition = User::SCORES.at(0).gt(10);
    /// ```
    #[must_use]
    pub fn at(self, index: usize) -> Path<E, T::Element, Entry>
    where
        T: ListAttribute,
    {
        self.path().at(index)
    }

    /// An entry of the map that this field holds.
    ///
    /// ```
    /// # use std::collections::BTreeMap;
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct User { #[entity(id)] id: Id<User>, scores: BTreeMap<String, u32> }
    /// let condition = User::SCORES.key("chess").gt(2000);
    /// ```
    #[must_use]
    pub fn key(self, key: impl Into<String>) -> Path<E, T::Entry, Entry>
    where
        T: MapAttribute,
    {
        self.path().key(key)
    }
}

impl<E, T, S> Path<E, T, S> {
    pub(crate) fn new(path: DocumentPath) -> Self {
        Self { path, of: PhantomData }
    }

    /// The path without its types.
    pub(crate) fn untyped(self) -> DocumentPath {
        self.path
    }

    fn compare(self, operator: &'static str, right: Term) -> Condition<E> {
        Condition::compare(Term::Path(self.path), operator, right)
    }

    /// See [`Field::exists`].
    #[must_use]
    pub fn exists(self) -> Condition<E> {
        Condition::function("attribute_exists", vec![Term::Path(self.path)])
    }

    /// See [`Field::not_exists`].
    #[must_use]
    pub fn not_exists(self) -> Condition<E> {
        Condition::function("attribute_not_exists", vec![Term::Path(self.path)])
    }
}

impl<E, T: Attribute, S> Path<E, T, S> {
    /// See [`Field::field`].
    #[must_use]
    pub fn field<F, L>(self, field: Field<T::Base, F, L>) -> Path<E, F>
    where
        T: StructAttribute,
    {
        Path::new(self.path.step(Step::Member(field.name().into())))
    }

    /// See [`Field::at`].
    #[must_use]
    pub fn at(self, index: usize) -> Path<E, T::Element, Entry>
    where
        T: ListAttribute,
    {
        Path::new(self.path.step(Step::Element(index)))
    }

    /// See [`Field::key`].
    #[must_use]
    pub fn key(self, key: impl Into<String>) -> Path<E, T::Entry, Entry>
    where
        T: MapAttribute,
    {
        Path::new(self.path.step(Step::Member(Cow::Owned(key.into()))))
    }

    /// See [`Field::eq`].
    #[must_use]
    pub fn eq(self, operand: impl Operand<T::Base, E>) -> Condition<E> {
        self.compare("=", operand.into_term())
    }

    /// See [`Field::ne`].
    #[must_use]
    pub fn ne(self, operand: impl Operand<T::Base, E>) -> Condition<E> {
        self.compare("<>", operand.into_term())
    }

    /// See [`Field::lt`].
    #[must_use]
    pub fn lt(self, operand: impl Operand<T::Base, E>) -> Condition<E>
    where
        T: OrderedAttribute,
    {
        self.compare("<", operand.into_term())
    }

    /// See [`Field::le`].
    #[must_use]
    pub fn le(self, operand: impl Operand<T::Base, E>) -> Condition<E>
    where
        T: OrderedAttribute,
    {
        self.compare("<=", operand.into_term())
    }

    /// See [`Field::gt`].
    #[must_use]
    pub fn gt(self, operand: impl Operand<T::Base, E>) -> Condition<E>
    where
        T: OrderedAttribute,
    {
        self.compare(">", operand.into_term())
    }

    /// See [`Field::ge`].
    #[must_use]
    pub fn ge(self, operand: impl Operand<T::Base, E>) -> Condition<E>
    where
        T: OrderedAttribute,
    {
        self.compare(">=", operand.into_term())
    }

    /// See [`Field::between`].
    #[must_use]
    pub fn between(self, low: impl Operand<T::Base, E>, high: impl Operand<T::Base, E>) -> Condition<E>
    where
        T: OrderedAttribute,
    {
        Condition::between(Term::Path(self.path), low.into_term(), high.into_term())
    }

    /// See [`Field::is_in`].
    #[must_use]
    pub fn is_in<O: Operand<T::Base, E>>(self, operands: impl IntoIterator<Item = O>) -> Condition<E> {
        Condition::is_in(Term::Path(self.path), operands.into_iter().map(Operand::into_term).collect())
    }

    /// See [`Field::begins_with`].
    #[must_use]
    pub fn begins_with(self, operand: impl Operand<T::Base, E>) -> Condition<E>
    where
        T: PrefixedAttribute,
    {
        Condition::function("begins_with", vec![Term::Path(self.path), operand.into_term()])
    }

    /// See [`Field::contains`].
    #[must_use]
    pub fn contains(self, operand: impl Operand<T::Contained, E>) -> Condition<E>
    where
        T: ContainerAttribute,
    {
        Condition::function("contains", vec![Term::Path(self.path), operand.into_term()])
    }

    /// See [`Field::size`].
    #[must_use]
    pub fn size(self) -> Size<E>
    where
        T: SizedAttribute,
    {
        Size::new(self.path)
    }
}

impl<E, T, S> Clone for Path<E, T, S> {
    fn clone(&self) -> Self {
        Self::new(self.path.clone())
    }
}

impl<E, T, S> fmt::Debug for Path<E, T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Path({:?})", self.path)
    }
}
