use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    #[entity(index = "by_email")]
    email: String,
    age: u32,
    address: Option<Address>,
    #[entity(serde)]
    theme: (u8, String),
}

#[derive(Attribute, Clone, Debug)]
struct Address {
    city: String,
}

#[derive(Entity, Clone, Debug)]
struct Order {
    #[entity(id)]
    id: Id<Order>,
    total: u32,
}

#[derive(Projection)]
#[projection(of = User)]
struct Contact {
    #[projection(from = Order::TOTAL)]
    total: u32,
}

fn main() {}
