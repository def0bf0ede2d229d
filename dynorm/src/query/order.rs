//! The order of a query.

use std::fmt;
use std::marker::PhantomData;

use super::spec::Order;
use crate::field::Field;
use crate::sealed::Sealed;

/// An order by a field. Made by [`Field::asc`] and [`Field::desc`].
pub struct OrderBy<E> {
    pub(super) order: Order,
    of: PhantomData<fn(&E)>,
}

/// The argument of [`Query::order_by`](crate::Query::order_by): a field with a direction, made by
/// [`Field::asc`] and [`Field::desc`].
#[diagnostic::on_unimplemented(
    message = "an order needs a direction: `.asc()` or `.desc()` of a field",
    label = "`{Self}` has no direction",
    note = "for example `.order_by(User::AGE.desc())`"
)]
pub trait IntoOrder: Sealed {
    /// The entity that has the field.
    type Entity;

    #[doc(hidden)]
    fn into_order(self) -> OrderBy<Self::Entity>;
}

impl<E> Sealed for OrderBy<E> {}

#[diagnostic::do_not_recommend]
impl<E> IntoOrder for OrderBy<E> {
    type Entity = E;

    fn into_order(self) -> Self {
        self
    }
}

impl<E, T, K> Field<E, T, K> {
    /// Orders by this field, ascending.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct Reading { #[entity(partition)] sensor: String, #[entity(sort)] taken_at: Timestamp }
    /// let readings = ReadingRepo::filter(Reading::SENSOR.eq("kitchen"));
    /// let latest_last = readings.order_by(Reading::TAKEN_AT.asc());
    /// ```
    #[must_use]
    pub fn asc(self) -> OrderBy<E> {
        let order = Order { attribute: self.name(), descending: false };
        OrderBy { order, of: PhantomData }
    }

    /// Orders by this field, descending.
    #[must_use]
    pub fn desc(self) -> OrderBy<E> {
        let order = Order { attribute: self.name(), descending: true };
        OrderBy { order, of: PhantomData }
    }
}

impl<E> fmt::Debug for OrderBy<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Order { attribute, descending } = &self.order;
        write!(f, "{attribute} {}", if *descending { "descending" } else { "ascending" })
    }
}
