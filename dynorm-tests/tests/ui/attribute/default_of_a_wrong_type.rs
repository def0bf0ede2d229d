use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    #[entity(default = "none")]
    age: u32,
    #[entity(default)]
    kind: Kind,
}

#[derive(Attribute, Clone, Debug)]
enum Kind {
    A,
    B,
}

fn main() {}
