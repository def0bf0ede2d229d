use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    name: String,
}

fn condition() {
    let _ = User::NAME.size().gt("10");
}

fn main() {}
