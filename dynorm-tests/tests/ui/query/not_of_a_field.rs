use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    active: bool,
}

fn query() {
    let _ = UserRepo::filter(!User::ACTIVE);
}

fn main() {}
