//! An entity has one version, one mark and one end.

use dynorm::prelude::*;

#[derive(Entity, Clone)]
struct Note {
    #[entity(id)]
    id: Id<Note>,
    #[entity(version)]
    version: u64,
    #[entity(version)]
    revision: u64,
    #[entity(deleted_at)]
    deleted_at: Option<Timestamp>,
    #[entity(deleted_at)]
    gone_at: Option<Timestamp>,
}

fn main() {}
