//! What the derive macro says of an entity, and the way from an entity to the bytes of its item and back.

use std::fmt;

use crate::attribute::{Identifier, Moment, ScalarType, Timestamp};
use crate::codec::{
    Encoder, FieldInfo, ItemWriter, Scanner, Value, ValueError, item_size, largest_attribute, scalar_text,
};
use crate::error::{Error, Result, Subject};
use crate::key::{EntityKey, KeyRole, KeySource, Part, Segment, check_key};

/// A struct that is stored as an item of a table. `#[derive(Entity)]` implements it; see the [crate's page](crate).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an entity",
    label = "this type does not implement `dynorm::Entity`",
    note = "an entity is a struct with `#[derive(Entity, Clone)]`, and a partition key: `#[entity(id)]` or `#[entity(partition)]` on a field"
)]
pub trait Entity: Clone + Send + Sync + Sized + 'static {
    /// The key: the type of its field, or a tuple for a composite key and for one made of a template.
    type Key: EntityKey;

    /// Its table, fields, keys and indexes.
    const INFO: &'static EntityInfo;

    /// The key of this entity.
    fn entity_key(&self) -> Self::Key;

    /// Writes its fields.
    #[doc(hidden)]
    fn encode_item(&self, item: &mut ItemWriter<'_>) -> Result<(), ValueError>;

    /// Reads its fields.
    #[doc(hidden)]
    fn decode_item(item: Value<'_>) -> Result<Self, ValueError>;

    /// The field at a position of the table of fields, for those that stand in a template.
    #[doc(hidden)]
    fn key_part(&self, _field: usize) -> Option<&dyn Part> {
        None
    }

    /// Sets the id and the timestamps.
    #[doc(hidden)]
    fn stamp_item(&mut self, _stamp: &Stamp) {}
}

/// What is known of an entity at compile time. The derive macro makes one for each.
#[derive(Clone, Copy)]
pub struct EntityInfo {
    /// The name of the struct.
    pub name: &'static str,
    /// The name of the table, without the prefix of the database.
    pub table: &'static str,
    /// The fields, in the order of the struct.
    pub fields: &'static [FieldInfo],
    /// The partition key of the table.
    pub partition: KeySource,
    /// The sort key of the table.
    pub sort: Option<KeySource>,
    /// The fields that [`Entity::Key`] is made of, in its order.
    pub key_fields: &'static [usize],
    /// The indexes.
    pub indexes: &'static [IndexInfo],
    /// For entities that share their table: the attribute that holds the type of the entity. Its value is the name of the struct.
    pub type_attribute: Option<&'static str>,
}

/// What is known of an index at compile time.
#[derive(Clone, Copy, Debug)]
pub struct IndexInfo {
    /// Its name.
    pub name: &'static str,
    /// A local index shares the partition key of the table.
    pub local: bool,
    /// Its partition key.
    pub partition: KeySource,
    /// Its sort key.
    pub sort: Option<KeySource>,
}

impl EntityInfo {
    /// The attribute that a key is stored in.
    pub(crate) fn attribute(&self, source: &KeySource) -> &'static str {
        match source {
            KeySource::Field(index) => self.fields.get(*index).map_or("", |field| field.name),
            KeySource::Template(template) => template.attribute,
        }
    }

    /// The type of a key.
    pub(crate) fn scalar(&self, source: &KeySource) -> ScalarType {
        match source {
            KeySource::Field(index) => {
                self.fields.get(*index).and_then(|field| field.scalar).unwrap_or(ScalarType::String)
            }
            KeySource::Template(_) => ScalarType::String,
        }
    }

    /// The keys of the table: its partition key and, if it has one, its sort key.
    pub(crate) fn keys(&'static self) -> impl Iterator<Item = (KeyRole, &'static KeySource)> {
        roles(&self.partition, self.sort.as_ref())
    }

    fn is_sensitive(&self, source: &KeySource) -> bool {
        let sensitive = |index: &usize| self.fields.get(*index).is_some_and(|field| field.sensitive);
        match source {
            KeySource::Field(index) => sensitive(index),
            KeySource::Template(template) => template
                .segments
                .iter()
                .any(|segment| matches!(segment, Segment::Field(index, _) if sensitive(index))),
        }
    }
}

