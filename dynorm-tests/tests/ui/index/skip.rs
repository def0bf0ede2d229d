use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    #[entity(index = "by_name", skip)]
    name: String,
    #[entity(index("by_name", sort))]
    age: u32,
}

fn main() {}
