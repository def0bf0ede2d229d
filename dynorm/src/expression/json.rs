//! Encoded attribute values.

use std::fmt;

use crate::codec::{Encoder, Value};

/// An attribute value as DynamoDB JSON.
#[derive(Clone, PartialEq, Eq)]
pub struct Json(pub(crate) Vec<u8>);

impl Json {
    pub(crate) const NULL: &'static [u8] = br#"{"NULL":true}"#;

    pub(crate) fn null() -> Self {
        Self(Self::NULL.to_vec())
    }

    /// Encodes a string.
    pub(crate) fn text(text: &str) -> Vec<u8> {
        let mut json = br#"{"S":"#.to_vec();
        crate::codec::write_json_string(&mut json, text);
        json.push(b'}');
        json
    }

    /// A value in the encoding in which it was read.
    pub(crate) fn of(value: Value<'_>) -> Self {
        let mut encoder = Encoder::default();
        value.write(&mut encoder);
        Self(encoder.into_bytes())
    }
}

impl fmt::Debug for Json {
    /// Hides the value, which must not reach logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}
