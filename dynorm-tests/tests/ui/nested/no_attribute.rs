use dynorm::prelude::*;

#[derive(Attribute, Clone, Debug)]
struct Value {
    inner: Inner,
}

#[derive(Clone, Debug)]
struct Inner;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    value: Value,
}

fn main() {}