impl IndexInfo {
    /// The keys of the index.
    pub(crate) fn keys(&'static self) -> impl Iterator<Item = (KeyRole, &'static KeySource)> {
        roles(&self.partition, self.sort.as_ref())
    }
}

fn roles(
    partition: &'static KeySource,
    sort: Option<&'static KeySource>,
) -> impl Iterator<Item = (KeyRole, &'static KeySource)> {
    std::iter::once((KeyRole::Partition, partition)).chain(sort.map(|sort| (KeyRole::Sort, sort)))
}

/// What a save puts into the fields that are dynorm's to set.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    now: Timestamp,
}

impl Stamp {
    pub(crate) fn now() -> Self {
        Self { now: Timestamp::now() }
    }

    /// A fresh id, unless there is one.
    pub fn id<T: Identifier>(&self, id: &mut T) {
        if id.is_unset() {
            *id = T::fresh();
        }
    }

    /// The current time, unless there is one.
    pub fn created_at<T: Moment>(&self, created_at: &mut T) {
        if created_at.is_unset() {
            *created_at = T::at(self.now);
        }
    }

    /// The current time.
    pub fn updated_at<T: Moment>(&self, updated_at: &mut T) {
        *updated_at = T::at(self.now);
    }
}

/// An entity as it travels: the JSON of its item, and where in it the key of the table lies.
#[derive(Debug)]
pub(crate) struct EncodedItem {
    pub(crate) json: Vec<u8>,
    pub(crate) key: EncodedKey,
}

/// The key of an item as it travels: `{"id":{"S":"…"}}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct EncodedKey(pub(crate) Vec<u8>);

/// Encodes an entity and checks what DynamoDB would refuse: key sizes and the size of the item.
pub(crate) fn encode_entity<E: Entity>(entity: &E) -> Result<EncodedItem> {
    let mut encoder = Encoder::with_capacity(512);
    let mut item = ItemWriter::new(&mut encoder, E::INFO.fields);
    let result = entity
        .encode_item(&mut item)
        .and_then(|()| write_derived(E::INFO, &|field| entity.key_part(field), &mut item))
        .and_then(|()| check_keys(E::INFO, &item));
    let key = result.and_then(|()| {
        let key = table_key(E::INFO, &item)?;
        item.finish();
        Ok(key)
    });
    finish_item(E::INFO, encoder, key)
}

fn finish_item(
    info: &'static EntityInfo,
    encoder: Encoder,
    key: std::result::Result<EncodedKey, ValueError>,
) -> Result<EncodedItem> {
    let json = encoder.into_bytes();
    let refused = |error: ValueError| Error::invalid(Subject::of(info), &error);
    let key = key.map_err(refused)?;
    check_size(info, &json).map_err(|error| Error::invalid(Subject::of(info).with_key(&key), &error))?;
    Ok(EncodedItem { json, key })
}

/// Writes the keys that templates make, and the type of the entity.
fn write_derived<'p>(
    info: &'static EntityInfo,
    field: &dyn Fn(usize) -> Option<&'p dyn Part>,
    item: &mut ItemWriter<'_>,
) -> std::result::Result<(), ValueError> {
    let indexes = info.indexes.iter().flat_map(IndexInfo::keys);
    let mut written: Vec<&'static str> = Vec::new();
    for (_, source) in info.keys().chain(indexes) {
        if let KeySource::Template(template) = source
            && !written.contains(&template.attribute)
        {
            written.push(template.attribute);
            let text = template.render(field).map_err(|error| error.in_field(template.attribute))?;
            if let Some(text) = text {
                item.text(template.attribute, &text, true)?;
            }
        }
    }
    match info.type_attribute {
        Some(attribute) => item.text(attribute, info.name, false),
        None => Ok(()),
    }
}

