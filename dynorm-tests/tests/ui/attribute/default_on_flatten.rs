use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    #[entity(flatten, default)]
    rest: std::collections::BTreeMap<String, String>,
}

fn main() {}
