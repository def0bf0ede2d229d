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

async fn delete(user: User) -> dynorm::Result<()> {
    dynorm::transaction().delete(UserRepo::delete(&user).returning_old()).await
}

fn main() {}
