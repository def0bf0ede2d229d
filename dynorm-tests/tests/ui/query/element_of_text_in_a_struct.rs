use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    address: Address,
}

#[derive(Attribute, Clone, Debug)]
struct Address {
    city: String,
}

fn condition() {
    let _ = User::ADDRESS.field(Address::CITY).at(0).eq("P");
}

fn main() {}
