//! What the derive macro says of an entity, and the way from an entity to the bytes of its item and back.

use std::fmt;

use crate::attribute::{ScalarType, Timestamp};
use crate::codec::{
    Encoder, FieldInfo, Item, ItemWriter, Scanner, ValueError, item_size, largest_attribute, normal_number,
    part_size, scalar_text,
};
pub(crate) use crate::encoded::{EncodedItem, EncodedKey};
use crate::encoded::{KeyRanges, write_key};
use crate::error::{Error, Result, Subject};
use crate::hooks::{Hook, HookFuture};
use crate::key::{EntityKey, KeyRole, KeySource, Part, Segment, check_key};
use crate::unique::Uniques;
use crate::validation::Violation;

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
    fn decode_item(item: &Item<'_>) -> Result<Self, ValueError>;

    /// The field at a position of the table of fields, for those that stand in a template.
    #[doc(hidden)]
    fn key_part(&self, _field: usize) -> Option<&dyn Part> {
        None
    }

    /// Sets the id and the timestamps, and raises the version.
    #[doc(hidden)]
    fn stamp_item(&mut self, _stamp: &Stamp) {}

    /// Takes the fields that are not stored from another entity, in exchange for its own.
    #[doc(hidden)]
    fn take_skipped(&mut self, _from: &mut Self) {}

    /// The rules that the entity breaks.
    #[doc(hidden)]
    fn violations(&self) -> Vec<Violation> {
        Vec::new()
    }

    /// Runs a hook.
    #[doc(hidden)]
    fn hook(&mut self, _hook: Hook) -> Option<HookFuture<'_>> {
        None
    }

    /// True if it was never saved, as far as it can tell.
    #[doc(hidden)]
    fn is_new(&self) -> Option<bool> {
        None
    }

    /// The version that the entity was read with.
    #[doc(hidden)]
    fn item_version(&self) -> Option<u64> {
        None
    }
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
    /// The field that every write sets to the current time.
    pub updated_at: Option<StampedField>,
    /// The field that a delete sets to the current time, instead of deleting the item.
    pub deleted_at: Option<StampedField>,
    /// The position of the field that every write raises.
    pub version: Option<usize>,
    /// The position of the field that says when the item expires.
    pub ttl: Option<usize>,
    /// The field that holds the attributes which are no other field.
    pub flattened: Option<&'static str>,
    /// The fields whose values no two items have.
    pub unique: Option<Uniques>,
    /// It has hooks: see [`Hooks`](crate::Hooks).
    pub hooks: bool,
}

/// A field that is set to the current time, also by writes that have no whole entity at hand.
#[derive(Clone, Copy, Debug)]
pub struct StampedField {
    /// Its position in the table of fields.
    pub field: usize,
    pub(crate) encode: fn(&Stamp, &mut Encoder) -> std::result::Result<(), ValueError>,
}

/// What is known of an index at compile time.
#[derive(Clone, Copy, Debug)]
pub struct IndexInfo {
    /// Its name.
    pub name: &'static str,
    /// A local index shares the partition key of the table.
    pub local: bool,
    /// Its partition key: one attribute, or up to four of a global index.
    pub partition: &'static [KeySource],
    /// Its sort key: none, one, or up to four of a global index, in their order.
    pub sort: &'static [KeySource],
    /// The fields that the index holds, keys included, as positions of the table of fields; `None` for every attribute.
    pub projection: Option<&'static [usize]>,
}

impl EntityInfo {
    /// The same, with a field `updated_at`.
    #[doc(hidden)]
    #[must_use]
    pub const fn updated_at(
        self,
        field: usize,
        encode: fn(&Stamp, &mut Encoder) -> std::result::Result<(), ValueError>,
    ) -> Self {
        Self { updated_at: Some(StampedField { field, encode }), ..self }
    }

