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

async fn read(user: Id<User>, order: Id<Order>) -> dynorm::Result<()> {
    let (_, _) = dynorm::transact_get((UserRepo::find(user), order)).await?;
    Ok(())
}

fn main() {}
