use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
#[entity(partition = "USER#{id")]
struct User {
    id: String,
}

fn main() {}
