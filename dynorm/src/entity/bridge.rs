//! Conversions between an entity and the SDK's model of an item, for code that calls the SDK's client itself.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_types::Blob;

use super::{Entity, EntityInfo, decode_entity, encode_entity};
use crate::codec::{Encoder, Item, Scanner, Value, ValueError, ValueType, base64};
use crate::encoded::EncodedKey;
use crate::error::{Error, Result, Subject};

/// Converts an entity to an item in the SDK's model, for calls of the SDK's own client.
///
/// The item has every attribute that a save would write, including keys made by templates, and the same
/// checks are made. Nothing is stamped: an id or a timestamp that is not set yet stays as it is.
///
/// ```
/// use dynorm::prelude::*;
///
/// #[derive(Entity, Clone)]
/// struct Note {
///     #[entity(partition)]
///     title: String,
///     text: String,
/// }
///
/// let note = Note { title: "milk".into(), text: "two bottles".into() };
/// let item = dynorm::to_item(&note)?;
/// assert_eq!(item["text"].as_s().map(String::as_str), Ok("two bottles"));
/// // sdk_client.put_item().table_name("notes").set_item(Some(item)).send().await?;
/// # Ok::<(), dynorm::Error>(())
/// ```
pub fn to_item<E: Entity>(entity: &E) -> Result<HashMap<String, AttributeValue>> {
    let item = encode_entity(entity)?;
    read_attributes(&item.json)
        .map_err(|error| Error::invalid(Subject::of(E::INFO).with_key(&item.key(E::INFO)), &error))
}

/// Converts an item in the SDK's model to an entity; the reverse of [`to_item`].
///
/// ```
/// use dynorm::prelude::*;
///
/// #[derive(Entity, Clone)]
/// struct Note {
///     #[entity(partition)]
///     title: String,
///     text: String,
/// }
///
/// // let item = sdk_client.get_item()….send().await?.item;
/// # let item = dynorm::to_item(&Note { title: "milk".into(), text: "two bottles".into() })?;
/// let note: Note = dynorm::from_item(&item)?;
/// assert_eq!(note.text, "two bottles");
/// # Ok::<(), dynorm::Error>(())
/// ```
pub fn from_item<E: Entity>(item: &HashMap<String, AttributeValue>) -> Result<E> {
    let refused = |error: ValueError| Error::undecodable(Subject::of(E::INFO), &error);
    let json = write_attributes(item).map_err(refused)?;
    let item = Item::next(&mut Scanner::new(&json)).map_err(refused)?;
    let entity = decode_entity(&item).and_then(|entity| entity.ok_or_else(|| of_another_type(E::INFO)));
    entity.map_err(|error| match EncodedKey::of_item(E::INFO, &item) {
        Ok(key) => Error::undecodable(Subject::of(E::INFO).with_key(&key), &error),
        Err(_) => refused(error),
    })
}

/// The error for an item of another entity that shares the table.
fn of_another_type(info: &EntityInfo) -> ValueError {
    let error = ValueError::new(format!("the item is not of the type `{}`", info.type_name()));
    match info.type_attribute {
        Some(attribute) => error.in_field(attribute),
        None => error,
    }
}

/// Reads an item in DynamoDB's JSON into the SDK's model.
fn read_attributes(json: &[u8]) -> std::result::Result<HashMap<String, AttributeValue>, ValueError> {
    let text = std::str::from_utf8(json).map_err(|_| ValueError::new("the item is not UTF-8"))?;
    Item::next(&mut Scanner::new(text))?
        .iter()
        .map(|(name, value)| {
            let name = name.unescape()?.into_owned();
            match attribute_value(value) {
                Ok(value) => Ok((name, value)),
                Err(error) => Err(error.in_field(name)),
            }
        })
        .collect()
}

/// The reverse of [`read_attributes`].
fn write_attributes(item: &HashMap<String, AttributeValue>) -> std::result::Result<String, ValueError> {
    let mut encoder = Encoder::with_capacity(512);
    encoder.push(b'{');
    for (index, (name, value)) in item.iter().enumerate() {
        encoder.separate(index);
        encoder.json_string(name);
        encoder.push(b':');
        write_attribute_value(value, &mut encoder).map_err(|error| error.in_field(name.clone()))?;
    }
    encoder.push(b'}');
    String::from_utf8(encoder.into_bytes()).map_err(|_| ValueError::new("the item is not UTF-8"))
}

