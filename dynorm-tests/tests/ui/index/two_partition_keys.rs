use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    #[entity(index = "by_name")]
    first_name: String,
    #[entity(index = "by_name")]
    last_name: String,
}

fn main() {}
