use dynorm::prelude::*;

#[derive(Attribute, Clone, Debug)]
struct Value(u32, u32);

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    value: Value,
}

fn main() {}
