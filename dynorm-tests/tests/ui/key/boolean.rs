use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(partition)]
    active: bool,
}

fn main() {}
