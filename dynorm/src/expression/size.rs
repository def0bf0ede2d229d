//! The sizes of fields, to compare with numbers.

use std::fmt;
use std::marker::PhantomData;

use super::condition::Condition;
use super::document_path::DocumentPath;
use super::node::{Comparison, Term};

/// The size of a field: the length of a string in UTF-16 code units, the number of bytes, or the number of
/// elements of a list, a set or a map. Made by [`Field::size`](crate::condition::Field::size).
///
/// ```
/// # use dynorm::prelude::*;
/// # #[derive(Entity, Clone, Debug)]
/// # struct User { #[entity(id)] id: Id<User>, name: String, tags: Vec<String> }
/// let condition = User::TAGS.size().ge(3) & User::NAME.size().between(1, 20);
/// ```
pub struct Size<E> {
    path: DocumentPath,
    of: PhantomData<fn(&E)>,
}

impl<E> Size<E> {
    pub(crate) fn new(path: DocumentPath) -> Self {
        Self { path, of: PhantomData }
    }

    fn compare(self, operator: Comparison, size: usize) -> Condition<E> {
        Condition::new(Term::Size(self.path).compare(operator, Term::encode(&size)))
    }

    /// True if it is equal to `size`.
    #[must_use]
    pub fn eq(self, size: usize) -> Condition<E> {
        self.compare(Comparison::Equal, size)
    }

    /// True if it is different from `size`.
    #[must_use]
    pub fn ne(self, size: usize) -> Condition<E> {
        self.compare(Comparison::NotEqual, size)
    }

    /// True if it is less than `size`.
    #[must_use]
    pub fn lt(self, size: usize) -> Condition<E> {
        self.compare(Comparison::Less, size)
    }

    /// True if it is less than or equal to `size`.
    #[must_use]
    pub fn le(self, size: usize) -> Condition<E> {
        self.compare(Comparison::LessOrEqual, size)
    }

    /// True if it is greater than `size`.
    #[must_use]
    pub fn gt(self, size: usize) -> Condition<E> {
        self.compare(Comparison::Greater, size)
    }

    /// True if it is greater than or equal to `size`.
    #[must_use]
    pub fn ge(self, size: usize) -> Condition<E> {
        self.compare(Comparison::GreaterOrEqual, size)
    }

    /// True if it is between `low` and `high`, inclusive.
    #[must_use]
    pub fn between(self, low: usize, high: usize) -> Condition<E> {
        Condition::new(Term::Size(self.path).between(Term::encode(&low), Term::encode(&high)))
    }
}

impl<E> fmt::Debug for Size<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Size({:?})", self.path)
    }
}
