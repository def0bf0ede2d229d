use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    #[entity(index)]
    name: String,
    #[entity(index(sort))]
    email: String,
}

fn main() {}
