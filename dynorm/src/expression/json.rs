//! Encoded values.

use std::fmt;

use crate::codec::{Encoder, Value};

/// An encoded value.
#[derive(Clone, PartialEq, Eq)]
pub struct Json(pub(crate) Vec<u8>);

impl Json {
    pub(crate) const NULL: &'static [u8] = br#"{"NULL":true}"#;

    pub(crate) fn null() -> Self {
        Self(Self::NULL.to_vec())
    }

    /// A text, as an encoded value.
    pub(crate) fn text(text: &str) -> Vec<u8> {
        let mut json = br#"{"S":"#.to_vec();
        crate::codec::write_json_string(&mut json, text);
        json.push(b'}');
        json
    }

    /// A value as it was written.
    pub(crate) fn of(value: Value<'_>) -> Self {
        let mut encoder = Encoder::default();
        value.write(&mut encoder);
        Self(encoder.into_bytes())
    }
}

impl fmt::Debug for Json {
    /// Values stay out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}
