use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    #[entity(flatten)]
    address: Address,
}

#[derive(Attribute, Clone, Debug, Default)]
struct Address {
    city: String,
}

fn main() {}
