//! `#[entity(serde)]`: any type that serde knows, stored as a nested value, with nothing in between.
//!
//! | serde | DynamoDB |
//! |---|---|
//! | text, characters, variants without data | `S` |
//! | integers and floats | `N`, with the limits of the same types as attributes |
//! | booleans | `BOOL` |
//! | bytes (`serialize_bytes`; a plain `Vec<u8>` is a sequence to serde) | `B` |
//! | `None`, `()`, structs without fields or brackets | `NULL` |
//! | sequences and tuples | `L`; the sets are read as well |
//! | structs and maps | `M`; keys are text, characters, integers, booleans or variants without data |
//! | variants with data | `M` with one entry, as in serde_json |
//!
//! What serde itself reads into a buffer first (untagged and internally tagged enums, `#[serde(flatten)]`)
//! cannot hold integers of more than 64 bits, nor maps whose keys are numbers or booleans, as with
//! serde_json: the buffer knows neither, and reading fails. Errors inside of it end at the buffer, without
//! the rest of their path.

mod de;
mod ser;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::de::{DeserializeOwned, Expected, Unexpected};

use super::{Encoder, Value, ValueError};

/// Writes `value` as one nested value.
pub fn encode<T: serde::Serialize + ?Sized>(value: &T, encoder: &mut Encoder) -> Result<(), ValueError> {
    value.serialize(ser::Writer::new(encoder)).map_err(|Error(error)| error)
}

/// Reads what [`encode`] wrote.
pub fn decode<T: DeserializeOwned>(value: Value<'_>) -> Result<T, ValueError> {
    T::deserialize(de::Reader::new(value)).map_err(|Error(error)| error)
}

/// How many `Option`s and newtypes lie around a value. They leave no trace in what is stored, so a type that
/// only wraps itself, such as `struct Chain(Option<Box<Chain>>)`, would go on for ever in what it reads.
#[derive(Clone, Copy, Default)]
struct Wrappers(u8);

impl Wrappers {
    const MOST: u8 = 64;

    fn one_more(self) -> Result<Self, Error> {
        if self.0 < Self::MOST {
            return Ok(Self(self.0 + 1));
        }
        let problem = format!("more than {} `Option`s and newtypes lie around one value", Self::MOST);
        Err(Error(ValueError::new(problem)))
    }
}

/// A [`ValueError`] on its way through serde, which asks for traits of its own.
#[derive(Debug)]
struct Error(ValueError);

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

/// In the words of the other errors of this crate, and without the values, which serde's own messages show.
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

/// What was found, as [`ValueType`](super::ValueType) calls it.
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
        // The text that serde makes of an `i128` or `u128` holds its value.
        Unexpected::Other(text) if text.starts_with("integer `") => "an integer of more than 64 bits",
        Unexpected::Other(text) => text,
    }
}
