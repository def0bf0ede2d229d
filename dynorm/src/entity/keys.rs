//! Writing the keys of an item from the fields that they are made of, and checking their sizes.

use super::{Entity, EntityInfo};
use crate::codec::{Encoder, ItemWriter, ValueError, check_key};
use crate::encoded::{KeyRanges, write_key};
use crate::key::{EntityKey, KeySource, Part};

/// Returns the part of a key for the field at a position.
pub(crate) fn part_of_key<E: Entity>(key: &E::Key, field: usize) -> Option<&dyn Part> {
    key.part(E::INFO.key_fields.iter().position(|key_field| *key_field == field)?)
}

pub(super) fn encode_key_parts<'p>(
    info: &'static EntityInfo,
    field: &dyn Fn(usize) -> Option<&'p dyn Part>,
    encoder: &mut Encoder,
) -> Result<KeyRanges, ValueError> {
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
) -> Result<(), ValueError> {
    let absent = || ValueError::new("a part of the key is absent");
    match source {
        KeySource::Field(index) => {
            field(*index).filter(|part| !part.is_absent_part()).ok_or_else(absent)?.encode_part(encoder)
        }
        KeySource::Template(template) => encoder.string(&template.render(field)?.ok_or_else(absent)?),
    }
}

/// Writes the derived attributes: the keys that templates make, and the type of the entity.
pub(crate) fn write_derived<'p>(
    info: &'static EntityInfo,
    field: &dyn Fn(usize) -> Option<&'p dyn Part>,
    item: &mut ItemWriter<'_>,
) -> Result<(), ValueError> {
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
        Some(attribute) => item.text(attribute, info.type_name()),
        None => Ok(()),
    }
}

pub(super) fn check_keys(info: &'static EntityInfo, item: &ItemWriter<'_>) -> Result<(), ValueError> {
    for (name, json) in item.keys_to_check() {
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
