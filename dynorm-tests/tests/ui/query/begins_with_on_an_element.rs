use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    scores: Vec<u32>,
}

fn condition() {
    let _ = User::SCORES.at(0).begins_with("1");
}

fn main() {}
