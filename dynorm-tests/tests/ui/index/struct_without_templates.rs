use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
#[entity(index("gsi1"))]
struct User {
    #[entity(id)]
    id: Id<User>,
}

fn main() {}
