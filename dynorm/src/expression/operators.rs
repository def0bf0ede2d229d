//! The operators that a field has, each with the bound that its type must meet.
//!
//! To add one, begin with `node.rs`, which says what else there is to change. It stands here with its
//! documentation and an example; `path.rs` has it for places inside of fields, with the same bounds, and
//! `by_name.rs` for names learnt at run time, with none. The three only differ in what the compiler asks for:
//! what an operator means is made by `Term`, once. No macro writes them, since the compiler would show its
//! source beside the message. Each bound has a case in `dynorm-tests/tests/ui/query`.

use std::borrow::Borrow;

use super::condition::{Condition, Operand, OperandList};
use super::node::{Comparison, Node, Term};
use super::size::Size;
use crate::attribute::{Attribute, shape};
use crate::field::{Field, Opaque, TypedAttribute, TypedKind, encode_opaque};

/// A type that DynamoDB can put in order.
#[diagnostic::on_unimplemented(
    message = "fields of the type `{Self}` have no order",
    label = "`lt`, `le`, `gt`, `ge` and `between` need text, numbers or bytes",
    note = "for one of several values use `.eq(value)` or `.is_in([…])`"
)]
pub trait OrderedAttribute: Attribute {
    /// What it is compared with: the type itself, without the `Option` around it.
    // By way of the shape, although `T::Base` would be the same: it is to be unknown for types without an
    // order.
    type Operand;
}

#[diagnostic::do_not_recommend]
impl<T: Attribute<Shape: shape::Ordered>> OrderedAttribute for T {
    type Operand = <T::Shape as shape::Ordered>::Operand<T::Base>;
}

/// A type that has a beginning.
#[diagnostic::on_unimplemented(
    message = "`begins_with` needs a field of text or bytes, and this one is `{Self}`",
    label = "`{Self}` is neither text nor bytes",
    note = "for a number use `.between(low, high)` or `.ge(low)`"
)]
pub trait PrefixedAttribute: Attribute {
    /// What it begins with: text for what is stored as text, bytes for bytes.
    type Prefix;
}

#[diagnostic::do_not_recommend]
impl<T: Attribute<Shape: shape::Prefixed>> PrefixedAttribute for T {
    type Prefix = <T::Shape as shape::Prefixed>::Prefix;
}

/// A type in which something may be contained.
#[diagnostic::on_unimplemented(
    message = "`contains` needs a field of text, a list or a set, and this one is `{Self}`",
    label = "`{Self}` contains nothing",
    note = "for one of several values use `.is_in([…])`; for an entry of a map `.key(\"key\").exists()`"
)]
pub trait ContainerAttribute: Attribute {
    /// What may be contained: text in a text, an element in a list or a set.
    type Contained;
}

#[diagnostic::do_not_recommend]
impl<T: Attribute<Shape: shape::Container>> ContainerAttribute for T {
    type Contained = <T::Shape as shape::Container>::Contained;
}

/// A type whose values have a length.
#[diagnostic::on_unimplemented(
    message = "fields of the type `{Self}` have no size",
    label = "`size` needs text, bytes, a list, a set, a map or a nested struct",
    note = "compare a number itself: `.gt(10)`"
)]
pub trait SizedAttribute: Attribute {}

#[diagnostic::do_not_recommend]
impl<T: Attribute<Shape: shape::Measured>> SizedAttribute for T {}

impl<E, T, K> Field<E, T, K> {
    fn term(self) -> Term {
        Term::Path(self.into())
    }

    fn compare(self, operator: Comparison, right: Term) -> Condition<E> {
        Condition::new(self.term().compare(operator, right))
    }

    /// True for items that have this attribute.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct User { #[entity(id)] id: Id<User>, email: String, age: u32, limit: u32, nick: Option<String> }
    /// let condition = User::NICK.exists();
    /// ```
    #[must_use]
    pub fn exists(self) -> Condition<E> {
        Condition::new(Node::exists(self))
    }

