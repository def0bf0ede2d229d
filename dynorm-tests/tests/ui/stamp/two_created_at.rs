use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    #[entity(created_at)]
    created_at: Timestamp,
    #[entity(created_at)]
    born_at: Timestamp,
}

fn main() {}
