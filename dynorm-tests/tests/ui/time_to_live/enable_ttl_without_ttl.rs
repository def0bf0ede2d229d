use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
}

async fn switch_on(db: Database) -> dynorm::Result<()> {
    db.enable_ttl::<User>().await
}

fn main() {}
