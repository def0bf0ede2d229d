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

fn delete(id: Id<User>) {
    let _ = UserRepo::delete_by_id(id).when(Order::TOTAL.gt(1));
}

fn main() {}
