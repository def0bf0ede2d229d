use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    age: u32,
}

fn query() {
    let _ = UserRepo::scan().select((User::ID, User::ID, User::ID, User::ID, User::ID, User::ID, User::ID, User::ID, User::AGE));
}

fn main() {}
