use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    #[entity(index("by_email", include = name))]
    email: String,
    #[entity(index("by_name", include = ["age"]))]
    name: String,
    #[entity(index("by_age", include = []))]
    age: u32,
    #[entity(index("by_city", include))]
    city: String,
    #[entity(index("by_street", keys_only = true))]
    street: String,
}

fn main() {}