fn check_keys(info: &'static EntityInfo, item: &ItemWriter<'_>) -> std::result::Result<(), ValueError> {
    let table = format_args!("the table").to_string();
    for (name, json) in item.keys() {
        for (role, source) in info.keys() {
            if info.attribute(source) == name {
                check_key(json, role, &table).map_err(|error| error.in_field(name))?;
            }
        }
        for index in info.indexes {
            for (role, source) in index.keys() {
                if info.attribute(source) == name {
                    check_key(json, role, &format_args!("the index `{}`", index.name))
                        .map_err(|error| error.in_field(name))?;
                }
            }
        }
    }
    Ok(())
}

fn table_key(
    info: &'static EntityInfo,
    item: &ItemWriter<'_>,
) -> std::result::Result<EncodedKey, ValueError> {
    let mut encoder = Encoder::with_capacity(64);
    let mut separator = b'{';
    for (_, source) in info.keys() {
        let name = info.attribute(source);
        let Some((_, json)) = item.keys().find(|(written, _)| *written == name) else {
            return Err(ValueError::new("the key is absent, and an item has one").in_field(name));
        };
        encoder.push(std::mem::replace(&mut separator, b','));
        encoder.json_string(name);
        encoder.push(b':');
        encoder.raw(json);
    }
    encoder.push(b'}');
    Ok(EncodedKey(encoder.into_bytes()))
}

/// 400 KB, the names and values of all attributes; with local indexes, their entries count too.
const MAX_ITEM_BYTES: usize = 400 * 1024;

fn check_size(info: &'static EntityInfo, json: &[u8]) -> std::result::Result<(), ValueError> {
    // A local index projects the whole item, so each costs its size once more.
    let copies = 1 + info.indexes.iter().filter(|index| index.local).count();
    // JSON is never shorter than what it stands for, so nearly every item is settled here.
    if json.len() * copies <= MAX_ITEM_BYTES {
        return Ok(());
    }
    let size = item_size(json)? * copies;
    if size <= MAX_ITEM_BYTES {
        return Ok(());
    }
    let indexes = if copies > 1 { " with its entries in the local indexes" } else { "" };
    let largest = largest_attribute(json)?
        .map(|(name, size)| format!("; the largest attribute is `{name}` with {size} bytes"))
        .unwrap_or_default();
    Err(ValueError::new(format!(
        "the item{indexes} has {size} bytes, and DynamoDB takes {MAX_ITEM_BYTES} (400 KB){largest}"
    )))
}

/// Encodes the key of an item, from what a caller gave for it.
pub(crate) fn encode_key<E: Entity>(key: &E::Key) -> Result<EncodedKey> {
    encode_key_parts(E::INFO, &|field| {
        let position = E::INFO.key_fields.iter().position(|key_field| *key_field == field)?;
        key.part(position)
    })
    .map_err(|error| Error::invalid(Subject::of(E::INFO), &error))
}

fn encode_key_parts<'p>(
    info: &'static EntityInfo,
    field: &dyn Fn(usize) -> Option<&'p dyn Part>,
) -> std::result::Result<EncodedKey, ValueError> {
    let mut encoder = Encoder::with_capacity(64);
    let mut separator = b'{';
    for (role, source) in info.keys() {
        let name = info.attribute(source);
        encoder.push(std::mem::replace(&mut separator, b','));
        encoder.json_string(name);
        encoder.push(b':');
        let start = encoder.len();
        encode_key_value(source, field, &mut encoder).map_err(|error| error.in_field(name))?;
        check_key(encoder.written_since(start), role, &"the table").map_err(|error| error.in_field(name))?;
    }
    encoder.push(b'}');
    Ok(EncodedKey(encoder.into_bytes()))
}

/// Writes the value of one key attribute.
pub(crate) fn encode_key_value<'p>(
    source: &'static KeySource,
    field: &dyn Fn(usize) -> Option<&'p dyn Part>,
    encoder: &mut Encoder,
) -> std::result::Result<(), ValueError> {
    let absent = || ValueError::new("a part of the key is absent");
    match source {
        KeySource::Field(index) => {
            field(*index).filter(|part| !part.is_absent_part()).ok_or_else(absent)?.encode_part(encoder)
        }
        KeySource::Template(template) => encoder.string(&template.render(field)?.ok_or_else(absent)?),
    }
}

