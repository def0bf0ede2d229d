use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    email: String,
    #[entity(rename = "email")]
    mail: String,
}

fn main() {}