/// Converts one value to the SDK's model.
pub(crate) fn attribute_value(value: Value<'_>) -> std::result::Result<AttributeValue, ValueError> {
    Ok(match value.value_type() {
        ValueType::String => AttributeValue::S(value.as_str()?.into_owned()),
        ValueType::Number => AttributeValue::N(number(value)?),
        ValueType::Binary => AttributeValue::B(Blob::new(value.as_bytes()?)),
        ValueType::Bool => AttributeValue::Bool(value.as_bool()?),
        ValueType::Null => AttributeValue::Null(true),
        ValueType::List => AttributeValue::L(
            value
                .as_list()?
                .enumerate()
                .map(|(index, item)| item.and_then(attribute_value).map_err(|error| error.at_index(index)))
                .collect::<std::result::Result<_, _>>()?,
        ),
        ValueType::Map => {
            let mut entries = HashMap::new();
            for entry in value.as_map()? {
                let (key, value) = entry?;
                let value = attribute_value(value).map_err(|error| error.at_key(&*key))?;
                entries.insert(key.into_owned(), value);
            }
            AttributeValue::M(entries)
        }
        ValueType::StringSet => {
            AttributeValue::Ss(elements(value, |item| item.as_str().map(std::borrow::Cow::into_owned))?)
        }
        ValueType::NumberSet => AttributeValue::Ns(elements(value, number)?),
        ValueType::BinarySet => AttributeValue::Bs(elements(value, |item| item.as_bytes().map(Blob::new))?),
    })
}

fn number(value: Value<'_>) -> std::result::Result<String, ValueError> {
    value.as_number()?;
    // A number is sent as a JSON string, which may contain escapes.
    value.raw().unescape().map(std::borrow::Cow::into_owned)
}

