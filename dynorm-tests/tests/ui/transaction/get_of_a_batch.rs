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

async fn read(users: Vec<Id<User>>) -> dynorm::Result<()> {
    let (_,) = dynorm::transact_get((UserRepo::batch_get(&users),)).await?;
    Ok(())
}

fn main() {}
