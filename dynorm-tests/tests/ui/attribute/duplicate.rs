use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
#[entity(table = "users")]
#[entity(table = "people")]
struct User {
    #[entity(id, id)]
    id: Id<User>,
    #[entity(rename = "a", rename = "b")]
    name: String,
}

fn main() {}
