use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    name: String,
}

fn main() {}
