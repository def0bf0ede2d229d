use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct A {
    #[entity(id)]
    id: Id<A>,
}

fn main() {}
