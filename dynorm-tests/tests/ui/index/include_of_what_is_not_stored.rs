use dynorm::prelude::*;

use std::collections::BTreeMap;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    #[entity(index("by_email", include = [cache, rest]))]
    email: String,
    #[entity(skip)]
    cache: u32,
    #[entity(flatten)]
    rest: BTreeMap<String, String>,
}

fn main() {}
