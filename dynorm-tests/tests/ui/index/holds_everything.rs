use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    #[entity(index("by_email", include = [name]))]
    email: String,
    name: String,
}

#[derive(Entity, Clone, Debug)]
struct Session {
    #[entity(partition)]
    user: String,
    #[entity(sort)]
    at: Timestamp,
    #[entity(lsi("by_device", keys_only))]
    device: String,
}

fn main() {}
