use dynorm::prelude::*;

#[derive(Entity, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    name: String,
}

fn main() {}
