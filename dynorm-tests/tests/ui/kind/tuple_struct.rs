use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User(Id<User>, String);

async fn nothing_else_is_reported(user: User) -> dynorm::Result<User> {
    UserRepo::save(user).await
}

fn main() {}
