use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
#[allow(non_snake_case)]
struct User {
    #[entity(id)]
    id: Id<User>,
    email: String,
    eMail: String,
}

fn main() {}
