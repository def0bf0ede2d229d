//! Encoding: from an entity, or its key, to JSON, with the checks that DynamoDB would make later.

use super::keys::{check_keys, encode_key_parts, part_of_key, write_derived};
use super::{Entity, EntityInfo};
use crate::codec::{Encoder, Item, ItemWriter, Scanner, ValueError, item_size, largest_attribute, part_size};
use crate::encoded::{EncodedItem, EncodedKey, KeyRanges};
use crate::error::{Doing, Error, Result, Subject};
use crate::key::KeySource;

/// Encodes an entity. Checks its validation rules, the sizes of its keys, and the size of the item.
pub(crate) fn encode_entity<E: Entity>(entity: &E) -> Result<EncodedItem> {
    let mut encoder = Encoder::for_items();
    let keys = encode_into(entity, &mut encoder)?;
    Ok(EncodedItem { json: encoder.into_bytes(), keys })
}

/// The same, into an empty encoder. Returns the ranges of the table's key values.
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
    // JSON is never shorter than the value that it encodes, so for nearly every item this check is enough.
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

/// Checks the keys of an item, and writes its closing bracket.
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

/// The largest item, 400 KB: the names and values of all attributes. Entries in local indexes count too.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
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

/// Encodes the key of an item.
pub(crate) fn encode_key<E: Entity>(key: &E::Key) -> Result<EncodedKey> {
    let mut encoder = Encoder::with_capacity(64);
    let values = encode_key_into::<E>(key, &mut encoder)?;
    Ok(EncodedKey { json: encoder.into_bytes(), values })
}

/// The same, into an empty encoder. Returns the ranges of the key values.
pub(crate) fn encode_key_into<E: Entity>(key: &E::Key, encoder: &mut Encoder) -> Result<KeyRanges> {
    encode_key_parts(E::INFO, &|field| part_of_key::<E>(key, field), encoder)
        .map_err(|error| Error::invalid(Subject::of(E::INFO).during(Doing::LookingFor), &error))
}
