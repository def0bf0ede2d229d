//! The error of the serde implementation, and the limit on nested wrappers.

use std::fmt;

use serde::de::{Expected, Unexpected};

use crate::codec::ValueError;

/// Counts the `Option`s and newtypes around a value. They are not stored, so reading a type that only wraps
/// itself, such as `struct Chain(Option<Box<Chain>>)`, would not terminate without a limit.
#[derive(Clone, Copy, Default)]
pub(super) struct Wrappers(u8);

impl Wrappers {
    const MOST: u8 = 64;

    pub(super) fn one_more(self) -> Result<Self, Error> {
        if self.0 < Self::MOST {
            return Ok(Self(self.0 + 1));
        }
        let problem = format!("more than {} `Option`s and newtypes lie around one value", Self::MOST);
        Err(Error(ValueError::new(problem)))
    }
}

/// A [`ValueError`] with the traits that serde requires of errors.
#[derive(Debug)]
pub(super) struct Error(pub(super) ValueError);

impl From<ValueError> for Error {
    fn from(error: ValueError) -> Self {
        Self(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl std::error::Error for Error {}

impl serde::ser::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(ValueError::new(message.to_string()))
    }
}

/// Uses the texts of this crate's other errors, without the values that serde's own messages contain.
impl serde::de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(ValueError::new(message.to_string()))
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self(ValueError::new(format!("expected {expected}, found {}", kind(&found))))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self(ValueError::new(format!("expected {expected}, found {} that does not fit", kind(&found))))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        let names: Vec<_> = expected.iter().map(|name| format!("`{name}`")).collect();
        Self(ValueError::new(format!("expected one of the variants {}, found another", names.join(", "))))
    }

    fn missing_field(field: &'static str) -> Self {
        Self(ValueError::new("the field is missing").in_field(field))
    }
}

/// Names what was found as [`ValueType`](crate::attribute::ValueType) does.
fn kind<'a>(found: &Unexpected<'a>) -> &'a str {
    match *found {
        Unexpected::Bool(_) => "a boolean",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_) => "a number",
        Unexpected::Char(_) | Unexpected::Str(_) => "a string",
        Unexpected::Bytes(_) => "bytes",
        Unexpected::Unit => "NULL",
        Unexpected::Option => "an optional value",
        Unexpected::NewtypeStruct => "a newtype",
        Unexpected::Seq => "a list",
        Unexpected::Map => "a map",
        Unexpected::Enum => "an enum",
        Unexpected::UnitVariant => "a variant without data",
        Unexpected::NewtypeVariant => "a variant with a value",
        Unexpected::TupleVariant => "a variant with a list",
        Unexpected::StructVariant => "a variant with a map",
        // Serde's text for an `i128` or `u128` contains the value.
        Unexpected::Other(text) if text.starts_with("integer `") => "an integer of more than 64 bits",
        Unexpected::Other(text) => text,
    }
}
