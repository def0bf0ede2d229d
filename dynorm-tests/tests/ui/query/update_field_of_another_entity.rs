use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
}

#[derive(Entity, Clone, Debug)]
struct Order {
    #[entity(id)]
    id: Id<Order>,
    total: u32,
}

fn change(mut users: Collection<User>) {
    let _ = users.update_field(Order::TOTAL, 1);
}

fn main() {}
