//! The types of DynamoDB's values.

use std::fmt;

/// The types of DynamoDB's values.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ValueType {
    /// Text, `S`.
    String,
    /// A number, `N`.
    Number,
    /// Bytes, `B`.
    Binary,
    /// A boolean, `BOOL`.
    Bool,
    /// `NULL`.
    Null,
    /// A list, `L`.
    List,
    /// A map, `M`.
    Map,
    /// A set of strings, `SS`.
    StringSet,
    /// A set of numbers, `NS`.
    NumberSet,
    /// A set of bytes, `BS`.
    BinarySet,
}

impl ValueType {
    pub(super) fn from_tag(tag: &str) -> Option<Self> {
        Some(match tag {
            "S" => Self::String,
            "N" => Self::Number,
            "B" => Self::Binary,
            "BOOL" => Self::Bool,
            "NULL" => Self::Null,
            "L" => Self::List,
            "M" => Self::Map,
            "SS" => Self::StringSet,
            "NS" => Self::NumberSet,
            "BS" => Self::BinarySet,
            _ => return None,
        })
    }

    /// Returns the scalar type with this letter in JSON: `S`, `N` or `B`.
    #[inline]
    pub(super) fn of_scalar(letter: u8) -> Option<Self> {
        match letter {
            b'S' => Some(Self::String),
            b'N' => Some(Self::Number),
            b'B' => Some(Self::Binary),
            _ => None,
        }
    }

    /// Returns the name of the type in JSON.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::String => "S",
            Self::Number => "N",
            Self::Binary => "B",
            Self::Bool => "BOOL",
            Self::Null => "NULL",
            Self::List => "L",
            Self::Map => "M",
            Self::StringSet => "SS",
            Self::NumberSet => "NS",
            Self::BinarySet => "BS",
        }
    }

    /// Returns the type of the elements of a set.
    pub(super) fn element(self) -> Option<Self> {
        match self {
            Self::StringSet => Some(Self::String),
            Self::NumberSet => Some(Self::Number),
            Self::BinarySet => Some(Self::Binary),
            _ => None,
        }
    }
}

impl fmt::Display for ValueType {
    /// Writes the type with its article: `a string`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::String => "a string",
            Self::Number => "a number",
            Self::Binary => "bytes",
            Self::Bool => "a boolean",
            Self::Null => "NULL",
            Self::List => "a list",
            Self::Map => "a map",
            Self::StringSet => "a set of strings",
            Self::NumberSet => "a set of numbers",
            Self::BinarySet => "a set of bytes",
        })
    }
}
