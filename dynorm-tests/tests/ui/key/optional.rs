use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(partition)]
    email: Option<String>,
}

fn main() {}
