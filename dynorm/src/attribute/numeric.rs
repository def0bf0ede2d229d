//! The shapes of numbers. It is beside the other shapes since it says something of attributes, which stand on
//! those.

use super::Attribute;
use super::shape::{Byte, Integer, Number, Optional, Shape};

/// A number.
pub trait Numeric: Shape {
    /// `T`, which can be named only where this is known.
    #[doc(hidden)]
    type Counted<T: Attribute>: Attribute;
}

#[diagnostic::do_not_recommend]
impl Numeric for Number {
    type Counted<T: Attribute> = T;
}

#[diagnostic::do_not_recommend]
impl Numeric for Integer {
    type Counted<T: Attribute> = T;
}

#[diagnostic::do_not_recommend]
impl Numeric for Byte {
    type Counted<T: Attribute> = T;
}

impl<S: Numeric> Numeric for Optional<S> {
    type Counted<T: Attribute> = T;
}
