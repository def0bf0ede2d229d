use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    #[entity(index("by_email", include = [id, name, email]))]
    email: String,
    name: String,
    age: u32,
}

fn main() {}
