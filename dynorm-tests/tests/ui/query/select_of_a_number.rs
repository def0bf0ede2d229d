use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
}

fn query() {
    let _ = UserRepo::scan().select(1);
}

fn main() {}
