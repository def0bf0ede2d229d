//! Hooks that are not written, and a word that takes no value.

use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
#[entity(hooks)]
struct User {
    #[entity(partition)]
    name: String,
}

#[derive(Entity, Clone, Debug)]
#[entity(hooks = true)]
struct Order {
    #[entity(partition)]
    number: u64,
}

#[derive(Entity, Clone, Debug)]
struct Note {
    #[entity(partition, hooks)]
    title: String,
}

fn main() {}
