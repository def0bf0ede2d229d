use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
}

async fn query() {
    let _ = UserRepo::scan().page(10).after("from a browser").await;
}

fn main() {}
