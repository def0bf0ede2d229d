use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    #[entity(index("repo", keys_only))]
    email: String,
    name: String,
}

fn main() {}
