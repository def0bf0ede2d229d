use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    #[entity]
    name: String,
    #[entity(rename: "a")]
    age: u32,
}

fn main() {}
