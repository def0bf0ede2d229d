use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
#[entity(tabel = "users")]
struct User {
    #[entity(id)]
    id: Id<User>,
    #[entity(index = "save")]
    email: String,
    #[entity(created_at)]
    created_at: Timestamp,
    #[entity(created_at, crated_at)]
    born_at: Timestamp,
    #[entity(rename = "email")]
    mail: String,
}

fn main() {}