    /// The same, with a field `deleted_at`.
    #[doc(hidden)]
    #[must_use]
    pub const fn deleted_at(
        self,
        field: usize,
        encode: fn(&Stamp, &mut Encoder) -> std::result::Result<(), ValueError>,
    ) -> Self {
        Self { deleted_at: Some(StampedField { field, encode }), ..self }
    }

    /// The same, with a version.
    #[doc(hidden)]
    #[must_use]
    pub const fn version(self, field: usize) -> Self {
        Self { version: Some(field), ..self }
    }

    /// The same, with an end.
    #[doc(hidden)]
    #[must_use]
    pub const fn ttl(self, field: usize) -> Self {
        Self { ttl: Some(field), ..self }
    }

    /// The same, with fields whose values no two items have.
    #[doc(hidden)]
    #[must_use]
    pub const fn uniques(self, fields: &'static [usize], claims: &'static Self) -> Self {
        Self { unique: Some(Uniques { fields, claims }), ..self }
    }

    /// The same, with hooks.
    #[doc(hidden)]
    #[must_use]
    pub const fn hooks(self) -> Self {
        Self { hooks: true, ..self }
    }

    /// The attribute that marks what is deleted.
    pub(crate) fn mark(&self) -> Option<&'static str> {
        Some(self.fields.get(self.deleted_at?.field)?.name)
    }

    /// The attribute that says when an item expires.
    pub(crate) fn end(&self) -> Option<&'static str> {
        Some(self.fields.get(self.ttl?)?.name)
    }

    /// The attribute of the version.
    pub(crate) fn version_attribute(&self) -> Option<&'static str> {
        Some(self.fields.get(self.version?)?.name)
    }

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

    /// True if an item has attributes that are no fields: keys that templates make, or the type of the entity.
    const fn has_derived(&self) -> bool {
        let mut index = 0;
        while index < self.indexes.len() {
            if has_template(self.indexes[index].partition) || has_template(self.indexes[index].sort) {
                return true;
            }
            index += 1;
        }
        has_template(std::slice::from_ref(&self.partition))
            || has_template(self.sort.as_slice())
            || self.type_attribute.is_some()
    }

    /// How often an item may count: once, and once more for each local index, whose entry costs what it holds.
    const fn copies(&self) -> usize {
        let (mut copies, mut index) = (1, 0);
        while index < self.indexes.len() {
            copies += self.indexes[index].local as usize;
            index += 1;
        }
        copies
    }

    /// The keys of the table: its partition key and, if it has one, its sort key.
    pub(crate) fn keys(&'static self) -> impl Iterator<Item = (KeyRole, &'static KeySource)> {
        roles(std::slice::from_ref(&self.partition), self.sort.as_slice())
    }

    /// True if each key is a field as it is.
    fn has_plain_keys(&'static self) -> bool {
        self.keys().all(|(_, source)| matches!(source, KeySource::Field(_)))
    }

    /// The error for a name that was learnt at run time.
    pub(crate) fn no_such_field(&self, name: &str) -> ValueError {
        let known: Vec<String> = self.fields.iter().map(|field| format!("`{}`", field.name)).collect();
        ValueError::new(format!(
            "`{}` has no field that is stored as `{name}`; it has {}",
            self.name,
            known.join(", ")
        ))
    }

    pub(crate) fn is_sensitive(&self, source: &KeySource) -> bool {
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
    #[doc(hidden)]
    #[must_use]
    pub const fn projecting(self, fields: &'static [usize]) -> Self {
        Self { projection: Some(fields), ..self }
    }

    /// The keys of the index.
    pub(crate) fn keys(&'static self) -> impl Iterator<Item = (KeyRole, &'static KeySource)> {
        roles(self.partition, self.sort)
    }

    /// What a projected index of an entity holds beside the keys; `None` for every attribute. The type of an entity that
    /// shares its table is asked for with every query, so it is always there.
    pub(crate) fn beside_keys(&'static self, info: &'static EntityInfo) -> Option<Vec<&'static str>> {
        let is_key =
            |name: &str| info.keys().chain(self.keys()).any(|(_, source)| info.attribute(source) == name);
        let fields = self.projection?.iter().filter_map(|field| Some(info.fields.get(*field)?.name));
        Some(fields.chain(info.type_attribute).filter(|name| !is_key(name)).collect())
    }
}

