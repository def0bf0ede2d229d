use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    age: u32,
}

async fn query() -> dynorm::Result<Collection<User>> {
    let users = UserRepo::scan().get_all()?;
    Ok(users)
}

fn main() {}
