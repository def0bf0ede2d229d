use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    #[entity(serde, with = shape)]
    shape: u32,
}

mod shape {}

fn main() {}
