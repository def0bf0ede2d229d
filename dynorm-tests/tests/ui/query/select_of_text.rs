use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    name: String,
}

fn query() {
    let _ = UserRepo::scan().select("name");
}

fn main() {}
