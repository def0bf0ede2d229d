use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct Reading {
    #[entity(sort)]
    taken_at: Timestamp,
}

fn main() {}
