#![deny(unused_must_use)]

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

async fn save(user: User) {
    dynorm::transaction().save(&user);
}

fn main() {}
