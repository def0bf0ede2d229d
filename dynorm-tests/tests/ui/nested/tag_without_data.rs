use dynorm::prelude::*;

#[derive(Attribute, Clone, Debug)]
#[attribute(tag = "kind")]
enum Value {
    Card,
    Cash,
}

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    value: Value,
}

fn main() {}
