use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
#[entity(partition = "USER#{pk}")]
struct User {
    pk: String,
}

fn main() {}
