use dynorm::prelude::*;

#[derive(Attribute, Clone, Debug)]
#[attribute(tag = "value")]
enum Value {
    Card(String),
    Cash,
}

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    value: Value,
}

fn main() {}
