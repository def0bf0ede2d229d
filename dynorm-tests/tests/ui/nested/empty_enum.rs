use dynorm::prelude::*;

#[derive(Attribute, Clone, Debug)]
enum Value {}

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    value: Value,
}

fn main() {}
