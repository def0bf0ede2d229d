//! What the derive macro says of an entity: data alone, known at compile time.

use std::fmt;

use crate::attribute::Stamp;
use crate::codec::{Encoder, FieldInfo, Item, KeyRole, ScalarType, Value, ValueError};
use crate::key::{KeySource, Segment};

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
    /// The fields that [`Entity::Key`](crate::Entity::Key) is made of, in its order.
    pub key_fields: &'static [usize],
    /// The indexes.
    pub indexes: &'static [IndexInfo],
    /// For entities that share their table: the attribute that holds the type of the entity.
    pub type_attribute: Option<&'static str>,
    /// The values of that attribute: the first is written, and all are read. None stands for the name of the struct.
    pub type_names: &'static [&'static str],
    /// The field that every write sets to the current time.
    pub updated_at: Option<StampedField>,
    /// The field that a delete sets to the current time, instead of deleting the item.
    pub deleted_at: Option<StampedField>,
    /// The position of the field that every write raises.
    pub version: Option<usize>,
    /// The last version that the type of that field holds.
    pub last_version: u64,
    /// The position of the field that says when the item expires.
    pub ttl: Option<usize>,
    /// The field that holds the attributes which are no other field.
    pub flattened: Option<&'static str>,
    /// The fields whose values no two items have.
    pub unique: Option<Uniques>,
    /// It has hooks: see [`Hooks`](crate::Hooks).
    pub hooks: bool,
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
    /// The fields that the index holds, keys included, as positions of the table of fields; `None` for every
    /// attribute.
    pub projection: Option<&'static [usize]>,
}

/// A field that is set to the current time, also by writes that have no whole entity at hand.
#[derive(Clone, Copy, Debug)]
pub struct StampedField {
    /// Its position in the table of fields.
    pub field: usize,
    pub(crate) encode: fn(&Stamp, &mut Encoder) -> Result<(), ValueError>,
}

/// The fields of an entity whose values no two items have.
#[derive(Clone, Copy)]
pub struct Uniques {
    /// Their positions in the table of fields.
    pub fields: &'static [usize],
    /// The table of the claims, as if it were an entity's.
    pub(crate) claims: &'static EntityInfo,
}

impl fmt::Debug for Uniques {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Uniques").field("fields", &self.fields).field("table", &self.claims.table).finish()
    }
}

impl EntityInfo {
    /// An entity with this name and table; the rest is as for one without.
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

    /// The same, with a version.
    #[doc(hidden)]
    #[must_use]
    pub const fn version(self, field: usize, last_version: u64) -> Self {
        Self { version: Some(field), last_version, ..self }
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

    /// The type that is written into the items of the entity.
    pub(crate) fn type_name(&self) -> &'static str {
        self.type_names.first().copied().unwrap_or(self.name)
    }

    /// The oldest type of the entity, which stays what it is when the type gets another name.
    pub(crate) fn oldest_type_name(&self) -> &'static str {
        self.type_names.last().copied().unwrap_or(self.name)
    }

    /// True for the type that is written, and for former names of it.
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

    /// True if an item has attributes that are no fields: keys that templates make, or the type of the
    /// entity.
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

    /// How often an item may count: once, and once more for each local index, whose entry costs what it
    /// holds.
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

    /// True if each key is a field as it is.
    pub(super) fn has_plain_keys(&'static self) -> bool {
        self.keys().all(|(_, source)| matches!(source, KeySource::Field(_)))
    }

    /// The table of the claims of entities that share their table: with an expiry if any of them expires.
    pub(crate) fn claims_of(infos: &[&'static Self]) -> Option<&'static Self> {
        let claims = infos.iter().filter_map(|info| Some(info.unique?.claims));
        claims.max_by_key(|claims| claims.ttl.is_some())
    }

    /// The error for a name that was learnt at run time.
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

    /// What a projected index of an entity holds beside the keys; `None` for every attribute. The type of an
    /// entity that shares its table is asked for with every query, so it is always there.
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
