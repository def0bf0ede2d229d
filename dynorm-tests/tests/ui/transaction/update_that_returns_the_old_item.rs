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

async fn update(id: Id<User>) -> dynorm::Result<()> {
    dynorm::transaction().update(UserRepo::update(id).add(User::AGE, 1).returning_old()).await
}

fn main() {}
