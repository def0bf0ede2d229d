//! The description of an entity, which the derive macro makes at compile time: its table, fields, keys,
//! indexes and rules.
//!
//! To add a rule, add a field and its `const fn` to [`EntityInfo`], and also change the derive macro, which
//! reads the attribute (`dynorm-derive/src/parse/`) and calls the function (`expand/`). What the rule means
//! for reads and writes belongs to `rules.rs` and `write/`.

use std::fmt;

use crate::attribute::Stamp;
use crate::codec::{Encoder, FieldInfo, Item, KeyRole, ScalarType, Value, ValueError};
use crate::key::{KeySource, Segment};

/// The description of an entity: its table, fields, keys, indexes and rules. The derive macro makes one for
/// each entity.
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
    /// The fields that [`Entity::Key`](crate::Entity::Key) is made of, in its order.
    pub key_fields: &'static [usize],
    /// The indexes.
    pub indexes: &'static [IndexInfo],
    /// The attribute that holds the type of the entity, for entities that share a table.
    pub type_attribute: Option<&'static str>,
    /// The values of that attribute: the first is written, and all are read. If empty, the name of the
    /// struct.
    pub type_names: &'static [&'static str],
    /// The field that every write sets to the current time.
    pub updated_at: Option<StampedField>,
    /// The field that a delete sets to the current time, instead of deleting the item.
    pub deleted_at: Option<StampedField>,
    /// The position of the version field, which every write increments.
    pub version: Option<usize>,
    /// The largest version that the type of that field holds.
    pub last_version: u64,
    /// The position of the expiry field, `#[entity(ttl)]`.
    pub ttl: Option<usize>,
    /// The `#[entity(flatten)]` field, which holds the attributes that no other field models.
    pub flattened: Option<&'static str>,
    /// The unique fields.
    pub unique: Option<Uniques>,
    /// True if the entity has hooks; see [`Hooks`](crate::Hooks).
    pub hooks: bool,
}

/// The description of an index.
#[derive(Clone, Copy, Debug)]
pub struct IndexInfo {
    /// The name of the index.
    pub name: &'static str,
    /// True for a local index, which shares the partition key of the table.
    pub local: bool,
    /// The partition key: one attribute, or up to four for a global index.
    pub partition: &'static [KeySource],
    /// The sort key: none, one, or up to four attributes for a global index, in order.
    pub sort: &'static [KeySource],
    /// The projected fields, keys included, as positions in [`EntityInfo::fields`]; `None` if every attribute
    /// is projected.
    pub projection: Option<&'static [usize]>,
}

/// A field that is set to the current time, also by writes without a whole entity.
#[derive(Clone, Copy, Debug)]
pub struct StampedField {
    /// The position in [`EntityInfo::fields`].
    pub field: usize,
    pub(crate) encode: fn(&Stamp, &mut Encoder) -> Result<(), ValueError>,
}

/// The unique fields of an entity: no two items have the same value.
#[derive(Clone, Copy)]
pub struct Uniques {
    /// Their positions in [`EntityInfo::fields`].
    pub fields: &'static [usize],
    /// The table that holds the claimed values, described like that of an entity.
    pub(crate) claims: &'static EntityInfo,
}

impl fmt::Debug for Uniques {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Uniques").field("fields", &self.fields).field("table", &self.claims.table).finish()
    }
}