const fn has_template(keys: &[KeySource]) -> bool {
    let mut index = 0;
    while index < keys.len() {
        if matches!(keys[index], KeySource::Template(_)) {
            return true;
        }
        index += 1;
    }
    false
}

fn roles(
    partition: &'static [KeySource],
    sort: &'static [KeySource],
) -> impl Iterator<Item = (KeyRole, &'static KeySource)> {
    let with = |role: KeyRole| move |source: &'static KeySource| (role, source);
    partition.iter().map(with(KeyRole::Partition)).chain(sort.iter().map(with(KeyRole::Sort)))
}

/// What a save puts into the fields that are dynorm's to set.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    pub(crate) now: Timestamp,
    pub(crate) version: VersionStep,
}

/// What becomes of the version of an entity that is stamped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VersionStep {
    Raise,
    Keep,
    /// A raise is taken back. All else stays as it was stamped.
    Lower,
}

impl Stamp {
    pub(crate) fn now() -> Self {
        Self { now: Timestamp::now(), version: VersionStep::Raise }
    }

    /// For an entity whose id is wanted, and which is not saved yet.
    pub(crate) fn of_id() -> Self {
        Self { version: VersionStep::Keep, ..Self::now() }
    }

    /// Takes back that a version was raised.
    pub(crate) fn taking_back() -> Self {
        Self { version: VersionStep::Lower, ..Self::now() }
    }
}

/// Encodes an entity and checks its own rules, and what DynamoDB would refuse: key sizes and the size of the item.
pub(crate) fn encode_entity<E: Entity>(entity: &E) -> Result<EncodedItem> {
    let mut encoder = Encoder::for_items();
    let keys = encode_into(entity, &mut encoder)?;
    Ok(EncodedItem { json: encoder.into_bytes(), keys })
}

/// The same, into an encoder that is empty. Gives where the values of the table's keys lie.
pub(crate) fn encode_into<E: Entity>(entity: &E, encoder: &mut Encoder) -> Result<KeyRanges> {
    check_rules(entity)?;
    let mut item = ItemWriter::new(encoder, E::INFO.fields);
    let mut written = entity.encode_item(&mut item);
    if const { E::INFO.has_derived() } {
        written = written.and_then(|()| write_derived(E::INFO, &|field| entity.key_part(field), &mut item));
    }
    let keys = written
        .and_then(|()| finish_item(E::INFO, &mut item))
        .map_err(|error| Error::invalid(Subject::of(E::INFO), &error))?;
    // JSON is never shorter than what it stands for, so nearly every item is settled here.
    if encoder.len() * const { E::INFO.copies() } <= MAX_ITEM_BYTES {
        return Ok(keys);
    }
    check_item_size(E::INFO, encoder, keys)
}

fn check_rules<E: Entity>(entity: &E) -> Result<()> {
    let violations = entity.violations();
    if violations.is_empty() {
        return Ok(());
    }
    let subject = Subject::of(E::INFO);
    let subject = match encode_key::<E>(&entity.entity_key()) {
        Ok(key) => subject.with_key(&key),
        Err(_) => subject,
    };
    Err(Error::validation(subject, violations))
}

/// Checks the keys of an item that is written, and ends it.
fn finish_item(
    info: &'static EntityInfo,
    item: &mut ItemWriter<'_>,
) -> std::result::Result<KeyRanges, ValueError> {
    check_keys(info, item)?;
    let range = |source: &KeySource| {
        let name = info.attribute(source);
        let absent = || ValueError::new("the key is absent, and an item has one").in_field(name);
        item.key_range(name).ok_or_else(absent)
    };
    let keys = [range(&info.partition)?, info.sort.as_ref().map_or(Ok(0..0), range)?];
    item.finish();
    Ok(keys)
}

