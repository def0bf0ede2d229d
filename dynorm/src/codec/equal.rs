//! Equality of values in DynamoDB's sense: maps and sets have no order, and 1 equals 1.0.

use std::borrow::Cow;

use super::number::normal_number;
use super::{Value, ValueError, ValueType};

type Result<T> = std::result::Result<T, ValueError>;

impl Value<'_> {
    /// Returns true if DynamoDB treats the values as equal.
    pub(crate) fn equals(&self, other: &Value<'_>) -> Result<bool> {
        if self.value_type() != other.value_type() {
            return Ok(false);
        }
        // Equal values nearly always have the same text.
        if self.raw() == other.raw() {
            return Ok(true);
        }
        Ok(match self.value_type() {
            ValueType::String => self.as_str()? == other.as_str()?,
            ValueType::Number => normal_number(self.as_number()?) == normal_number(other.as_number()?),
            ValueType::Binary => self.as_bytes()? == other.as_bytes()?,
            ValueType::Bool => self.as_bool()? == other.as_bool()?,
            ValueType::Null => true,
            ValueType::List => {
                let (mut these, mut those) = (self.as_list()?, other.as_list()?);
                loop {
                    match (these.next().transpose()?, those.next().transpose()?) {
                        (None, None) => break true,
                        (Some(one), Some(other)) if one.equals(&other)? => {}
                        _ => break false,
                    }
                }
            }
            ValueType::Map => {
                let (these, those) = (entries(self)?, entries(other)?);
                let mut equal = these.len() == those.len();
                for ((name, one), (other_name, other)) in these.iter().zip(&those) {
                    equal = equal && name == other_name && one.equals(other)?;
                }
                equal
            }
            ValueType::StringSet | ValueType::NumberSet | ValueType::BinarySet => {
                elements(self)? == elements(other)?
            }
        })
    }
}

/// Returns the entries of a map, sorted by name.
fn entries<'a>(map: &Value<'a>) -> Result<Vec<(Cow<'a, str>, Value<'a>)>> {
    let mut entries = map.as_map()?.collect::<Result<Vec<_>>>()?;
    entries.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(entries)
}

/// Returns the elements of a set, normalized and sorted.
fn elements<'a>(set: &Value<'a>) -> Result<Vec<Cow<'a, str>>> {
    let element = |value: Result<Value<'a>>| -> Result<Cow<'a, str>> {
        let value = value?;
        match value.value_type() {
            ValueType::Number => Ok(normal_number(value.as_number()?)),
            _ => value.raw().unescape(),
        }
    };
    let mut elements = set.as_set()?.map(element).collect::<Result<Vec<_>>>()?;
    elements.sort_unstable();
    Ok(elements)
}

#[cfg(test)]
mod tests {
    use super::Value;
    use crate::codec::Scanner;

    fn equal(one: &str, other: &str) -> bool {
        let parse = |json| Value::parse(&mut Scanner::new(json)).unwrap();
        assert_eq!(parse(one).equals(&parse(other)).unwrap(), parse(other).equals(&parse(one)).unwrap());
        parse(one).equals(&parse(other)).unwrap()
    }

    #[test]
    fn neither_order_nor_spelling_counts() {
        for (one, other) in [
            (r#"{"S":"a\u0062"}"#, r#"{"S":"ab"}"#),
            (r#"{"N":"1"}"#, r#"{"N":"1.0"}"#),
            (r#"{"NS":["1","20"]}"#, r#"{"NS":["2e1","1"]}"#),
            (r#"{"SS":["a","b"]}"#, r#"{"SS":["b","a"]}"#),
            (r#"{"M":{"a":{"N":"1"},"b":{"S":"x"}}}"#, r#"{"M":{"b":{"S":"x"},"a":{"N":"1.0"}}}"#),
            (r#"{"NULL":true}"#, r#"{"NULL":true}"#),
        ] {
            assert!(equal(one, other), "{one} {other}");
        }
    }

    #[test]
    fn all_else_does() {
        for (one, other) in [
            (r#"{"S":"1"}"#, r#"{"N":"1"}"#),
            (r#"{"L":[{"N":"1"},{"N":"2"}]}"#, r#"{"L":[{"N":"2"},{"N":"1"}]}"#),
            (r#"{"L":[{"N":"1"}]}"#, r#"{"L":[{"N":"1"},{"N":"2"}]}"#),
            (r#"{"SS":["a","b"]}"#, r#"{"SS":["a"]}"#),
            (r#"{"M":{"a":{"N":"1"}}}"#, r#"{"M":{"b":{"N":"1"}}}"#),
            (r#"{"M":{"a":{"N":"1"}}}"#, r#"{"M":{"a":{"N":"1"},"b":{"N":"1"}}}"#),
            (r#"{"M":{"a":{"N":"1"}}}"#, r#"{"M":{"a":{"N":"2"}}}"#),
        ] {
            assert!(!equal(one, other), "{one} {other}");
        }
    }
}
