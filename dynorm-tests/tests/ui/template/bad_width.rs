use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
#[entity(partition = "N#{number:5}")]
struct User {
    number: u32,
}

fn main() {}
