use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct Reading {
    #[entity(partition, sort)]
    sensor: String,
}

fn main() {}
