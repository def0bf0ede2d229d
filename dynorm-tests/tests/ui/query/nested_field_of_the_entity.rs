use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    address: Address,
    name: String,
}

#[derive(Attribute, Clone, Debug)]
struct Address {
    city: String,
}

fn condition() {
    let _ = User::ADDRESS.field(User::NAME).eq("Paris");
}

fn main() {}
