use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
#[entity(table = "my users")]
struct User {
    #[entity(id)]
    id: Id<User>,
}

fn main() {}
