//! Encoded items and keys, and the equality of keys in DynamoDB's sense.

use std::borrow::Cow;
use std::convert::Infallible;
use std::ops::Range;

use crate::attribute::ScalarType;
use crate::codec::{
    Encoder, Item, Scanner, ValueError, is_plain, is_plain_number, normal_number, scalar_text, shown,
};
use crate::entity::EntityInfo;
use crate::key::{KeyRole, KeySource};

/// The positions of the encoded key values, such as `{"S":"…"}`, in the JSON of an item or key: the partition
/// key, and the sort key, which is empty if the table has none.
pub(crate) type KeyRanges = [Range<usize>; 2];

/// An encoded entity: the JSON of its item, and the positions of the key values in it.
#[derive(Debug)]
pub(crate) struct EncodedItem {
    pub(crate) json: Vec<u8>,
    pub(crate) keys: KeyRanges,
}

impl EncodedItem {
    pub(crate) fn key(&self, info: &'static EntityInfo) -> EncodedKey {
        key_of_json(info, &self.json, &self.keys)
    }
}

/// Returns the key of an item, given the positions of the key values in its JSON.
pub(crate) fn key_of_json(info: &'static EntityInfo, json: &[u8], keys: &KeyRanges) -> EncodedKey {
    EncodedKey::new(info, keys.iter().map(|range| json.get(range.clone()).unwrap_or_default()))
}

/// An encoded key: `{"id":{"S":"…"}}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedKey {
    pub(crate) json: Vec<u8>,
    pub(crate) values: KeyRanges,
}

impl EncodedKey {
    /// Creates a key from encoded values, in the order of the table's keys.
    pub(crate) fn new<'v>(info: &'static EntityInfo, mut values: impl Iterator<Item = &'v [u8]>) -> Self {
        let Ok(key) = Self::write::<Infallible>(info, |_, _, encoder| {
            encoder.raw(values.next().unwrap_or_default());
            Ok(())
        });
        key
    }

    /// Writes a key; `write` adds the value of each key attribute.
    pub(crate) fn write<E>(
        info: &'static EntityInfo,
        write: impl FnMut(KeyRole, &'static KeySource, &mut Encoder) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut encoder = Encoder::with_capacity(64);
        let values = write_key(info, &mut encoder, write)?;
        Ok(Self { json: encoder.into_bytes(), values })
    }

    /// Returns the key of an item of this entity from the server.
    pub(crate) fn of_item(info: &'static EntityInfo, item: &Item<'_>) -> Result<Self, ValueError> {
        Self::write(info, |_, source, encoder| {
            let name = info.attribute(source);
            item.get(name)?.ok_or_else(|| missing_key(name))?.write(encoder);
            Ok(())
        })
    }

    /// Returns bytes that are equal for equal keys: the texts of the key, each with its length, so that ("a",
    /// "bc") and ("ab", "c") differ.
    pub(crate) fn canonical(&self, info: &'static EntityInfo) -> Result<Vec<u8>, ValueError> {
        let texts = KeyTexts::find(info, &self.json, &self.values)?;
        let mut canonical = Vec::with_capacity(64);
        for text in texts.of(&self.json) {
            canonical.extend_from_slice(&text.len().to_le_bytes());
            canonical.extend_from_slice(text);
        }
        Ok(canonical)
    }

    /// Returns the key as errors show it: `id = 01H…`, without the values of sensitive fields.
    pub(crate) fn describe(&self, info: &'static EntityInfo) -> String {
        describe_key(info, &self.json)
    }
}