#[cold]
fn check_item_size(info: &'static EntityInfo, encoder: &Encoder, keys: KeyRanges) -> Result<KeyRanges> {
    let Err(error) = check_size(info, encoder.as_bytes()) else { return Ok(keys) };
    let item = EncodedItem { json: encoder.as_bytes().to_vec(), keys };
    Err(Error::invalid(Subject::of(info).with_key(&item.key(info)), &error))
}

/// Writes the keys that templates make, and the type of the entity.
pub(crate) fn write_derived<'p>(
    info: &'static EntityInfo,
    field: &dyn Fn(usize) -> Option<&'p dyn Part>,
    item: &mut ItemWriter<'_>,
) -> std::result::Result<(), ValueError> {
    let mut written: Vec<&'static str> = Vec::new();
    let mut write = |source: &'static KeySource, of_table: bool| {
        let KeySource::Template(template) = source else { return Ok(()) };
        if written.contains(&template.attribute) {
            return Ok(());
        }
        written.push(template.attribute);
        match template.render(field) {
            Ok(Some(text)) => item.key(template.attribute, &text, of_table),
            Ok(None) => Ok(()),
            Err(error) => item.without(template.attribute, error.in_field(template.attribute)),
        }
    };
    write(&info.partition, true)?;
    if let Some(sort) = &info.sort {
        write(sort, true)?;
    }
    for index in info.indexes {
        index.partition.iter().try_for_each(|source| write(source, false))?;
        index.sort.iter().try_for_each(|source| write(source, false))?;
    }
    match info.type_attribute {
        Some(attribute) => item.text(attribute, info.name),
        None => Ok(()),
    }
}

