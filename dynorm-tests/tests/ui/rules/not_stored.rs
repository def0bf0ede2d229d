//! What a rule is about has to be stored, by its type.

use dynorm::prelude::*;

#[derive(Entity, Clone)]
struct Note {
    #[entity(id)]
    id: Id<Note>,
    #[entity(version, skip)]
    version: u64,
    #[entity(deleted_at, serde)]
    deleted_at: Option<Timestamp>,
    #[entity(ttl, skip)]
    expires_at: Option<Timestamp>,
}

fn main() {}
