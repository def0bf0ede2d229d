use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    age: u32,
    name: String,
}

fn condition() {
    let _ = User::AGE.gt(18) && User::NAME.eq("ada");
}

fn main() {}
