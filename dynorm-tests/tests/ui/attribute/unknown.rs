use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(partiton)]
    id: String,
    #[entity(colour)]
    name: String,
}

fn main() {}
