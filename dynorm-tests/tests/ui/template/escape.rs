use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
#[entity(partition = "A#{id}", escape = "all")]
struct All {
    id: u32,
}

#[derive(Entity, Clone, Debug)]
#[entity(escape = "none")]
struct Plain {
    #[entity(partition)]
    id: u32,
}

#[derive(Entity, Clone, Debug)]
#[entity(partition = "A#{id}", escape)]
struct Alone {
    id: u32,
}

fn main() {}
