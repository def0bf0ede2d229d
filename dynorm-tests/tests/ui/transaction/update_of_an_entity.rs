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

async fn update(mut user: User) -> dynorm::Result<()> {
    user.age += 1;
    dynorm::transaction().update(&user).await
}

fn main() {}
