use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    age: u32,
}

fn query() {
    let _ = UserRepo::filter(|user: &User| user.age >= 18);
}

fn main() {}