    /// True for items that do not have this attribute.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct User { #[entity(id)] id: Id<User>, email: String, age: u32, limit: u32, nick: Option<String> }
    /// let condition = User::NICK.not_exists();
    /// ```
    #[must_use]
    pub fn not_exists(self) -> Condition<E> {
        Condition::new(Node::absent(self))
    }
}

impl<E, T: Attribute, K: TypedKind> Field<E, T, K> {
    /// Equal to the operand. An item without the attribute is equal to nothing.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct User { #[entity(id)] id: Id<User>, email: String, age: u32, limit: u32, nick: Option<String> }
    /// let condition = User::NICK.eq("ada") | User::AGE.eq(User::LIMIT);
    /// ```
    #[must_use]
    pub fn eq(self, operand: impl Operand<T::Base, E>) -> Condition<E> {
        self.compare(Comparison::Equal, operand.into_comparand().0)
    }

    /// Different from the operand; true for an item without the attribute, too.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct User { #[entity(id)] id: Id<User>, email: String, age: u32, limit: u32, nick: Option<String> }
    /// let condition = User::EMAIL.ne("");
    /// ```
    #[must_use]
    pub fn ne(self, operand: impl Operand<T::Base, E>) -> Condition<E> {
        self.compare(Comparison::NotEqual, operand.into_comparand().0)
    }
}

// What a type must be able to do stands at each method and not at the block: a type that cannot is then told
// so, rather than that there is no such method. What the operand has to be comes out of that bound, so that
// where the bound does not hold, there is no second error about the operand.
impl<E, T, K> Field<E, T, K> {
    /// Less than the operand.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct User { #[entity(id)] id: Id<User>, email: String, age: u32, limit: u32, nick: Option<String> }
    /// let condition = User::AGE.lt(18);
    /// ```
    #[must_use]
    pub fn lt<V, O>(self, operand: impl Operand<O, E>) -> Condition<E>
    where
        T: TypedAttribute<K, Type = V>,
        V: OrderedAttribute<Operand = O>,
    {
        self.compare(Comparison::Less, operand.into_comparand().0)
    }

    /// Less than or equal to the operand.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct User { #[entity(id)] id: Id<User>, email: String, age: u32, limit: u32, nick: Option<String> }
    /// let condition = User::AGE.le(User::LIMIT);
    /// ```
    #[must_use]
    pub fn le<V, O>(self, operand: impl Operand<O, E>) -> Condition<E>
    where
        T: TypedAttribute<K, Type = V>,
        V: OrderedAttribute<Operand = O>,
    {
        self.compare(Comparison::LessOrEqual, operand.into_comparand().0)
    }

    /// Greater than the operand.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct User { #[entity(id)] id: Id<User>, email: String, age: u32, limit: u32, nick: Option<String> }
    /// let condition = User::AGE.gt(17);
    /// ```
    #[must_use]
    pub fn gt<V, O>(self, operand: impl Operand<O, E>) -> Condition<E>
    where
        T: TypedAttribute<K, Type = V>,
        V: OrderedAttribute<Operand = O>,
    {
        self.compare(Comparison::Greater, operand.into_comparand().0)
    }

    /// Greater than or equal to the operand.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct User { #[entity(id)] id: Id<User>, email: String, age: u32, limit: u32, nick: Option<String> }
    /// let condition = User::AGE.ge(18);
    /// ```
    #[must_use]
    pub fn ge<V, O>(self, operand: impl Operand<O, E>) -> Condition<E>
    where
        T: TypedAttribute<K, Type = V>,
        V: OrderedAttribute<Operand = O>,
    {
        self.compare(Comparison::GreaterOrEqual, operand.into_comparand().0)
    }

    /// From `low` to `high`, both included.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct User { #[entity(id)] id: Id<User>, email: String, age: u32, limit: u32, nick: Option<String> }
    /// let condition = User::AGE.between(18, 65);
    /// ```
    #[must_use]
    pub fn between<V, O>(self, low: impl Operand<O, E>, high: impl Operand<O, E>) -> Condition<E>
    where
        T: TypedAttribute<K, Type = V>,
        V: OrderedAttribute<Operand = O>,
    {
        Condition::new(self.term().between(low.into_comparand().0, high.into_comparand().0))
    }

