use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    age: u32,
}

fn condition() {
    let _ = User::AGE.contains(1);
}

fn main() {}
