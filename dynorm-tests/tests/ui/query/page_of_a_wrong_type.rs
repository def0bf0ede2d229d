use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
}

async fn query() {
    let _ = UserRepo::scan().page("x").await;
}

fn main() {}
