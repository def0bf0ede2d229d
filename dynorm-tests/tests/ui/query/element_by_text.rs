use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    tags: Vec<String>,
}

fn condition() {
    let _ = User::TAGS.at("0").eq("b");
}

fn main() {}