impl EntityInfo {
    /// Creates the description of an entity with this name and table, and nothing else.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(name: &'static str, table: &'static str) -> Self {
        Self {
            name,
            table,
            fields: &[],
            partition: KeySource::Field(0),
            sort: None,
            key_fields: &[],
            indexes: &[],
            type_attribute: None,
            type_names: &[],
            updated_at: None,
            deleted_at: None,
            version: None,
            last_version: u64::MAX,
            ttl: None,
            flattened: None,
            unique: None,
            hooks: false,
        }
    }

    /// The same, with a field `updated_at`.
    #[doc(hidden)]
    #[must_use]
    pub const fn updated_at(
        self,
        field: usize,
        encode: fn(&Stamp, &mut Encoder) -> Result<(), ValueError>,
    ) -> Self {
        Self { updated_at: Some(StampedField { field, encode }), ..self }
    }

    /// The same, with a field `deleted_at`.
    #[doc(hidden)]
    #[must_use]
    pub const fn deleted_at(
        self,
        field: usize,
        encode: fn(&Stamp, &mut Encoder) -> Result<(), ValueError>,
    ) -> Self {
        Self { deleted_at: Some(StampedField { field, encode }), ..self }
    }

    /// The same, with a version field.
    #[doc(hidden)]
    #[must_use]
    pub const fn version(self, field: usize, last_version: u64) -> Self {
        Self { version: Some(field), last_version, ..self }
    }

    /// The same, with an expiry field.
    #[doc(hidden)]
    #[must_use]
    pub const fn ttl(self, field: usize) -> Self {
        Self { ttl: Some(field), ..self }
    }

    /// The same, with unique fields.
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

    /// The attribute of the deletion time, for entities with soft delete.
    pub(crate) fn deleted_at_attribute(&self) -> Option<&'static str> {
        Some(self.fields.get(self.deleted_at?.field)?.name)
    }

    /// The attribute of the expiry, for entities that expire.
    pub(crate) fn expiry_attribute(&self) -> Option<&'static str> {
        Some(self.fields.get(self.ttl?)?.name)
    }

    /// The attribute of the version.
    pub(crate) fn version_attribute(&self) -> Option<&'static str> {
        Some(self.fields.get(self.version?)?.name)
    }

    /// The type name that is written into the items of the entity.
    pub(crate) fn type_name(&self) -> &'static str {
        self.type_names.first().copied().unwrap_or(self.name)
    }

    /// The oldest type name of the entity, which does not change when the type is renamed.
    pub(crate) fn oldest_type_name(&self) -> &'static str {
        self.type_names.last().copied().unwrap_or(self.name)
    }

    /// Returns true for the current type name, and for former ones.
    pub(crate) fn is_type(&self, found: &str) -> bool {
        found == self.type_name() || self.type_names.contains(&found)
    }

    /// The attribute that a key is stored in.
    pub(crate) fn attribute(&self, source: &KeySource) -> &'static str {
        match source {
            KeySource::Field(index) => self.fields.get(*index).map_or("", |field| field.name),
            KeySource::Template(template) => template.attribute,
        }
    }

    /// The value of a key in an item.
    pub(crate) fn key_value<'a>(
        &self,
        item: &Item<'a>,
        source: &KeySource,
    ) -> Result<Option<Value<'a>>, ValueError> {
        match source {
            KeySource::Field(index) => self.fields.get(*index).map_or(Ok(None), |field| item.field(field)),
            KeySource::Template(template) => item.get(template.attribute),
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

    /// Returns true if an item has derived attributes: keys that templates make, or the type of the entity.
    pub(super) const fn has_derived(&self) -> bool {
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

    /// How many times the size of an item may count: once for the table, and once for each local index.
    pub(super) const fn copies(&self) -> usize {
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

    /// Returns true if no key of the table is made by a template.
    pub(super) fn has_plain_keys(&'static self) -> bool {
        self.keys().all(|(_, source)| matches!(source, KeySource::Field(_)))
    }

    /// The claims table of entities that share a table: with an expiry if any of them has one.
    pub(crate) fn claims_of(infos: &[&'static Self]) -> Option<&'static Self> {
        let claims = infos.iter().filter_map(|info| Some(info.unique?.claims));
        claims.max_by_key(|claims| claims.ttl.is_some())
    }

    /// The error for a field name that is given at run time and does not exist.
    pub(crate) fn no_such_field(&self, name: &str) -> ValueError {
        let known: Vec<String> = self.fields.iter().map(|field| format!("`{}`", field.name)).collect();
        ValueError::new(format!(
            "`{}` has no field that is stored as `{}`; it has {}",
            self.name,
            crate::codec::shown(name),
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

    /// The projected attributes other than keys; `None` if every attribute is projected. The type attribute
    /// of an entity that shares its table is always projected, since every query filters by it.
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

impl fmt::Debug for EntityInfo {
    /// Short, since errors show it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntityInfo")
            .field("name", &self.name)
            .field("table", &self.table)
            .finish_non_exhaustive()
    }
}
