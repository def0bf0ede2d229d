use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(partition)]
    address: Address,
}

#[derive(Attribute, Clone, Debug)]
struct Address {
    city: String,
}

fn main() {}
