use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    #[entity(serde)]
    shape: Shape,
}

#[derive(Clone, Debug)]
struct Shape;

fn main() {}
