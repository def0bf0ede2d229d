use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    #[entity(index("by_name", sort))]
    name: String,
}

fn main() {}
