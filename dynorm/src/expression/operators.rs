//! The operators that a field has, each with the bound that its type must meet.

use super::condition::{Condition, Node, Operand, Term};
use crate::attribute::{Attribute, shape};
use crate::field::Field;

/// A type that DynamoDB can put in order.
#[diagnostic::on_unimplemented(
    message = "fields of the type `{Self}` have no order",
    label = "`lt`, `le`, `gt`, `ge` and `between` need text, numbers or bytes",
    note = "for one of several values use `.eq(value)` or `.is_in([…])`"
)]
pub trait OrderedAttribute: Attribute {}

#[diagnostic::do_not_recommend]
impl<T: Attribute<Shape: shape::Ordered>> OrderedAttribute for T {}

/// A type that has a beginning.
#[diagnostic::on_unimplemented(
    message = "`begins_with` needs a field of text or bytes, and this one is `{Self}`",
    label = "not text or bytes",
    note = "for a number use `.between(low, high)` or `.ge(low)`"
)]
pub trait PrefixedAttribute: Attribute {}

#[diagnostic::do_not_recommend]
impl<T: Attribute<Shape: shape::Prefixed>> PrefixedAttribute for T {}

impl<E, T, K> Field<E, T, K> {
    fn term(self) -> Term {
        Term::Attribute(self.name())
    }

    fn compare(self, operator: &'static str, right: Term) -> Condition<E> {
        Condition::new(Node::Compare { left: self.term(), operator, right })
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
        Condition::new(Node::Function { name: "attribute_exists", arguments: vec![self.term()] })
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
        Condition::new(Node::Function { name: "attribute_not_exists", arguments: vec![self.term()] })
    }
}

impl<E, T: Attribute, K> Field<E, T, K> {
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
        self.compare("=", operand.into_term())
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
        self.compare("<>", operand.into_term())
    }

    /// Less than the operand.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct User { #[entity(id)] id: Id<User>, email: String, age: u32, limit: u32, nick: Option<String> }
    /// let condition = User::AGE.lt(18);
    /// ```
    #[must_use]
    pub fn lt(self, operand: impl Operand<T::Base, E>) -> Condition<E>
    where
        T: OrderedAttribute,
    {
        self.compare("<", operand.into_term())
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
    pub fn le(self, operand: impl Operand<T::Base, E>) -> Condition<E>
    where
        T: OrderedAttribute,
    {
        self.compare("<=", operand.into_term())
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
    pub fn gt(self, operand: impl Operand<T::Base, E>) -> Condition<E>
    where
        T: OrderedAttribute,
    {
        self.compare(">", operand.into_term())
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
    pub fn ge(self, operand: impl Operand<T::Base, E>) -> Condition<E>
    where
        T: OrderedAttribute,
    {
        self.compare(">=", operand.into_term())
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
    pub fn between(self, low: impl Operand<T::Base, E>, high: impl Operand<T::Base, E>) -> Condition<E>
    where
        T: OrderedAttribute,
    {
        Condition::new(Node::Between { term: self.term(), low: low.into_term(), high: high.into_term() })
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
    pub fn is_in<O: Operand<T::Base, E>>(self, operands: impl IntoIterator<Item = O>) -> Condition<E> {
        let values = operands.into_iter().map(Operand::into_term).collect();
        Condition::new(Node::In { term: self.term(), values })
    }

    /// Begins with the operand.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct User { #[entity(id)] id: Id<User>, email: String, age: u32, limit: u32, nick: Option<String> }
    /// let condition = User::EMAIL.begins_with("ada@");
    /// ```
    #[must_use]
    pub fn begins_with(self, operand: impl Operand<T::Base, E>) -> Condition<E>
    where
        T: PrefixedAttribute,
    {
        Condition::new(Node::Function {
            name: "begins_with",
            arguments: vec![self.term(), operand.into_term()],
        })
    }
}
