use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
#[entity(partition = "USER#{email}")]
struct User {
    email: Option<String>,
}

fn main() {}
