//! Parts of keys, of any type.

use crate::codec::{Encoder, Value, ValueError};

/// A part of a key, of any type: a whole key attribute, or a field in a template.
pub trait Part {
    /// Writes the value as an attribute value.
    #[doc(hidden)]
    fn encode_part(&self, encoder: &mut Encoder) -> Result<(), ValueError>;

    /// See [`Attribute::is_spelled`](super::Attribute::is_spelled).
    #[doc(hidden)]
    fn is_spelled_part(&self, stored: &Value<'_>) -> Option<bool>;

    /// Returns true for `None`.
    #[doc(hidden)]
    fn is_absent_part(&self) -> bool;

    /// Returns true if values of this type can be absent.
    #[doc(hidden)]
    fn may_be_absent_part(&self) -> bool;
}

/// A part of a key that is already encoded.
pub(crate) struct EncodedPart(pub(crate) Vec<u8>);

impl Part for EncodedPart {
    fn encode_part(&self, encoder: &mut Encoder) -> Result<(), ValueError> {
        encoder.raw(&self.0);
        Ok(())
    }

    fn is_spelled_part(&self, _: &Value<'_>) -> Option<bool> {
        None
    }

    fn is_absent_part(&self) -> bool {
        false
    }

    fn may_be_absent_part(&self) -> bool {
        false
    }
}
