//! Fields that cannot be unique.

use std::collections::BTreeSet;

use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id, unique)]
    id: Id<User>,
    #[entity(unique)]
    tags: BTreeSet<String>,
    #[entity(unique)]
    active: bool,
    #[entity(unique, serde)]
    settings: Vec<(u8, u8)>,
    #[entity(unique = "email")]
    email: String,
}

#[derive(Entity, Clone, Debug)]
struct Reading {
    #[entity(partition)]
    sensor: String,
    #[entity(sort, unique)]
    taken_at: Timestamp,
}

fn main() {}
