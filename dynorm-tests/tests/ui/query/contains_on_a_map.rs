use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    scores: std::collections::BTreeMap<String, u32>,
}

fn condition() {
    let _ = User::SCORES.contains("chess");
}

fn main() {}
