use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    active: bool,
}

fn condition() {
    let _ = User::ACTIVE.lt(5);
}

fn main() {}
