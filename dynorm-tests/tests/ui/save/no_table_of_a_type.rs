use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    #[entity(index = "by_status")]
    status: Status,
    age: u32,
    name: String,
    nick: Option<String>,
}

#[derive(Attribute, Clone, Copy, Debug, PartialEq)]
enum Status {
    Active,
}

#[derive(Entity, Clone, Debug)]
struct Order {
    #[entity(partition)]
    customer: Id<User>,
    #[entity(sort, id)]
    id: Id<Order>,
}

async fn create(db: Database) -> dynorm::Result<()> {
    db.create_table::<Status>().await?;
    Ok(())
}

fn main() {}
