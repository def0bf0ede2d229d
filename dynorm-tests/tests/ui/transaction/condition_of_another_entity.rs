use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    name: String,
    age: u32,
}

#[derive(Entity, Clone, Debug)]
struct Order {
    #[entity(id)]
    id: Id<Order>,
    total: u32,
}

async fn check(id: Id<User>) -> dynorm::Result<()> {
    dynorm::transaction().check(UserRepo::check(id, Order::TOTAL.gt(1))).await
}

fn main() {}
