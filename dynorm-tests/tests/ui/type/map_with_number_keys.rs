use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    scores: std::collections::BTreeMap<u32, u32>,
}

fn main() {}
