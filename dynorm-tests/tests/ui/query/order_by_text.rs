use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    age: u32,
}

fn query() {
    let _ = UserRepo::scan().order_by("age");
}

fn main() {}
