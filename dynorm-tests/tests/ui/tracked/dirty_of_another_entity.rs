use dynorm::Tracked;
use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    name: String,
}

#[derive(Entity, Clone, Debug)]
struct Order {
    #[entity(id)]
    id: Id<Order>,
    total: u32,
}

fn is_dirty(user: &Tracked<User>) -> bool {
    user.is_dirty(Order::TOTAL)
}

fn main() {}
