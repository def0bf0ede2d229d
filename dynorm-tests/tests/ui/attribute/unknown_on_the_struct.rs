use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
#[entity(tabel = "users", id)]
struct User {
    #[entity(id, table = "users")]
    id: Id<User>,
}

fn main() {}
