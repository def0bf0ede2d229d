use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    #[entity(index("by_email", keys_only))]
    email: String,
    name: String,
}

async fn name() -> dynorm::Result<String> {
    Ok(UserRepo::by_email("a").one().await?.name)
}

fn main() {}