/// Writes a key into an empty encoder. Returns the positions of its values.
pub(crate) fn write_key<E>(
    info: &'static EntityInfo,
    encoder: &mut Encoder,
    mut write: impl FnMut(KeyRole, &'static KeySource, &mut Encoder) -> Result<(), E>,
) -> Result<KeyRanges, E> {
    let mut values = [0..0, 0..0];
    for ((role, source), place) in info.keys().zip(&mut values) {
        let field = match source {
            KeySource::Field(index) => info.fields.get(*index),
            KeySource::Template(_) => None,
        };
        match field {
            Some(field) => encoder.label(field),
            None => encoder.name(info.attribute(source)),
        }
        let start = encoder.len();
        write(role, source, encoder)?;
        *place = start..encoder.len();
    }
    // Replaces the first comma.
    encoder.set_or_push(0, b'{');
    encoder.push(b'}');
    Ok(values)
}

/// Returns a key, given as JSON, as errors show it: `id = 01H…`, without the values of sensitive fields.
pub(crate) fn describe_key(info: &'static EntityInfo, json: &[u8]) -> String {
    let json = std::str::from_utf8(json).unwrap_or_default();
    let Ok(item) = Item::next(&mut Scanner::new(json)) else { return String::new() };
    // Found by name, since a server may send the attributes of a map in any order.
    let parts = info.keys().filter_map(|(_, source)| {
        let name = info.attribute(source);
        let value = item.get(name).ok()??;
        let text = value.raw().unescape().unwrap_or_default();
        let text = if info.is_sensitive(source) { "…".into() } else { shown(&text) };
        Some(format!("{name} = {text}"))
    });
    parts.collect::<Vec<_>>().join(", ")
}

/// The texts of a key's values, which are equal for keys that DynamoDB treats as equal: the text of a string,
/// the normalized text of a number, the base64 of bytes. They are nearly always ranges of the JSON of the key
/// or item, which is kept separately.
#[derive(Debug)]
pub(crate) struct KeyTexts([KeyText; 2]);

#[derive(Debug)]
enum KeyText {
    Within(Range<usize>),
    Respelled(Box<str>),
}

impl KeyTexts {
    pub(crate) fn find(
        info: &'static EntityInfo,
        json: &[u8],
        values: &KeyRanges,
    ) -> Result<Self, ValueError> {
        let [partition, sort] = values;
        let partition = KeyText::find(info.scalar(&info.partition), json, partition)?;
        let sort = match &info.sort {
            Some(source) => KeyText::find(info.scalar(source), json, sort)?,
            None => KeyText::Within(0..0),
        };
        Ok(Self([partition, sort]))
    }

    /// Returns the texts of the key in `json`.
    pub(crate) fn of<'k>(&'k self, json: &'k [u8]) -> [&'k [u8]; 2] {
        self.0.each_ref().map(|text| match text {
            KeyText::Within(range) => json.get(range.clone()).unwrap_or_default(),
            KeyText::Respelled(text) => text.as_bytes(),
        })
    }
}

impl KeyText {
    fn find(scalar: ScalarType, json: &[u8], value: &Range<usize>) -> Result<Self, ValueError> {
        const BEFORE: usize = r#"{"S":""#.len();
        const AFTER: usize = r#""}"#.len();
        let range = value.start + BEFORE..value.end.saturating_sub(AFTER);
        let is_plain = |text: &&[u8]| match scalar {
            ScalarType::Number => is_plain_number(text),
            // Text with escapes may have several spellings.
            ScalarType::String | ScalarType::Binary => is_plain(text),
        };
        if json.get(range.clone()).filter(is_plain).is_some() {
            return Ok(Self::Within(range));
        }
        let text = scalar_text(json.get(value.clone()).unwrap_or_default())?;
        Ok(Self::Respelled(spelled_once(scalar, text).into()))
    }
}

/// Returns the texts of the key of an item from the server; see [`KeyTexts`].
pub(crate) fn item_texts<'a>(
    info: &'static EntityInfo,
    item: &Item<'a>,
) -> Result<[Cow<'a, str>; 2], ValueError> {
    let mut texts = [Cow::Borrowed(""), Cow::Borrowed("")];
    for (text, (_, source)) in texts.iter_mut().zip(info.keys()) {
        let value = info.key_value(item, source)?;
        let value = value.ok_or_else(|| missing_key(info.attribute(source)))?;
        *text = spelled_once(info.scalar(source), value.raw().unescape()?);
    }
    Ok(texts)
}

fn spelled_once(scalar: ScalarType, text: Cow<'_, str>) -> Cow<'_, str> {
    match (scalar, text) {
        (ScalarType::Number, Cow::Borrowed(text)) => normal_number(text),
        (ScalarType::Number, Cow::Owned(text)) => normal_number(&text).into_owned().into(),
        (ScalarType::String | ScalarType::Binary, text) => text,
    }
}

fn missing_key(name: &'static str) -> ValueError {
    ValueError::new("the key attribute is missing").in_field(name)
}
