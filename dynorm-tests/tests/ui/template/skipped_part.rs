use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
#[entity(partition = "USER#{id}")]
struct User {
    #[entity(skip)]
    id: String,
}

fn main() {}
