//! Saves one user, by dynorm.

use std::collections::BTreeSet;

use dynorm::prelude::*;

#[derive(Entity, Clone, Debug, Default, PartialEq)]
struct User {
    #[entity(id)]
    id: Id<User>,
    email: String,
    first_name: String,
    last_name: String,
    is_active: bool,
    age: u32,
    tags: BTreeSet<String>,
    city: Option<String>,
    created: String,
    updated: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let db = Database::from_env().await?;
    let user = User { email: "ada@example.com".to_owned(), age: 36, ..User::default() };
    UserRepo::save(user).on(&db).await?;
    Ok(())
}
