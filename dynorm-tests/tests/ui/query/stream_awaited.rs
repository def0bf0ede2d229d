use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    age: u32,
}

async fn query() {
    let _ = UserRepo::scan().stream().await;
}

fn main() {}
