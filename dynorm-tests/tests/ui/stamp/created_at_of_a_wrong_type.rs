use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    #[entity(created_at)]
    created_at: String,
    #[entity(updated_at)]
    updated_at: u64,
}

fn main() {}
