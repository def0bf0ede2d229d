use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    #[entity(index = "by_email")]
    email: String,
}

async fn query() -> dynorm::Result<()> {
    let _ = UserRepo::by_email("ada@example.com").await?;
    Ok(())
}

fn main() {}
