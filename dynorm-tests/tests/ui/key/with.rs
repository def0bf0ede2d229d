use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id, with = email)]
    email: String,
}

mod email {}

fn main() {}
