//! The codec: Rust values to and from DynamoDB's JSON, without a map of attribute values in between.
//!
//! Encoding writes directly into one buffer: [`Encoder`] writes a value, [`ItemWriter`] the attributes of a
//! struct. Decoding has two steps: [`Value::parse`] finds the position and type of a value in the answer, and
//! [`Attribute::decode`](crate::Attribute::decode) reads it. [`Fields`] finds the attributes of an item for
//! the fields of a struct.

mod attributes;
pub(crate) mod base64;
mod consumed;
mod encoder;
mod equal;
mod field_info;
mod fields;
mod item;
mod key_limits;
mod layout;
pub mod nested_serde;
mod number;
mod place;
mod request;
mod scalar;
mod scanner;
mod shown;
mod size;
mod text;
mod unescape;
mod value;
mod value_error;
mod value_type;

pub use attributes::{Attributes, Item};
pub(crate) use encoder::wrote_nothing;
pub use encoder::{Encoder, MapEncoder};
pub use field_info::FieldInfo;
pub use fields::Fields;
pub use item::ItemWriter;
pub(crate) use item::Refused;
pub use scalar::ScalarType;
pub use value::{Entries, Items, Scalars, Value};
pub use value_error::ValueError;
pub use value_type::ValueType;

pub(crate) use consumed::consumed_capacity;
pub(crate) use key_limits::{KeyRole, check_key};
pub(crate) use number::{
    compare_numbers, integer_text, is_float_text, is_plain_number, is_whole, normal_number, out_of_range,
    plain_number,
};
pub(crate) use request::Request;
pub(crate) use scanner::{RawString, Scanner};
pub(crate) use shown::{beginning, shown};
pub(crate) use size::{item_size, largest_attribute, part_size, value_size};
pub(crate) use text::{is_plain, write_json_string};
pub(crate) use value::scalar_text;
