use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    #[entity(index("by_email", keys_only, include = [name]))]
    email: String,
    name: String,
    age: u32,
}

fn main() {}
