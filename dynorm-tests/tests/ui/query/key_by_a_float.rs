use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    score: f64,
}

fn look(users: Collection<User>) {
    let _ = users.key_by(User::SCORE);
}

fn main() {}
