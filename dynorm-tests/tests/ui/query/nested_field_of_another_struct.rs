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

#[derive(Attribute, Clone, Debug)]
struct Company {
    city: String,
}

fn condition() {
    let _ = User::ADDRESS.field(Company::CITY).eq("Paris");
}

fn main() {}
