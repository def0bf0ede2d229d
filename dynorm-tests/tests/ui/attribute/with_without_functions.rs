use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    #[entity(with = money)]
    price: u32,
}

mod money {}

fn main() {}
