use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    name: String,
}

async fn nothing_else_is_reported(name: &str) -> dynorm::Result<()> {
    let user: User = UserRepo::get(name).await?;
    UserRepo::save(&user).await?;
    UserRepo::delete_by_id((name, 1)).await?;
    assert_eq!(User::NAME.name(), user.name);
    Ok(())
}

fn main() {}
