//! `S`: text.

use std::borrow::Cow;
use std::sync::Arc;

use super::{Attribute, shape};
use crate::codec::{Encoder, Value, ValueError};

macro_rules! text {
    ($($type:ty),*) => {$(
        #[diagnostic::do_not_recommend]
        impl Attribute for $type {
            type Base = Self;
            type Shape = shape::Text;

            const EXACT: bool = true;

            #[inline]
            fn encode(&self, encoder: &mut Encoder) -> Result<(), ValueError> {
                encoder.string(self)
            }

            fn decode(value: Value<'_>) -> Result<Self, ValueError> {
                value.to_text().map(Into::into)
            }
        }
    )*};
}

text!(String, Box<str>, Arc<str>, Cow<'static, str>);

#[diagnostic::do_not_recommend]
impl Attribute for char {
    type Base = Self;
    type Shape = shape::Text;

    #[inline]
    fn encode(&self, encoder: &mut Encoder) -> Result<(), ValueError> {
        encoder.string(self.encode_utf8(&mut [0; 4]))
    }

    fn decode(value: Value<'_>) -> Result<Self, ValueError> {
        let text = value.as_str()?;
        let mut characters = text.chars();
        match (characters.next(), characters.next()) {
            (Some(character), None) => Ok(character),
            _ => Err(ValueError::new("expected a text of one character")),
        }
    }
}

#[diagnostic::do_not_recommend]
impl Attribute for bool {
    type Base = Self;
    type Shape = shape::Bool;

    #[inline]
    fn encode(&self, encoder: &mut Encoder) -> Result<(), ValueError> {
        encoder.bool(*self)
    }

    fn decode(value: Value<'_>) -> Result<Self, ValueError> {
        value.as_bool()
    }
}

#[diagnostic::do_not_recommend]
impl Attribute for ulid::Ulid {
    type Base = Self;
    type Shape = shape::FixedText;

    #[inline]
    fn encode(&self, encoder: &mut Encoder) -> Result<(), ValueError> {
        encoder.plain(self.array_to_str(&mut [0; ulid::ULID_LEN]).as_bytes())
    }

    fn decode(value: Value<'_>) -> Result<Self, ValueError> {
        super::id::parse_ulid(&value.as_str()?)
            .map_err(|error| ValueError::new(format!("expected a ULID of 26 characters: {error}")))
    }

    /// A ULID is read in lower case as well.
    fn is_spelled(_: &Self, stored: &Value<'_>) -> Option<bool> {
        // Lower case differs from upper case in one bit, and digits have only that one.
        const CASE: u8 = 0b0110_0000;
        let text: [u8; ulid::ULID_LEN] = stored.as_str().ok()?.as_bytes().try_into().ok()?;
        Some(!text.iter().fold(false, |lower, byte| lower | (byte & CASE == CASE)))
    }
}
