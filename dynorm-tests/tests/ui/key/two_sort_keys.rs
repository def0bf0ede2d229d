use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct Reading {
    #[entity(partition)]
    sensor: String,
    #[entity(sort)]
    taken_at: Timestamp,
    #[entity(sort)]
    celsius: f64,
}

fn main() {}
