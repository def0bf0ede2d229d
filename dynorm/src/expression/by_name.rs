//! Conditions for code that learns the names of fields at run time. The operators are those of
//! `operators.rs`, which says how to add one.

use super::condition::Condition;
use super::document_path::DocumentPath;
use super::node::{Comparison, Node, Term};
use super::size::Size;
use crate::attribute::Attribute;

/// A field by the name of its attribute, for code that learns it at run time, such as that of a search form.
///
/// A name that the entity does not have is an error of the query, which lists those that it has. So is a
/// value of another type than the field is stored as, where that is text, a number or bytes; in other fields,
/// such as lists and maps, it matches nothing.
///
/// ```
/// # use dynorm::prelude::*;
/// # #[derive(Entity, Clone, Debug, Default)]
/// # struct User { #[entity(id)] id: Id<User>, #[entity(index = "by_status")] status: String, age: u32 }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> dynorm::Result<()> {
/// # let db = Database::memory()?;
/// # db.create_table::<User>().await?;
/// # db.install();
/// let active = UserRepo::filter(dynorm::field("status").eq("active") & dynorm::field("age").ge(18)).get_all().await?;
/// # assert!(active.is_empty());
/// let error = UserRepo::filter(dynorm::field("stauts").eq("active")).get_all().await.unwrap_err();
/// assert!(error.to_string().ends_with("`User` has no field that is stored as `stauts`; it has `id`, `status`, `age`"));
/// let error = UserRepo::filter(dynorm::field("status").eq("active") & dynorm::field("age").ge("18")).get_all().await.unwrap_err();
/// assert!(error.to_string().ends_with("`age` is stored as a number, so a condition on it takes a number, and not a string"));
/// # Ok(())
/// # }
/// ```
pub fn field(name: impl Into<String>) -> FieldByName {
    FieldByName { name: name.into() }
}

/// A field by its name; made by [`field`](crate::field()). Its operators are those of
/// [`Field`](crate::condition::Field), for values of any type.
#[derive(Clone, Debug)]
pub struct FieldByName {
    name: String,
}

/// A value of any type that can be stored, by value or by reference.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no value that an attribute could have",
    label = "expected a type that implements `dynorm::Attribute`, or `&str`"
)]
pub trait IntoValue {
    #[doc(hidden)]
    fn into_value(self) -> Term;
}

#[diagnostic::do_not_recommend]
impl<T: Attribute> IntoValue for T {
    fn into_value(self) -> Term {
        Term::encode(&self)
    }
}

#[diagnostic::do_not_recommend]
impl IntoValue for &str {
    fn into_value(self) -> Term {
        Term::encode(&self.to_owned())
    }
}

impl FieldByName {
    fn path(self) -> DocumentPath {
        DocumentPath::by_name(self.name)
    }

    fn term(self) -> Term {
        Term::Path(self.path())
    }

    fn compare<E>(self, operator: Comparison, value: impl IntoValue) -> Condition<E> {
        Condition::new(self.term().compare(operator, value.into_value()))
    }

    /// Equal to the value.
    #[must_use]
    pub fn eq<E>(self, value: impl IntoValue) -> Condition<E> {
        self.compare(Comparison::Equal, value)
    }

    /// Different from the value; true for an item without the attribute, too.
    #[must_use]
    pub fn ne<E>(self, value: impl IntoValue) -> Condition<E> {
        self.compare(Comparison::NotEqual, value)
    }

    /// Less than the value.
    #[must_use]
    pub fn lt<E>(self, value: impl IntoValue) -> Condition<E> {
        self.compare(Comparison::Less, value)
    }

    /// Less than or equal to the value.
    #[must_use]
    pub fn le<E>(self, value: impl IntoValue) -> Condition<E> {
        self.compare(Comparison::LessOrEqual, value)
    }

    /// Greater than the value.
    #[must_use]
    pub fn gt<E>(self, value: impl IntoValue) -> Condition<E> {
        self.compare(Comparison::Greater, value)
    }

    /// Greater than or equal to the value.
    #[must_use]
    pub fn ge<E>(self, value: impl IntoValue) -> Condition<E> {
        self.compare(Comparison::GreaterOrEqual, value)
    }

    /// From `low` to `high`, both included.
    #[must_use]
    pub fn between<E>(self, low: impl IntoValue, high: impl IntoValue) -> Condition<E> {
        Condition::new(self.term().between(low.into_value(), high.into_value()))
    }

    /// Equal to one of the values.
    #[must_use]
    pub fn is_in<E, V: IntoValue>(self, values: impl IntoIterator<Item = V>) -> Condition<E> {
        Condition::new(self.term().is_in(values.into_iter().map(IntoValue::into_value).collect()))
    }

    /// Begins with the value.
    #[must_use]
    pub fn begins_with<E>(self, value: impl IntoValue) -> Condition<E> {
        Condition::new(self.term().begins_with(value.into_value()))
    }

    /// Contains the value: a text a part of it, a list or a set an element.
    #[must_use]
    pub fn contains<E>(self, value: impl IntoValue) -> Condition<E> {
        Condition::new(self.term().contains(value.into_value()))
    }

    /// True for items that have this attribute.
    #[must_use]
    pub fn exists<E>(self) -> Condition<E> {
        Condition::new(Node::exists(self.path()))
    }

    /// True for items that do not have this attribute.
    #[must_use]
    pub fn not_exists<E>(self) -> Condition<E> {
        Condition::new(Node::absent(self.path()))
    }

    /// The size of the field, to compare with a number.
    #[must_use]
    pub fn size<E>(self) -> Size<E> {
        Size::new(self.path())
    }
}