/// Reads an item as an entity; `None` for an item of another entity that shares the table.
pub(crate) fn decode_entity<E: Entity>(item: Value<'_>) -> std::result::Result<Option<E>, ValueError> {
    if let Some(attribute) = E::INFO.type_attribute
        && !is_of_type(item, attribute, E::INFO.name)?
    {
        return Ok(None);
    }
    E::decode_item(item).map(Some)
}

fn is_of_type(item: Value<'_>, attribute: &str, name: &str) -> std::result::Result<bool, ValueError> {
    for entry in item.as_map()? {
        let (key, value) = entry?;
        if key == attribute {
            return Ok(value.as_str().is_ok_and(|found| found == name));
        }
    }
    Ok(false)
}

impl EncodedKey {
    /// The key of an item of this entity that came from the server.
    pub(crate) fn of_item(
        info: &'static EntityInfo,
        item: Value<'_>,
    ) -> std::result::Result<Self, ValueError> {
        let mut values: Vec<(&'static str, Vec<u8>)> = Vec::with_capacity(2);
        for entry in item.as_map()? {
            let (name, value) = entry?;
            if let Some((_, source)) = info.keys().find(|(_, source)| info.attribute(source) == name) {
                let mut encoder = Encoder::default();
                value.write(&mut encoder);
                values.push((info.attribute(source), encoder.into_bytes()));
            }
        }
        let mut encoder = Encoder::with_capacity(64);
        let mut separator = b'{';
        for (_, source) in info.keys() {
            let name = info.attribute(source);
            let (_, json) = values
                .iter()
                .find(|(found, _)| *found == name)
                .ok_or_else(|| ValueError::new("the key attribute is missing").in_field(name))?;
            encoder.push(std::mem::replace(&mut separator, b','));
            encoder.json_string(name);
            encoder.push(b':');
            encoder.raw(json);
        }
        encoder.push(b'}');
        Ok(Self(encoder.into_bytes()))
    }

    /// One spelling for all spellings of this key that DynamoDB takes for equal.
    pub(crate) fn canonical(
        &self,
        info: &'static EntityInfo,
    ) -> std::result::Result<Vec<String>, ValueError> {
        let text = std::str::from_utf8(&self.0).map_err(|_| ValueError::new("not UTF-8"))?;
        let mut parts = Vec::with_capacity(2);
        for (entry, (_, source)) in Value::item(&mut Scanner::new(text))?.as_map()?.zip(info.keys()) {
            let (_, value) = entry?;
            let mut encoder = Encoder::default();
            value.write(&mut encoder);
            parts.push(crate::key::canonical(Some(info.scalar(source)), &encoder.into_bytes())?);
        }
        Ok(parts)
    }

    /// The key as an error shows it: `id = 01H…`, the sensitive parts left out.
    pub(crate) fn describe(&self, info: &'static EntityInfo) -> String {
        let mut text = String::new();
        let Ok(json) = std::str::from_utf8(&self.0) else { return text };
        let Ok(entries) = Value::item(&mut Scanner::new(json)).and_then(|item| item.as_map()) else {
            return text;
        };
        for (entry, (_, source)) in entries.zip(info.keys()) {
            let Ok((name, value)) = entry else { return text };
            if !text.is_empty() {
                text.push_str(", ");
            }
            let mut encoder = Encoder::default();
            value.write(&mut encoder);
            let json = encoder.into_bytes();
            let shown =
                if info.is_sensitive(source) { "…".into() } else { scalar_text(&json).unwrap_or_default() };
            text.push_str(&format!("{name} = {shown}"));
        }
        text
    }
}

impl fmt::Debug for EntityInfo {
    /// Short, since errors show it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntityInfo").field("name", &self.name).field("table", &self.table).finish_non_exhaustive()
    }
}
