use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    addresses: Vec<Address>,
}

#[derive(Attribute, Clone, Debug)]
struct Address {
    city: String,
}

fn condition() {
    let _ = User::ADDRESSES.field(Address::CITY).eq("Paris");
}

fn main() {}
