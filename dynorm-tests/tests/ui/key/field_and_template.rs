use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
#[entity(partition = "USER#{email}")]
struct User {
    #[entity(partition)]
    email: String,
}

fn main() {}
