//! The size of an item as DynamoDB counts it, which is not the size of its JSON.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>

use super::number::significant_digits;
use super::{Item, RawString, Scanner, Value, ValueError, ValueType};

/// Returns the size in bytes of an item given as JSON: its names and values.
pub(crate) fn item_size(json: &[u8]) -> Result<usize, ValueError> {
    attributes(json)?.try_fold(0, |sum, attribute| attribute.map(|(_, size)| sum + size))
}

/// Returns the size of the given attributes of an item.
pub(crate) fn part_size(json: &[u8], names: &[&str]) -> Result<usize, ValueError> {
    attributes(json)?.try_fold(0, |sum, attribute| {
        let (name, size) = attribute?;
        Ok(sum + if names.contains(&name.as_str()) { size } else { 0 })
    })
}

/// Returns the largest attribute of an item, with its size.
pub(crate) fn largest_attribute(json: &[u8]) -> Result<Option<(String, usize)>, ValueError> {
    let mut largest: Option<(String, usize)> = None;
    for attribute in attributes(json)? {
        let (name, size) = attribute?;
        if largest.as_ref().is_none_or(|(_, most)| *most < size) {
            largest = Some((name, size));
        }
    }
    Ok(largest)
}

/// Returns the size of one encoded value, such as `{"S":"…"}`.
pub(crate) fn value_size(json: &[u8]) -> Result<usize, ValueError> {
    let text = std::str::from_utf8(json).map_err(|_| ValueError::new("not UTF-8"))?;
    size(Value::parse(&mut Scanner::new(text))?)
}

/// Returns the name and size of each attribute of an item.
fn attributes(json: &[u8]) -> Result<impl Iterator<Item = Result<(String, usize), ValueError>>, ValueError> {
    let text = std::str::from_utf8(json).map_err(|_| ValueError::new("not UTF-8"))?;
    let item = Item::next(&mut Scanner::new(text))?;
    let sized = |(name, value): (RawString<'_>, Value<'_>)| {
        let name = name.unescape()?.into_owned();
        let size = name.len() + size(value)?;
        Ok((name, size))
    };
    Ok(item.iter().map(sized).collect::<Vec<_>>().into_iter())
}

fn size(value: Value<'_>) -> Result<usize, ValueError> {
    /// The overhead of a list or map, and of each of its elements.
    const CONTAINER: usize = 3;
    const ELEMENT: usize = 1;
    Ok(match value.value_type() {
        ValueType::String => value.as_str()?.len(),
        ValueType::Number => number_size(value.as_number()?),
        ValueType::Binary => value.as_bytes()?.len(),
        ValueType::Bool | ValueType::Null => 1,
        ValueType::StringSet | ValueType::NumberSet | ValueType::BinarySet => {
            value.as_set()?.try_fold(0, |sum, item| Ok::<_, ValueError>(sum + size(item?)?))?
        }
        ValueType::List => value
            .as_list()?
            .try_fold(CONTAINER, |sum, item| Ok::<_, ValueError>(sum + ELEMENT + size(item?)?))?,
        ValueType::Map => value.as_map()?.try_fold(CONTAINER, |sum, entry| {
            let (name, value) = entry?;
            Ok::<_, ValueError>(sum + ELEMENT + name.len() + size(value)?)
        })?,
    })
}

/// Returns the size of a number: one byte for two significant digits, and one more; another one if it is
/// negative.
fn number_size(text: &str) -> usize {
    significant_digits(text).div_ceil(2) + 1 + usize::from(text.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::{item_size, largest_attribute};

    #[test]
    fn names_and_values_count_and_json_does_not() {
        for (json, size) in [
            (r#"{}"#, 0),
            (r#"{"a":{"S":"\u0001\u0001"}}"#, 3),
            (r#"{"é":{"S":"é"}}"#, 4),
            (r#"{"n":{"N":"-123"}}"#, 5),
            (r#"{"n":{"N":"0012300000.00"}}"#, 4),
            (r#"{"n":{"N":"0"}}"#, 2),
            (r#"{"b":{"B":"AAAA"}}"#, 4),
            (r#"{"t":{"BOOL":true},"u":{"NULL":true}}"#, 4),
            (r#"{"l":{"L":[{"S":"x"},{"S":"y"}]}}"#, 8),
            (r#"{"m":{"M":{"k":{"S":"x"}}}}"#, 7),
            (r#"{"s":{"SS":["ab","c"]}}"#, 4),
        ] {
            assert_eq!(item_size(json.as_bytes()).unwrap(), size, "{json}");
        }
    }

    #[test]
    fn the_largest_attribute_is_named() {
        let json = br#"{"a":{"S":"xx"},"body":{"S":"xxxxxxxx"},"z":{"S":"x"}}"#;
        assert_eq!(largest_attribute(json).unwrap(), Some(("body".to_owned(), 12)));
        assert!(largest_attribute(b"{").is_err());
    }
}
