//! `#[entity(serde)]`: any type that implements serde's traits, stored as a nested value.
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
//! Types that serde reads into a buffer first (untagged and internally tagged enums, `#[serde(flatten)]`)
//! cannot contain integers of more than 64 bits, nor maps whose keys are numbers or booleans: serde's buffer
//! supports neither, and reading fails, as with serde_json. The path of an error inside such a type ends at
//! the buffer.

mod de;
mod error;
mod ser;
#[cfg(test)]
mod tests;

use serde::de::DeserializeOwned;

use super::{Encoder, Value, ValueError};
use error::Error;

/// Writes `value` as one nested value.
pub fn encode<T: serde::Serialize + ?Sized>(value: &T, encoder: &mut Encoder) -> Result<(), ValueError> {
    value.serialize(ser::Writer::new(encoder)).map_err(|Error(error)| error)
}

/// Reads what [`encode`] wrote.
pub fn decode<T: DeserializeOwned>(value: Value<'_>) -> Result<T, ValueError> {
    T::deserialize(de::Reader::new(value)).map_err(|Error(error)| error)
}
