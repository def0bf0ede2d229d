//! What an entity is: what the derive macro says of it, and the way to the bytes of its item and back.

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

pub use crate::attribute::Stamp;
use crate::codec::{Item, ItemWriter, ValueError};
pub(crate) use crate::encoded::{EncodedItem, EncodedKey};
use crate::key::{EntityKey, Part};
use crate::validation::Violation;

/// A struct that is stored as an item of a table. `#[derive(Entity)]` implements it; see the [crate's
/// page](crate).
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
    fn item_version(&self) -> Option<i128> {
        None
    }
}
