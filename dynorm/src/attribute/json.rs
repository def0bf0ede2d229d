//! `serde_json::Value`: stored as the DynamoDB type that fits the value.

use serde_json::{Map, Number, Value as Json};

use super::{Attribute, shape};
use crate::codec::{Encoder, Value, ValueError, ValueType, integer_text, is_float_text};

/// Objects are stored as maps, arrays as lists. Sets are read as arrays, and bytes as base64 text.
///
/// Numbers have the 64 bits of `serde_json`; a number that does not fit is an error and is not rounded.
/// DynamoDB has only one type of number, so a whole float, such as `1.0`, is read as an integer if it fits.
#[diagnostic::do_not_recommend]
impl Attribute for Json {
    type Base = Self;
    type Shape = shape::Any;

    fn encode(&self, encoder: &mut Encoder) -> Result<(), ValueError> {
        match self {
            Json::Null => encoder.null(),
            Json::Bool(value) => encoder.bool(*value),
            Json::Number(number) => match number.as_f64() {
                Some(float) if !number.is_i64() && !number.is_u64() => float.encode(encoder),
                _ => encoder.number(&number.to_string()),
            },
            Json::String(text) => encoder.string(text),
            Json::Array(items) => encoder.list(items),
            Json::Object(entries) => encoder.map(|map| {
                entries.iter().try_for_each(|(key, value)| map.raw_entry(key, |e| value.encode(e)))
            }),
        }
    }

    fn decode(value: Value<'_>) -> Result<Self, ValueError> {
        Ok(match value.value_type() {
            ValueType::Null => Json::Null,
            ValueType::Bool => Json::Bool(value.as_bool()?),
            ValueType::String => Json::String(value.as_str()?.into_owned()),
            ValueType::Binary => Json::String(value.raw().unescape()?.into_owned()),
            ValueType::Number => Json::Number(number(value.as_number()?)?),
            ValueType::List => Json::Array(Self::decode_vec(value)?),
            ValueType::StringSet | ValueType::NumberSet | ValueType::BinarySet => Json::Array(
                value.as_set()?.map(|item| item.and_then(Self::decode)).collect::<Result<_, _>>()?,
            ),
            ValueType::Map => {
                let mut entries = Map::new();
                for entry in value.as_map()? {
                    let (key, value) = entry?;
                    let value = Self::decode(value).map_err(|error| error.at_key(&*key))?;
                    entries.insert(key.into_owned(), value);
                }
                Json::Object(entries)
            }
        })
    }

    fn is_absent(&self) -> bool {
        self.is_null()
    }

    fn absent() -> Option<Self> {
        Some(Json::Null)
    }
}

fn number(text: &str) -> Result<Number, ValueError> {
    if let Some(whole) = integer_text(text) {
        if let Ok(number) = whole.parse::<i64>() {
            return Ok(number.into());
        }
        if let Ok(number) = whole.parse::<u64>() {
            return Ok(number.into());
        }
    }
    text.parse::<f64>()
        .ok()
        .filter(|float| is_float_text(*float, text))
        .and_then(Number::from_f64)
        .ok_or_else(|| ValueError::new("the number does not fit the 64 bits of serde_json without rounding"))
}
