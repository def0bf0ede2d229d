use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    #[entity(index("by_email", keys_only))]
    email: String,
    #[entity(index("by_email", sort, include = [age]))]
    name: String,
    age: u32,
    city: String,
}

fn main() {}
