use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    #[entity(index = "by_active")]
    active: bool,
    #[entity(index("by_active", sort))]
    tags: std::collections::BTreeSet<String>,
}

fn main() {}
