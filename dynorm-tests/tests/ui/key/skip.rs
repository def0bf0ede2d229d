use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(partition, skip)]
    email: String,
}

fn main() {}
