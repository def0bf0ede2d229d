use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    #[entity(serde)]
    level: u32,
}

fn condition() {
    let _ = User::LEVEL.is_in([1, 2]);
}

fn main() {}
