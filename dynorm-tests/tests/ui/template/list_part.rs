use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
#[entity(partition = "USER#{tags}")]
struct User {
    tags: Vec<String>,
}

fn main() {}
