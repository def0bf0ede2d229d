use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
#[entity(partition = "")]
struct User {
    id: String,
}

fn main() {}
