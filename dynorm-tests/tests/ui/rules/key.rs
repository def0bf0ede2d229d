//! A key never changes, so nothing that a write changes can be a part of it.

use dynorm::prelude::*;

#[derive(Entity, Clone)]
struct Note {
    #[entity(partition)]
    author: String,
    #[entity(sort, version)]
    version: u64,
}

#[derive(Entity, Clone)]
#[entity(table = "notes", partition = "AUTHOR#{author}", sort = "{changed_at}#{gone_at}")]
struct Change {
    author: String,
    #[entity(updated_at)]
    changed_at: Timestamp,
    #[entity(deleted_at)]
    gone_at: Option<Timestamp>,
}

#[derive(Entity, Clone)]
struct Session {
    #[entity(partition)]
    user: String,
    #[entity(sort, ttl)]
    ends_at: Timestamp,
}

fn main() {}
