use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
#[entity(partition = "USER#{idd}")]
struct User {
    id: String,
}

fn main() {}
