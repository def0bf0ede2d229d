use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    #[entity(flatten)]
    rest: std::collections::BTreeMap<String, String>,
    #[entity(flatten)]
    more: std::collections::BTreeMap<String, String>,
}

fn main() {}
