//! The [`Entity`] trait, the description of an entity, and the encoding and decoding of its items.

mod bridge;
mod decode;
mod encode;
mod hook;
mod info;
mod keys;

pub use bridge::{from_item, to_item};
pub(crate) use decode::{check_type, decode_entity, is_of_type};
pub(crate) use encode::{check_size, encode_entity, encode_into, encode_key, encode_key_into};
pub use hook::{Hook, HookFuture, HookResult};
pub(crate) use info::Uniques;
pub use info::{EntityInfo, IndexInfo, StampedField};
pub(crate) use keys::{encode_key_value, part_of_key, write_derived};

pub use crate::attribute::stamp::Stamp;
use crate::codec::{Item, ItemWriter, ValueError};
pub(crate) use crate::encoded::{EncodedItem, EncodedKey};
use crate::key::{EntityKey, Part};
use crate::validation::Violation;

/// A struct that is stored as an item of a table. `#[derive(Entity)]` implements it; see the [crate's
/// page](crate).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an entity",
    label = "this type does not implement `dynorm::Entity`",
    note = "an entity is a struct with `#[derive(Entity, Clone)]`, and a partition key: `#[entity(id)]` or \
            `#[entity(partition)]` on a field"
)]
pub trait Entity: Clone + Send + Sync + Sized + 'static {
    /// The type of the key: that of its field, or a tuple for a composite key and for a key made by a
    /// template.
    type Key: EntityKey;

    /// The description of the entity: its table, fields, keys and indexes.
    const INFO: &'static EntityInfo;

    /// Returns the key of this entity.
    fn entity_key(&self) -> Self::Key;

    /// Writes the fields.
    #[doc(hidden)]
    fn encode_item(&self, item: &mut ItemWriter<'_>) -> Result<(), ValueError>;

    /// Reads the fields.
    #[doc(hidden)]
    fn decode_item(item: &Item<'_>) -> Result<Self, ValueError>;

    /// Returns the field at a position of [`EntityInfo::fields`], if a template uses it.
    #[doc(hidden)]
    fn key_part(&self, _field: usize) -> Option<&dyn Part> {
        None
    }

    /// Sets the id and the timestamps, and increments the version.
    #[doc(hidden)]
    fn stamp_item(&mut self, _stamp: &Stamp) {}

    /// Swaps the fields that are not stored with those of another entity.
    #[doc(hidden)]
    fn take_skipped(&mut self, _from: &mut Self) {}

    /// Returns the validation rules that the entity breaks.
    #[doc(hidden)]
    fn violations(&self) -> Vec<Violation> {
        Vec::new()
    }

    /// Runs a hook.
    #[doc(hidden)]
    fn hook(&mut self, _hook: Hook) -> Option<HookFuture<'_>> {
        None
    }

    /// Returns whether the entity was never saved; `None` if its fields do not tell.
    #[doc(hidden)]
    fn is_new(&self) -> Option<bool> {
        None
    }

    /// Returns the version that the entity was read with.
    #[doc(hidden)]
    fn item_version(&self) -> Option<i128> {
        None
    }
}
