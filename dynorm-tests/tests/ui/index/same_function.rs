use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    #[entity(index = "by-name")]
    name: String,
    #[entity(index = "by_name")]
    email: String,
}

fn main() {}
