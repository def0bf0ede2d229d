use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    name: String,
}

fn condition() {
    let _ = User::NAME.begins_with(1);
}

fn main() {}
