use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(partition)]
    name: String,
    #[entity(sort)]
    tags: Vec<String>,
}

fn main() {}
