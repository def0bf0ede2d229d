use dynorm::prelude::*;

#[derive(Attribute, Clone, Debug)]
struct Value {
    #[attribute(partition)]
    text: String,
    #[attribute(renam = "x")]
    more: String,
}

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    value: Value,
}

fn main() {}
