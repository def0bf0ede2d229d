use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
}

fn create(id: Id<User>) {
    let _ = UserRepo::create(id);
}

fn main() {}
