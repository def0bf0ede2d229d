use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    address: Address,
}

#[derive(Clone, Debug)]
struct Address;

async fn nothing_else_is_reported(user: User) -> dynorm::Result<Option<User>> {
    let user = UserRepo::save(user).await?;
    UserRepo::find(user.id).await
}

fn main() {}