fn check_keys(info: &'static EntityInfo, item: &ItemWriter<'_>) -> std::result::Result<(), ValueError> {
    for (name, json) in item.suspects() {
        for (role, source) in info.keys() {
            if info.attribute(source) == name {
                check_key(json, role, &"the table").map_err(|error| error.in_field(name))?;
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

/// 400 KB, the names and values of all attributes; with local indexes, their entries count too.
const MAX_ITEM_BYTES: usize = 400 * 1024;

pub(crate) fn check_size(info: &'static EntityInfo, json: &[u8]) -> std::result::Result<(), ValueError> {
    if json.len() * info.copies() <= MAX_ITEM_BYTES {
        return Ok(());
    }
    let text = std::str::from_utf8(json).map_err(|_| ValueError::new("not UTF-8"))?;
    let item = Item::next(&mut Scanner::new(text))?;
    let mut size = item_size(json)?;
    let whole = size;
    let mut is_indexed = false;
    for index in info.indexes.iter().filter(|index| index.local) {
        // An item without the sort key of a local index has no entry in it.
        let sort = index.sort.first().map(|sort| item.get(info.attribute(sort))).transpose()?;
        if sort.flatten().is_some() {
            is_indexed = true;
            let keys = info.keys().chain(index.keys()).map(|(_, source)| info.attribute(source));
            size += match index.beside_keys(info) {
                Some(names) => part_size(json, &names.into_iter().chain(keys).collect::<Vec<_>>())?,
                None => whole,
            };
        }
    }
    if size <= MAX_ITEM_BYTES {
        return Ok(());
    }
    let indexes = if is_indexed { " with its entries in the local indexes" } else { "" };
    let largest = largest_attribute(json)?
        .map(|(name, size)| format!("; the largest attribute is `{name}` with {size} bytes"))
        .unwrap_or_default();
    Err(ValueError::new(format!(
        "the item{indexes} has {size} bytes, and DynamoDB takes {MAX_ITEM_BYTES} (400 KB){largest}"
    )))
}

/// Encodes the key of an item, from what a caller gave for it.
pub(crate) fn encode_key<E: Entity>(key: &E::Key) -> Result<EncodedKey> {
    let mut encoder = Encoder::with_capacity(64);
    let values = encode_key_into::<E>(key, &mut encoder)?;
    Ok(EncodedKey { json: encoder.into_bytes(), values })
}

/// The same, into an encoder that is empty. Gives where its values lie.
pub(crate) fn encode_key_into<E: Entity>(key: &E::Key, encoder: &mut Encoder) -> Result<KeyRanges> {
    encode_key_parts(E::INFO, &|field| part_of_key::<E>(key, field), encoder)
        .map_err(|error| Error::invalid(Subject::of(E::INFO).during("looking for"), &error))
}

/// The part of a key that a field is.
pub(crate) fn part_of_key<E: Entity>(key: &E::Key, field: usize) -> Option<&dyn Part> {
    key.part(E::INFO.key_fields.iter().position(|key_field| *key_field == field)?)
}

fn encode_key_parts<'p>(
    info: &'static EntityInfo,
    field: &dyn Fn(usize) -> Option<&'p dyn Part>,
    encoder: &mut Encoder,
) -> std::result::Result<KeyRanges, ValueError> {
    write_key(info, encoder, |role, source, encoder| {
        let start = encoder.len();
        encode_key_value(source, field, encoder)
            .and_then(|()| check_key(encoder.written_since(start), role, &"the table"))
            .map_err(|error| error.in_field(info.attribute(source)))
    })
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
pub(crate) fn decode_entity<E: Entity>(item: &Item<'_>) -> std::result::Result<Option<E>, ValueError> {
    if !is_of_type(item, E::INFO)? {
        return Ok(None);
    }
    let entity = E::decode_item(item)?;
    if !(E::Key::EXACT && E::INFO.has_plain_keys()) {
        let key = entity.entity_key();
        check_spelling(E::INFO, item, &|field| part_of_key::<E>(&key, field))?;
    }
    Ok(Some(entity))
}

/// Decodes an item that was kept as it came.
pub(crate) fn decode_json<E: Entity>(json: &[u8]) -> std::result::Result<Option<E>, ValueError> {
    let text = std::str::from_utf8(json).map_err(|_| ValueError::new("not UTF-8"))?;
    decode_entity(&Item::next(&mut Scanner::new(text))?)
}

/// Some types are read from more than one spelling, such as times with another offset or ids in lower case. In a key that
/// would make the entity stand for an item of another key: a delete would delete nothing, and a save would make a second item.
fn check_spelling<'p>(
    info: &'static EntityInfo,
    item: &Item<'_>,
    field: &dyn Fn(usize) -> Option<&'p dyn Part>,
) -> std::result::Result<(), ValueError> {
    for (_, source) in info.keys() {
        let name = info.attribute(source);
        let Some(stored) = item.key(info, source)? else { continue };
        if let KeySource::Field(index) = source
            && field(*index).and_then(|part| part.is_spelled_part(&stored)) == Some(true)
        {
            continue;
        }
        let mut encoder = Encoder::with_capacity(64);
        encode_key_value(source, field, &mut encoder).map_err(|error| error.in_field(name))?;
        let json = encoder.into_bytes();
        let (stored, written) = (stored.raw().unescape()?, scalar_text(&json)?);
        let number = info.scalar(source) == ScalarType::Number;
        if stored != written && !(number && normal_number(&stored) == normal_number(&written)) {
            return Err(ValueError::new(
                "the key is stored in another spelling than this type is written in, so a write would go to another item",
            )
            .in_field(name));
        }
    }
    Ok(())
}

pub(crate) fn is_of_type(item: &Item<'_>, info: &EntityInfo) -> std::result::Result<bool, ValueError> {
    let Some(attribute) = info.type_attribute else { return Ok(true) };
    Ok(match item.get(attribute)? {
        Some(value) => value.as_str().is_ok_and(|found| found == info.name),
        None => false,
    })
}

impl fmt::Debug for EntityInfo {
    /// Short, since errors show it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntityInfo")
            .field("name", &self.name)
            .field("table", &self.table)
            .finish_non_exhaustive()
    }
}
