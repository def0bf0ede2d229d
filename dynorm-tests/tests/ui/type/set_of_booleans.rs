use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    flags: std::collections::BTreeSet<bool>,
}

fn main() {}
