//! Comparing two states of an entity, as they would be stored.

use crate::codec::{Encoder, Item, ItemWriter, Refused, Scanner, ValueError};
use crate::entity::{Entity, EntityInfo, IndexInfo, write_derived};
use crate::expression::Json;
use crate::key::KeySource;

/// The encoded attributes of an entity. A value that cannot be stored is not an error yet, since it may be
/// changed before the entity is saved.
pub(crate) struct Snapshot {
    json: Vec<u8>,
    refused: Vec<Refused>,
}

impl Snapshot {
    pub(crate) fn of<E: Entity>(entity: &E) -> Self {
        let mut encoder = Encoder::with_capacity(1024);
        let mut item = ItemWriter::collecting(&mut encoder, E::INFO.fields);
        let written = entity
            .encode_item(&mut item)
            .and_then(|()| write_derived(E::INFO, &|field| entity.key_part(field), &mut item));
        let mut refused = item.finish();
        refused.extend(written.err().map(|error| (String::new(), error)));
        Self { json: encoder.into_bytes(), refused }
    }

    pub(crate) fn json(&self) -> &[u8] {
        &self.json
    }

    pub(crate) fn item(&self) -> Result<Item<'_>, ValueError> {
        let text = std::str::from_utf8(&self.json).map_err(|_| ValueError::new("not UTF-8"))?;
        Item::next(&mut Scanner::new(text))
    }

    /// Returns the value of an attribute; `None` if it is absent.
    pub(crate) fn value(&self, name: &str) -> Result<Option<Json>, ValueError> {
        match self.refused.iter().find(|(refused, _)| refused == name) {
            Some((_, error)) => Err(error.clone()),
            None => Ok(self.item()?.get(name)?.map(Json::of)),
        }
    }

    /// Returns the names of the attributes that differ, except derived ones: in the order of the fields,
    /// followed by those of a flattened map. A value that cannot be stored differs from every other.
    pub(crate) fn differences(
        &self,
        info: &'static EntityInfo,
        other: &Self,
    ) -> Result<Vec<String>, ValueError> {
        let (before, after) = (self.item()?, other.item()?);
        let mut names: Vec<String> = Vec::new();
        let mut add = |name: &str| {
            if !is_derived(info, name) && names.iter().all(|known| known != name) {
                names.push(name.to_owned());
            }
        };
        self.refused.iter().chain(&other.refused).for_each(|(name, _)| add(name));
        for (name, value) in after.iter() {
            let name = name.unescape()?;
            let is_equal = match before.get(&name)? {
                Some(found) => found.equals(&value)?,
                None => false,
            };
            if !is_equal {
                add(&name);
            }
        }
        for (name, _) in before.iter() {
            let name = name.unescape()?;
            if after.get(&name)?.is_none() {
                add(&name);
            }
        }
        names.sort_by_key(|name| position(info, name));
        Ok(names)
    }
}

fn position(info: &EntityInfo, name: &str) -> usize {
    info.fields.iter().position(|field| field.name == name).unwrap_or(usize::MAX)
}

/// Returns true for derived attributes: keys that templates make, and the type of the entity.
fn is_derived(info: &'static EntityInfo, name: &str) -> bool {
    let mut sources = info.keys().chain(info.indexes.iter().flat_map(IndexInfo::keys));
    info.type_attribute == Some(name)
        || sources
            .any(|(_, source)| matches!(source, KeySource::Template(template) if template.attribute == name))
}