fn elements<T>(
    set: Value<'_>,
    mut read: impl FnMut(Value<'_>) -> std::result::Result<T, ValueError>,
) -> std::result::Result<Vec<T>, ValueError> {
    set.as_set()?
        .enumerate()
        .map(|(index, item)| item.and_then(&mut read).map_err(|error| error.at_index(index)))
        .collect()
}

/// Writes one value of the SDK's model. Numbers are not checked: the server checks them, as it does
/// everything that is sent through the SDK.
pub(crate) fn write_attribute_value(
    value: &AttributeValue,
    encoder: &mut Encoder,
) -> std::result::Result<(), ValueError> {
    match value {
        AttributeValue::S(text) => encoder.string(text)?,
        AttributeValue::N(number) => {
            encoder.raw(br#"{"N":"#);
            encoder.json_string(number);
            encoder.push(b'}');
        }
        AttributeValue::B(bytes) => encoder.binary(bytes.as_ref())?,
        AttributeValue::Bool(truth) => encoder.bool(*truth)?,
        AttributeValue::Null(_) => encoder.null()?,
        AttributeValue::L(items) => {
            encoder.begin_list()?;
            for (index, item) in items.iter().enumerate() {
                encoder.separate(index);
                write_attribute_value(item, encoder).map_err(|error| error.at_index(index))?;
            }
            encoder.end_list();
        }
        AttributeValue::M(entries) => encoder.map(|map| {
            entries.iter().try_for_each(|(key, item)| {
                map.raw_entry(key, |encoder| write_attribute_value(item, encoder))
            })
        })?,
        AttributeValue::Ss(texts) => write_set(br#"{"SS":["#, texts.iter().map(String::as_str), encoder),
        AttributeValue::Ns(numbers) => write_set(br#"{"NS":["#, numbers.iter().map(String::as_str), encoder),
        AttributeValue::Bs(blobs) => {
            write_set(br#"{"BS":["#, blobs.iter().map(|blob| base64::encode(blob.as_ref())), encoder);
        }
        _ => return Err(ValueError::new("the SDK's value is of a type that this version does not know")),
    }
    Ok(())
}

fn write_set(opening: &[u8], elements: impl Iterator<Item = impl AsRef<str>>, encoder: &mut Encoder) {
    encoder.raw(opening);
    for (index, element) in elements.enumerate() {
        encoder.separate(index);
        encoder.json_string(element.as_ref());
    }
    encoder.raw(b"]}");
}

/// Any value, in the SDK's model. It keeps sets, bytes and NULL exactly, so it suits a `#[entity(flatten)]`
/// map with attributes of other programs.
#[diagnostic::do_not_recommend]
impl crate::Attribute for AttributeValue {
    type Base = Self;
    type Shape = crate::attribute::shape::Any;

    fn encode(&self, encoder: &mut Encoder) -> std::result::Result<(), ValueError> {
        write_attribute_value(self, encoder)
    }

    fn decode(value: Value<'_>) -> std::result::Result<Self, ValueError> {
        attribute_value(value)
    }
}

#[cfg(test)]
mod tests {
    use super::{attribute_value, read_attributes, write_attribute_value, write_attributes};
    use crate::codec::{Encoder, Scanner, Value};
    use aws_sdk_dynamodb::types::AttributeValue;
    use aws_smithy_types::Blob;
    use std::collections::HashMap;

    fn every_type() -> HashMap<String, AttributeValue> {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        HashMap::from([
            ("text".to_owned(), text("a \"quote\",\n é and \u{1F600}")),
            ("n".to_owned(), AttributeValue::N("-12.50E+3".to_owned())),
            ("b".to_owned(), AttributeValue::B(Blob::new([0, 255]))),
            ("bool".to_owned(), AttributeValue::Bool(false)),
            ("null".to_owned(), AttributeValue::Null(true)),
            ("list".to_owned(), AttributeValue::L(vec![text(""), AttributeValue::L(vec![])])),
            ("map".to_owned(), AttributeValue::M(HashMap::from([("k\"\\".to_owned(), text("v"))]))),
            ("ss".to_owned(), AttributeValue::Ss(vec!["a".to_owned(), "\"".to_owned()])),
            ("ns".to_owned(), AttributeValue::Ns(vec!["1".to_owned(), "2e0".to_owned()])),
            ("bs".to_owned(), AttributeValue::Bs(vec![Blob::new([1]), Blob::new([])])),
            ("a name\t".to_owned(), AttributeValue::Bool(true)),
        ])
    }

    #[test]
    fn every_type_comes_back_as_it_was() {
        let item = every_type();
        let json = write_attributes(&item).unwrap();
        assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok(), "{json}");
        assert_eq!(read_attributes(json.as_bytes()).unwrap(), item);
        assert_eq!(read_attributes(b"{}").unwrap(), HashMap::new());
    }

    #[test]
    fn the_json_is_dynamodbs() {
        let json = |value: AttributeValue| {
            let mut encoder = Encoder::default();
            write_attribute_value(&value, &mut encoder).unwrap();
            String::from_utf8(encoder.into_bytes()).unwrap()
        };
        assert_eq!(json(AttributeValue::Ss(vec!["a".into(), "b".into()])), r#"{"SS":["a","b"]}"#);
        assert_eq!(json(AttributeValue::Ns(vec!["1".into()])), r#"{"NS":["1"]}"#);
        assert_eq!(json(AttributeValue::Bs(vec![Blob::new([0])])), r#"{"BS":["AA=="]}"#);
        assert_eq!(json(AttributeValue::N("007".into())), r#"{"N":"007"}"#);
        assert_eq!(json(AttributeValue::L(vec![AttributeValue::Null(true)])), r#"{"L":[{"NULL":true}]}"#);
    }

    #[test]
    fn nesting_ends_at_32_levels_and_the_error_says_where() {
        let nested =
            |levels| (0..levels).fold(AttributeValue::Bool(true), |inner, _| AttributeValue::L(vec![inner]));
        let item = |levels| HashMap::from([("deep".to_owned(), nested(levels))]);
        assert!(write_attributes(&item(31)).is_ok());
        let error = write_attributes(&item(32)).unwrap_err().to_string();
        assert!(error.starts_with("deep[0][0]") && error.contains("32 levels"), "{error}");
    }

    #[test]
    fn an_answer_that_is_broken_says_where() {
        let error = read_attributes(br#"{"a":{"L":[{"BS":["AA==","*"]}]}}"#).unwrap_err();
        assert_eq!(error.to_string(), "a[0][1]: these bytes are not valid base64");
        let value = Value::parse(&mut Scanner::new(r#"{"M":{"k":{"B":"*"}}}"#)).unwrap();
        assert_eq!(attribute_value(value).unwrap_err().path(), r#"["k"]"#);
    }
}
