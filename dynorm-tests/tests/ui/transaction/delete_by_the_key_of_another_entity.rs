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

async fn delete(id: Id<User>) -> dynorm::Result<()> {
    OrderRepo::transaction().delete_by_id(id).await
}

fn main() {}
