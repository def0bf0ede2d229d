//! The types of keys.

use std::fmt;

/// The type of a key, or of an element of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScalarType {
    /// Text, `S`.
    String,
    /// A number, `N`.
    Number,
    /// Bytes, `B`.
    Binary,
}

impl fmt::Display for ScalarType {
    /// Writes the type with its article: `a string`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::String => "a string",
            Self::Number => "a number",
            Self::Binary => "bytes",
        })
    }
}
