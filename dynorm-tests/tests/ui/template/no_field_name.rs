use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
#[entity(partition = "USER#{first name}")]
struct User {
    id: String,
}

fn main() {}
