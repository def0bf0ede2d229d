use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    nick: Option<String>,
}

fn condition() {
    let _ = User::NICK.eq(Some("ada"));
}

fn main() {}
