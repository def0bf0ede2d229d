//! A value as a part of a key, whatever its type.

use crate::codec::{Encoder, Value, ValueError};

/// A value that takes part in a key, whatever its type.
pub trait Part {
    /// Writes it as an attribute value.
    #[doc(hidden)]
    fn encode_part(&self, encoder: &mut Encoder) -> Result<(), ValueError>;

    /// See [`Attribute::is_spelled`](super::Attribute::is_spelled).
    #[doc(hidden)]
    fn is_spelled_part(&self, stored: &Value<'_>) -> Option<bool>;

    /// True for `None`.
    #[doc(hidden)]
    fn is_absent_part(&self) -> bool;

    /// True if another value of its type could be absent.
    #[doc(hidden)]
    fn may_be_absent_part(&self) -> bool;
}

/// A part that is encoded already.
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
