//! A version is a number, a mark is an `Option` of a moment, and an end is a moment.

use dynorm::prelude::*;

#[derive(Entity, Clone)]
struct Note {
    #[entity(id)]
    id: Id<Note>,
    #[entity(version)]
    version: String,
    #[entity(deleted_at)]
    deleted_at: Timestamp,
    #[entity(ttl)]
    expires_at: u64,
}

fn main() {}
