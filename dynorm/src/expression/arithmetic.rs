//! Sums and differences that DynamoDB computes in an update.

use std::fmt;
use std::marker::PhantomData;

use super::json::Json;
use super::path::Path;
use super::update::{Number, Source};
use crate::attribute::{Attribute, shape};
use crate::codec::{Encoder, ValueError};
use crate::field::{Field, TypedKind};

/// A type that is stored as a number.
#[diagnostic::on_unimplemented(
    message = "arithmetic needs a field that is a number, and this one is `{Self}`",
    label = "not a number",
    note = "for a set use `.insert(…)`, for a list `.append(…)`, for everything else `.set(…)`"
)]
pub trait NumberAttribute: Attribute {
    /// The number type itself, without the `Option` around it.
    type Number: Attribute;
}

#[diagnostic::do_not_recommend]
impl<T: Attribute<Shape: shape::Numeric>> NumberAttribute for T {
    type Number = <T::Shape as shape::Numeric>::Counted<T::Base>;
}

/// A sum or a difference of two numbers of an `E`, computed by DynamoDB. Made by [`Field::plus`] and
/// [`Field::minus`], and given to [`Update::set`](crate::operation::Update::set).
///
/// An absent `Option` counts as 0.
pub struct Sum<E, N> {
    pub(super) source: Result<Source, ValueError>,
    of: PhantomData<fn(&E) -> N>,
}

impl<E, N> Sum<E, N> {
    fn new(left: Number, minus: bool, right: impl Addend<N, E>) -> Self {
        let source = right.number().map(|right| Source::Sum { left, minus, right });
        Self { source, of: PhantomData }
    }
}

impl<E, N> fmt::Debug for Sum<E, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Ok(source) => source.fmt(f),
            Err(_) => f.write_str("a value that cannot be written"),
        }
    }
}

impl<E, T: Attribute, K: TypedKind> Field<E, T, K> {
    /// This field plus a number, or plus another field.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct Order { #[entity(id)] id: Id<Order>, price: u32, tax: u32, total: u32 }
    /// # let id = Id::new();
    /// let update = OrderRepo::update(id).set(Order::TOTAL, Order::PRICE.plus(Order::TAX));
    /// ```
    #[must_use]
    pub fn plus(self, number: impl Addend<T::Base, E>) -> Sum<E, T::Base>
    where
        T: NumberAttribute,
    {
        Sum::new(number_of::<E, T, K>(self), false, number)
    }

    /// This field minus a number, or minus another field.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct Order { #[entity(id)] id: Id<Order>, price: u32, rebate: Option<u32>, total: u32 }
    /// # let id = Id::new();
    /// let update = OrderRepo::update(id).set(Order::TOTAL, Order::PRICE.minus(Order::REBATE));
    /// ```
    #[must_use]
    pub fn minus(self, number: impl Addend<T::Base, E>) -> Sum<E, T::Base>
    where
        T: NumberAttribute,
    {
        Sum::new(number_of::<E, T, K>(self), true, number)
    }
}

impl<E, T: Attribute, K: TypedKind> Path<E, T, K> {
    /// See [`Field::plus`].
    #[must_use]
    pub fn plus(self, number: impl Addend<T::Base, E>) -> Sum<E, T::Base>
    where
        T: NumberAttribute,
    {
        Sum::new(number_at(self), false, number)
    }

    /// See [`Field::minus`].
    #[must_use]
    pub fn minus(self, number: impl Addend<T::Base, E>) -> Sum<E, T::Base>
    where
        T: NumberAttribute,
    {
        Sum::new(number_at(self), true, number)
    }
}

fn number_of<E, T: NumberAttribute, K>(field: Field<E, T, K>) -> Number {
    Number::Path { path: field.into(), starts: T::absent().is_some() }
}

fn number_at<E, T: NumberAttribute, K>(path: Path<E, T, K>) -> Number {
    Number::Path { path: path.untyped(), starts: T::absent().is_some() }
}

/// A number that can be added to one of type `N`: any integer to an integer, any float to a float, and an `N`
/// to any other; or a field of `E`, or a path inside one, that holds an `N`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be added to a `{N}`",
    label = "expected a number that fits `{N}`",
    note = "an integer takes any integer, a float any float, every other number its own type, each by \
        value, or another field of the entity",
    note = "an `Option` cannot be added: add the value inside it"
)]
pub trait Addend<N, E> {
    #[doc(hidden)]
    fn number(self) -> Result<Number, ValueError>;
}

fn encoded<T: Attribute>(value: &T) -> Result<Number, ValueError> {
    let mut encoder = Encoder::default();
    encoder.value(value)?;
    Ok(Number::Value(Json(encoder.into_bytes())))
}

macro_rules! addends {
    ($([$($generics:tt)*] $type:ty, $of:ty => |$value:ident| $number:expr;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($generics)*> Addend<$of, E> for $type {
            fn number(self) -> Result<Number, ValueError> {
                let $value = self;
                $number
            }
        }
    )*};
}

addends! {
    [T: Attribute<Base = T, Shape: shape::Numeric>, E] T, T => |value| encoded(&value);
    [F: NumberAttribute<Number = N>, N, E, K: TypedKind] Field<E, F, K>, N => |field| Ok(number_of(field));
    [F: NumberAttribute<Number = N>, N, E, K: TypedKind] Path<E, F, K>, N => |path| Ok(number_at(path));
}

/// Each number type to all others; itself is covered above.
macro_rules! to_each_other {
    ($($type:ident)*) => { to_each_other!(@ [$($type)*] [$($type)*]); };
    (@ [$($type:ident)*] $all:tt) => { $(to_each_other!(# $type $all);)* };
    (# $type:ident [$($of:ident)*]) => { $(to_each_other!(= $type $of);)* };
    (= u8 u8) => {}; (= u16 u16) => {}; (= u32 u32) => {}; (= u64 u64) => {}; (= u128 u128) => {};
    (= i8 i8) => {}; (= i16 i16) => {}; (= i32 i32) => {}; (= i64 i64) => {}; (= i128 i128) => {};
    (= usize usize) => {}; (= isize isize) => {};
    (= f32 f32) => {}; (= f64 f64) => {};
    (= $type:ident $of:ident) => { addends! { [E] $type, $of => |value| encoded(&value); } };
}

to_each_other!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize);
to_each_other!(f32 f64);
