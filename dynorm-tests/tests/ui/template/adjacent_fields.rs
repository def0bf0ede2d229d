use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
#[entity(partition = "{first}{last}")]
struct User {
    first: String,
    last: String,
}

fn main() {}
