use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
#[entity(table = users, rename_all = "camel", repo = "My Users")]
struct User {
    #[entity(id = true)]
    id: Id<User>,
    #[entity(rename)]
    name: String,
    #[entity(with = 1)]
    price: u32,
    #[entity(default(3))]
    count: u32,
}

fn main() {}
