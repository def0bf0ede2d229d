use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    tags: Vec<String>,
}

fn condition() {
    let _ = User::TAGS.between(1, 2);
}

fn main() {}
