use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    name: String,
}

#[derive(Attribute, Clone, Debug)]
struct Address {
    city: String,
}

fn condition() {
    let _ = User::NAME.field(Address::CITY).eq("Paris");
}

fn main() {}
