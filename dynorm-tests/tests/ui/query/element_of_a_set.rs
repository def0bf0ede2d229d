use std::collections::BTreeSet;

use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    tags: BTreeSet<String>,
}

fn condition() {
    let _ = User::TAGS.at(0).eq("new");
}

fn main() {}
