use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    age: u32,
}

#[derive(Entity, Clone, Debug)]
struct Order {
    #[entity(id)]
    id: Id<Order>,
    total: u32,
}

fn condition() {
    let _ = User::AGE.is_in([Order::TOTAL]);
}

fn main() {}
