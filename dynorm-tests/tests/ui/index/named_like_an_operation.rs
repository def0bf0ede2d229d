use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    #[entity(index = "find")]
    name: String,
    #[entity(index = "force_delete_by_id")]
    email: String,
}

fn main() {}
