//! A condition on the items of one entity, and what its operators take.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{BitAnd, BitOr, Not};

use super::node::{Node, Term};
use crate::attribute::Attribute;
use crate::field::{Field, TypedKind};

/// A condition on the attributes of an `E`, made by the operators of its fields and joined by `&`, `|` and
/// `!`.
///
/// Not by `&&` and `||`, and not made by `==` and `<`: Rust keeps those for values at hand, whose result is a
/// `bool`. A field of truth values is compared as any other: `User::ACTIVE.eq(true)`.
///
/// ```
/// # use dynorm::prelude::*;
/// # #[derive(Entity, Clone, Debug)]
/// # struct User { #[entity(id)] id: Id<User>, age: u32, name: String }
/// let adults_without_a_name = User::AGE.ge(18) & !User::NAME.exists();
/// ```
///
/// DynamoDB takes 300 operators in an [expression]: comparisons, functions, and the words between them. A
/// condition with more, or one that is nested deeper than that, is an
/// [`Error::Invalid`](crate::Error::Invalid) of the operation that it is given to.
///
/// [expression]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
pub struct Condition<E> {
    pub(crate) node: Node,
    of: PhantomData<fn() -> E>,
}

impl<E> Condition<E> {
    pub(crate) fn new(node: Node) -> Self {
        Self { node, of: PhantomData }
    }
}

impl<E> Clone for Condition<E> {
    fn clone(&self) -> Self {
        Self::new(self.node.clone())
    }
}

impl<E> fmt::Debug for Condition<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.node.fmt(f)
    }
}

impl<E> BitAnd for Condition<E> {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self::new(self.node.and(other.node))
    }
}

impl<E> BitOr for Condition<E> {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self::new(self.node.or(other.node))
    }
}

impl<E> Not for Condition<E> {
    type Output = Self;

    fn not(self) -> Self {
        Self::new(self.node.negated())
    }
}

/// What a field of the type `T` of an `E` can be compared with: a `T` by value or by reference, `&str` for
/// text, `&[u8]` for bytes, or another field of `E` of that type, or a place in one.
///
/// A type of your own is one if it hands on what it holds:
///
/// ```
/// use dynorm::condition::{Comparand, Operand};
/// # use dynorm::prelude::*;
/// # #[derive(Entity, Clone, Debug)]
/// # struct User { #[entity(id)] id: Id<User>, email: String }
///
/// struct Email(String);
///
/// impl<E> Operand<String, E> for Email {
///     fn into_comparand(self) -> Comparand<String> {
///         Operand::<String, E>::into_comparand(self.0)
///     }
/// }
/// let condition = User::EMAIL.eq(Email("ada@example.com".into()));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{T}` cannot be compared with `{Self}`",
    label = "expected `{T}`",
    note = "the value is given by value or by reference, text also as `&str`, or as another field of the entity",
    note = "an `Option` field is compared with what it holds; for absence use `.not_exists()`"
)]
pub trait Operand<T, E> {
    /// The operand as it stands in a condition.
    fn into_comparand(self) -> Comparand<T>;
}

/// The other side of a comparison with a `T`: a value as it is stored, or a place in the item. Made by
/// [`Operand::into_comparand`].
pub struct Comparand<T>(pub(super) Term, PhantomData<fn() -> T>);

impl<T> Comparand<T> {
    pub(super) fn new(term: Term) -> Self {
        Self(term, PhantomData)
    }
}

impl<T> fmt::Debug for Comparand<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Comparand")
    }
}

// One by one and not by a macro, whose source the compiler would show beside the message.

#[diagnostic::do_not_recommend]
impl<T: Attribute, E> Operand<T, E> for T {
    fn into_comparand(self) -> Comparand<T> {
        Comparand::new(Term::encode(&self))
    }
}

#[diagnostic::do_not_recommend]
impl<T: Attribute, E> Operand<T, E> for &T {
    fn into_comparand(self) -> Comparand<T> {
        Comparand::new(Term::encode(self))
    }
}

#[diagnostic::do_not_recommend]
impl<T: Attribute, E> Operand<T, E> for &&T {
    fn into_comparand(self) -> Comparand<T> {
        Comparand::new(Term::encode(*self))
    }
}

#[diagnostic::do_not_recommend]
impl<E> Operand<String, E> for &str {
    fn into_comparand(self) -> Comparand<String> {
        Comparand::new(Term::encode(&self.to_owned()))
    }
}

#[diagnostic::do_not_recommend]
impl<E> Operand<String, E> for &&str {
    fn into_comparand(self) -> Comparand<String> {
        Comparand::new(Term::encode(&(*self).to_owned()))
    }
}

#[diagnostic::do_not_recommend]
impl<E> Operand<Vec<u8>, E> for &[u8] {
    fn into_comparand(self) -> Comparand<Vec<u8>> {
        Comparand::new(Term::encode(&self.to_vec()))
    }
}

#[diagnostic::do_not_recommend]
impl<E, const N: usize> Operand<Vec<u8>, E> for &[u8; N] {
    fn into_comparand(self) -> Comparand<Vec<u8>> {
        Comparand::new(Term::encode(&self.to_vec()))
    }
}

#[diagnostic::do_not_recommend]
impl<E, T: Attribute, F: Attribute<Base = T>, K: TypedKind> Operand<T, E> for Field<E, F, K> {
    fn into_comparand(self) -> Comparand<T> {
        Comparand::new(Term::Path(self.into()))
    }
}

/// What a field of the type `T` of an `E` can be one of: an array, a `Vec` or anything else that iterates, of
/// [operands](Operand).
#[diagnostic::on_unimplemented(
    message = "`is_in` takes a list of `{T}`, and this is `{Self}`",
    label = "expected an array, a `Vec` or an iterator of `{T}`",
    note = "for one value use `.eq(value)`",
    note = "the values are given by value or by reference, text also as `&str`, or as other fields of the entity"
)]
pub trait OperandList<T, E> {
    #[doc(hidden)]
    fn into_terms(self) -> Vec<Term>;
}

#[diagnostic::do_not_recommend]
impl<T, E, I: IntoIterator<Item: Operand<T, E>>> OperandList<T, E> for I {
    fn into_terms(self) -> Vec<Term> {
        self.into_iter().map(|operand| operand.into_comparand().0).collect()
    }
}
