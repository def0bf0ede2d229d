use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    #[entity(skip)]
    cache: Cache,
}

#[derive(Clone, Debug)]
struct Cache;

fn main() {}
