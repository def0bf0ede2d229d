//! Integers, type `N`.

use super::{Attribute, shape};
use crate::codec::{Encoder, Value, ValueError, integer_text, is_whole};

macro_rules! integers {
    ($($type:ident: $shape:ident),*) => {$(
        #[diagnostic::do_not_recommend]
        impl Attribute for $type {
            type Base = Self;
            type Shape = shape::$shape;

            const EXACT: bool = true;

            #[inline]
            fn encode(&self, encoder: &mut Encoder) -> Result<(), ValueError> {
                encoder.unchecked_number(itoa::Buffer::new().format(*self).as_bytes())
            }

            fn decode(value: Value<'_>) -> Result<Self, ValueError> {
                let text = value.as_number()?;
                text.parse().or_else(|_| parse(text, stringify!($type)))
            }

            integers!(many $shape);
        }
    )*};
    (many Integer) => {};
    (many Byte) => {
        fn encode_slice(slice: &[Self], encoder: &mut Encoder) -> Result<(), ValueError> {
            encoder.binary(slice)
        }

        /// A list of numbers is accepted too, since other mappers store bytes as one.
        fn decode_vec(value: Value<'_>) -> Result<Vec<Self>, ValueError> {
            let Ok(items) = value.as_list() else { return value.as_bytes() };
            items
                .enumerate()
                .map(|(index, item)| item.and_then(Self::decode).map_err(|error| error.at_index(index)))
                .collect()
        }
    };
}

integers!(
    u8: Byte, u16: Integer, u32: Integer, u64: Integer, usize: Integer,
    i8: Integer, i16: Integer, i32: Integer, i64: Integer, isize: Integer
);

macro_rules! wide_integers {
    ($($type:ident),*) => {$(
        #[diagnostic::do_not_recommend]
        impl Attribute for $type {
            type Base = Self;
            type Shape = shape::Integer;

            /// Checks the number, since 128 bits have up to 39 digits and DynamoDB keeps 38.
            #[inline]
            fn encode(&self, encoder: &mut Encoder) -> Result<(), ValueError> {
                encoder.number(itoa::Buffer::new().format(*self))
            }

            fn decode(value: Value<'_>) -> Result<Self, ValueError> {
                let text = value.as_number()?;
                text.parse().or_else(|_| parse(text, stringify!($type)))
            }
        }
    )*};
}

wide_integers!(u128, i128);

/// Parses whole numbers that are spelled with a point or an exponent; an error for all others.
fn parse<T: std::str::FromStr>(text: &str, name: &str) -> Result<T, ValueError> {
    match integer_text(text) {
        Some(whole) => whole.parse().map_err(|_| ValueError::new(format!("the number does not fit {name}"))),
        None if is_whole(text) => Err(ValueError::new(format!("the number does not fit {name}"))),
        None => Err(ValueError::new(format!("expected a whole number ({name}), found one with a fraction"))),
    }
}