    /// Equal to one of the operands, of which DynamoDB takes 100 at most.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct User { #[entity(id)] id: Id<User>, email: String, age: u32, limit: u32, nick: Option<String> }
    /// let condition = User::AGE.is_in([18, 21]);
    /// ```
    #[must_use]
    pub fn is_in<V: Attribute>(self, operands: impl OperandList<V::Base, E>) -> Condition<E>
    where
        T: TypedAttribute<K, Type = V>,
    {
        Condition::new(self.term().is_in(operands.into_terms()))
    }

    /// Begins with the operand: text for whatever is stored as text, such as a time or a newtype of a
    /// `String`, and bytes for bytes.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Attribute, Clone, Debug)] struct Email(String);
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct User { #[entity(id)] id: Id<User>, email: Email, #[entity(created_at)] created_at: Timestamp, picture: Vec<u8> }
    /// let ada = User::EMAIL.begins_with("ada@");
    /// let in_2026 = User::CREATED_AT.begins_with("2026-");
    /// let png = User::PICTURE.begins_with(b"\x89PNG");
    /// ```
    #[must_use]
    pub fn begins_with<V, O>(self, operand: impl Operand<O, E>) -> Condition<E>
    where
        T: TypedAttribute<K, Type = V>,
        V: PrefixedAttribute<Prefix = O>,
    {
        Condition::new(self.term().begins_with(operand.into_comparand().0))
    }

    /// Contains the operand: a text a part of it, a list or a set an element.
    ///
    /// ```
    /// # use std::collections::BTreeSet;
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct User { #[entity(id)] id: Id<User>, email: String, tags: BTreeSet<String>, scores: Vec<u32> }
    /// let condition = User::EMAIL.contains("@") & !User::TAGS.contains("bot") & User::SCORES.contains(10);
    /// ```
    #[must_use]
    pub fn contains<V, O>(self, operand: impl Operand<O, E>) -> Condition<E>
    where
        T: TypedAttribute<K, Type = V>,
        V: ContainerAttribute<Contained = O>,
    {
        Condition::new(self.term().contains(operand.into_comparand().0))
    }

    /// The size of the field, to compare with a number: the length of a text (in units of UTF-16) or of
    /// bytes, the elements of a list, a set or a map.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct User { #[entity(id)] id: Id<User>, email: String }
    /// let condition = User::EMAIL.size().gt(100);
    /// ```
    #[must_use]
    pub fn size<V>(self) -> Size<E>
    where
        T: TypedAttribute<K, Type = V>,
        V: SizedAttribute,
    {
        Size::new(self.into())
    }
}

/// Fields that are stored through `serde` or `with`.
impl<E, T> Field<E, T, Opaque> {
    /// Equal to the value, as it would be stored. What is stored in more than one way, such as the entries of
    /// a map in another order, is equal all the same; a number in a text is not.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(serde::Serialize, serde::Deserialize, Clone, Debug, Default, PartialEq)] struct Theme { dark: bool }
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct User { #[entity(id)] id: Id<User>, #[entity(serde)] theme: Theme }
    /// let condition = User::THEME.eq(Theme { dark: true }) | User::THEME.not_exists();
    /// ```
    #[must_use]
    pub fn eq(self, value: impl Borrow<T>) -> Condition<E> {
        self.compare(Comparison::Equal, self.value(value.borrow()))
    }

    /// Different from the value, as it would be stored; true for an item without the attribute, too.
    #[must_use]
    pub fn ne(self, value: impl Borrow<T>) -> Condition<E> {
        self.compare(Comparison::NotEqual, self.value(value.borrow()))
    }

    fn value(self, value: &T) -> Term {
        encode_opaque(self.encoding(), value)
            .map_or_else(|error| Term::Refused(error.discreet().in_field(self.name())), Term::Value)
    }
}
