use dynorm::prelude::*;

#[derive(Attribute, Clone, Debug)]
struct Value(std::time::Instant);

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    value: Value,
}

fn main() {}
