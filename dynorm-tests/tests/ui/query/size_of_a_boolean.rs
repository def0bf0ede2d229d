use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    active: bool,
}

fn condition() {
    let _ = User::ACTIVE.size().gt(1);
}

fn main() {}
