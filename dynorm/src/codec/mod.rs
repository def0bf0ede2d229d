//! Between Rust values and the bytes of DynamoDB's JSON, without a map of attribute values in between.
//!
//! Writing goes straight into one buffer: [`Encoder`] writes a value, [`ItemWriter`] the attributes of a struct.
//! Reading is two small steps: [`Value::parse`] notes where a value lies in the answer and what type it has, and
//! [`Attribute::decode`](crate::Attribute::decode) takes it from there. [`Fields`] sorts the attributes of an item into the fields of a struct.

mod attributes;
pub(crate) mod base64;
mod encoder;
mod equal;
mod fields;
mod item;
mod key_limits;
pub mod nested_serde;
mod number;
mod place;
mod request;
mod scalar;
mod scanner;
mod size;
mod text;
mod unescape;
mod value;
mod value_error;

pub use attributes::{Attributes, Item};
pub use encoder::{Encoder, MapEncoder};
pub use fields::{FieldInfo, Fields};
pub use item::ItemWriter;
pub(crate) use item::Refused;
pub use scalar::ScalarType;
pub use value::{Entries, Items, Scalars, Value, ValueType};
pub use value_error::ValueError;

pub(crate) use key_limits::{KeyRole, check_key};
pub(crate) use number::{
    compare_numbers, integer_text, is_float_text, is_plain_number, is_whole, normal_number, plain_number,
};
pub(crate) use request::Request;
pub(crate) use scanner::{RawString, Scanner};
pub(crate) use size::{item_size, largest_attribute, part_size, value_size};
pub(crate) use text::{is_plain, write_json_string};
pub(crate) use value::scalar_text;
