use dynorm::prelude::*;

#[derive(Attribute, Clone, Debug)]
enum Value {
    Active,
    #[attribute(rename = "active")]
    Enabled,
}

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    value: Value,
}

fn main() {}
