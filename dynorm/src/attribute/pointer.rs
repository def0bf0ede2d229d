//! `Option`, and the pointers that own one value.

use std::sync::Arc;

use super::{Attribute, shape};
use crate::codec::{Encoder, ItemWriter, Value, ValueError};

impl<T: Attribute> Attribute for Option<T> {
    type Base = T::Base;
    type Shape = shape::Optional<T::Shape>;

    #[inline]
    fn encode(&self, encoder: &mut Encoder) -> Result<(), ValueError> {
        match self {
            Some(value) => value.encode(encoder),
            None => encoder.null(),
        }
    }

    fn put(value: &Self, item: &mut ItemWriter<'_>, index: usize) -> Result<(), ValueError> {
        match value {
            Some(value) => T::put(value, item, index),
            None => item.field(index, value),
        }
    }

    fn decode(value: Value<'_>) -> Result<Self, ValueError> {
        if value.is_null() { Ok(None) } else { T::decode(value).map(Some) }
    }

    #[inline]
    fn is_absent(&self) -> bool {
        self.as_ref().is_none_or(T::is_absent)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

macro_rules! pointers {
    ($($pointer:ident),*) => {$(
        impl<T: Attribute> Attribute for $pointer<T> {
            type Base = T::Base;
            type Shape = <T::Shape as shape::Shape>::Newtype;

            #[inline]
            fn encode(&self, encoder: &mut Encoder) -> Result<(), ValueError> {
                T::encode(self, encoder)
            }

            fn decode(value: Value<'_>) -> Result<Self, ValueError> {
                T::decode(value).map($pointer::new)
            }

            #[inline]
            fn is_absent(&self) -> bool {
                T::is_absent(self)
            }

            fn absent() -> Option<Self> {
                T::absent().map($pointer::new)
            }
        }
    )*};
}

pointers!(Box, Arc);
