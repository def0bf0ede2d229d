//! Decoding: from the bytes of an item to its entity.

use super::keys::{encode_key_value, part_of_key};
use super::{Entity, EntityInfo};
use crate::codec::{Encoder, Item, ScalarType, ValueError, normal_number, scalar_text, shown};
use crate::key::{EntityKey, KeySource, Part};

/// Decodes an item as an entity; `None` for an item of another entity that shares the table.
pub(crate) fn decode_entity<E: Entity>(item: &Item<'_>) -> Result<Option<E>, ValueError> {
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

/// Checks that encoding the entity again gives the stored key. Some types accept more than one spelling, such
/// as times with another offset or ids in lower case. Such an entity would have another key than its item: a
/// delete would delete nothing, and a save would create a second item.
fn check_spelling<'p>(
    info: &'static EntityInfo,
    item: &Item<'_>,
    field: &dyn Fn(usize) -> Option<&'p dyn Part>,
) -> Result<(), ValueError> {
    for (_, source) in info.keys() {
        let name = info.attribute(source);
        let Some(stored) = info.key_value(item, source)? else { continue };
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
                "the key is stored in another spelling than this type is written in, so a write would go to \
                 another item",
            )
            .in_field(name));
        }
    }
    Ok(())
}

pub(crate) fn is_of_type(item: &Item<'_>, info: &EntityInfo) -> Result<bool, ValueError> {
    let Some(attribute) = info.type_attribute else { return Ok(true) };
    Ok(match item.get(attribute)? {
        Some(value) => value.as_str().is_ok_and(|found| info.is_type(&found)),
        None => false,
    })
}

/// Refuses an item that was asked for by its key and has another type, or none: it is another entity's, and no absence.
pub(crate) fn check_type(item: &Item<'_>, info: &EntityInfo) -> Result<(), ValueError> {
    if is_of_type(item, info)? {
        return Ok(());
    }
    let name = info.name;
    let attribute = info.type_attribute.unwrap_or_default();
    let found =
        item.get(attribute)?.and_then(|value| value.as_str().ok().map(|found| shown(&found).to_string()));
    Err(ValueError::type_mismatch(match found {
        Some(found) => format!(
            "an item of the type `{found}`, which is not a `{name}`: give one of the two another key, or, if it is a former name of the type, read it with `#[entity(type_name(also = [\"{found}\"]))]`"
        ),
        None => format!(
            "an item of no type (it has no text in `{attribute}`), which is not a `{name}`: give one of the two another key, or, if the items of this table have no types, say so with `#[entity(untyped)]`"
        ),
    }))
}
