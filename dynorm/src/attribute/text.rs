//! Text, type `S`; booleans and ULIDs.

use std::borrow::Cow;
use std::sync::Arc;

use super::{Attribute, shape};
use crate::codec::{Encoder, ItemWriter, Value, ValueError};

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

            fn put(value: &Self, item: &mut ItemWriter<'_>, index: usize) -> Result<(), ValueError> {
                item.text_field(index, value)
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
        encoder.plain(ulid_text(self.0).as_flattened())
    }

    fn decode(value: Value<'_>) -> Result<Self, ValueError> {
        super::id::parse_ulid(&value.as_str()?)
            .map_err(|error| ValueError::new(format!("expected a ULID of 26 characters: {error}")))
    }

    /// Lower case is read too, but never written.
    fn is_spelled(_: &Self, stored: &Value<'_>) -> Option<bool> {
        // This bit pattern is that of a lower-case letter: upper-case letters and digits have only one of the
        // two bits.
        const CASE: u8 = 0b0110_0000;
        let text: [u8; ulid::ULID_LEN] = stored.as_str().ok()?.as_bytes().try_into().ok()?;
        Some(!text.iter().fold(false, |lower, byte| lower | (byte & CASE == CASE)))
    }
}

/// Writes the text of a ULID, two characters, of ten bits, at a time.
fn ulid_text(ulid: u128) -> [[u8; 2]; ulid::ULID_LEN / 2] {
    const PAIRS: [[u8; 2]; 1024] = {
        let alphabet = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let mut pairs = [[0; 2]; 1024];
        let mut bits = 0;
        while bits < 1024 {
            pairs[bits] = [alphabet[bits / 32], alphabet[bits % 32]];
            bits += 1;
        }
        pairs
    };
    let (high, low) = ((ulid >> 64) as u64, ulid as u64);
    let pair = |bits: u64| PAIRS[(bits % 1024) as usize];
    [
        pair(high >> 56),
        pair(high >> 46),
        pair(high >> 36),
        pair(high >> 26),
        pair(high >> 16),
        pair(high >> 6),
        pair(high << 4 | low >> 60),
        pair(low >> 50),
        pair(low >> 40),
        pair(low >> 30),
        pair(low >> 20),
        pair(low >> 10),
        pair(low),
    ]
}

#[cfg(test)]
mod tests {
    use super::ulid_text;

    #[test]
    fn a_ulid_is_written_as_its_crate_writes_it() {
        let mut ulids = vec![0, u128::MAX, 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef];
        ulids.extend((0..128).map(|bit| 1u128 << bit));
        for ulid in ulids {
            let text = String::from_utf8(ulid_text(ulid).as_flattened().to_vec()).unwrap();
            assert_eq!(text, ulid::Ulid(ulid).to_string());
        }
    }
}
