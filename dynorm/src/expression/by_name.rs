//! Conditions on fields whose names are known only at run time. To add an operator, also change the files
//! that `operators.rs` lists.

use super::condition::Condition;
use super::document_path::DocumentPath;
use super::node::{Comparison, Node, Term};
use super::size::Size;
use crate::attribute::Attribute;

/// Returns the field with this attribute name, for code that knows the name only at run time, such as a
/// search form.
///
/// The query fails with an error if the entity has no such attribute; the error lists those that it has. It
/// also fails if the value has another type than a field that is stored as a string, a number or bytes. For
/// other fields, such as lists and maps, such a condition matches nothing.
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
/// use dynorm::field;
///
/// let adults = field("status").eq("active") & field("age").ge(18);
/// let adults = UserRepo::filter(adults).get_all().await?;
/// # assert!(adults.is_empty());
///
/// let misspelled = field("stauts").eq("active");
/// let error = UserRepo::filter(misspelled).get_all().await.unwrap_err();
/// let expected = "`User` has no field that is stored as `stauts`; it has `id`, `status`, `age`";
/// assert!(error.to_string().ends_with(expected));
///
/// let mistyped = field("status").eq("active") & field("age").ge("18");
/// let error = UserRepo::filter(mistyped).get_all().await.unwrap_err();
/// let expected = "`age` is stored as a number, so a condition on it takes a number, not a string";
/// assert!(error.to_string().ends_with(expected));
/// # Ok(())
/// # }
/// ```
pub fn field(name: impl Into<String>) -> FieldByName {
    FieldByName { name: name.into() }
}

/// A field by its attribute name. Made by [`field`](crate::field()). It has the operators of
/// [`Field`](crate::condition::Field), which take values of any type.
#[derive(Clone, Debug)]
pub struct FieldByName {
    name: String,
}

/// A value of any type that can be stored, by value or by reference.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored in an attribute",
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

    /// True if the field is equal to the value.
    #[must_use]
    pub fn eq<E>(self, value: impl IntoValue) -> Condition<E> {
        self.compare(Comparison::Equal, value)
    }

    /// True if the field is different from the value, or absent.
    #[must_use]
    pub fn ne<E>(self, value: impl IntoValue) -> Condition<E> {
        self.compare(Comparison::NotEqual, value)
    }

    /// True if the field is less than the value.
    #[must_use]
    pub fn lt<E>(self, value: impl IntoValue) -> Condition<E> {
        self.compare(Comparison::Less, value)
    }

    /// True if the field is less than or equal to the value.
    #[must_use]
    pub fn le<E>(self, value: impl IntoValue) -> Condition<E> {
        self.compare(Comparison::LessOrEqual, value)
    }

    /// True if the field is greater than the value.
    #[must_use]
    pub fn gt<E>(self, value: impl IntoValue) -> Condition<E> {
        self.compare(Comparison::Greater, value)
    }

    /// True if the field is greater than or equal to the value.
    #[must_use]
    pub fn ge<E>(self, value: impl IntoValue) -> Condition<E> {
        self.compare(Comparison::GreaterOrEqual, value)
    }

    /// True if the field is between `low` and `high`, inclusive.
    #[must_use]
    pub fn between<E>(self, low: impl IntoValue, high: impl IntoValue) -> Condition<E> {
        Condition::new(self.term().between(low.into_value(), high.into_value()))
    }

    /// True if the field is equal to one of the values, at most 100.
    #[must_use]
    pub fn is_in<E, V: IntoValue>(self, values: impl IntoIterator<Item = V>) -> Condition<E> {
        Condition::new(self.term().one_of(values.into_iter().map(IntoValue::into_value).collect()))
    }

    /// True if the field begins with the value.
    #[must_use]
    pub fn begins_with<E>(self, value: impl IntoValue) -> Condition<E> {
        Condition::new(self.term().begins_with(value.into_value()))
    }

    /// True if the field contains the value: a string contains a substring, a list or a set an element.
    #[must_use]
    pub fn contains<E>(self, value: impl IntoValue) -> Condition<E> {
        Condition::new(self.term().contains(value.into_value()))
    }

    /// True if the item has this attribute.
    #[must_use]
    pub fn exists<E>(self) -> Condition<E> {
        Condition::new(Node::exists(self.path()))
    }

    /// True if the item does not have this attribute.
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
