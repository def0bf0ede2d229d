use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    #[entity(index("by_email", keys_only))]
    email: String,
    name: String,
}

async fn names() -> dynorm::Result<Vec<String>> {
    let users: Collection<User> = UserRepo::by_email("a").get_all().await?;
    Ok(users.iter().map(|user| user.name.clone()).collect())
}

fn main() {}
