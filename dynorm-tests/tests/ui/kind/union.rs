use dynorm::prelude::*;

#[derive(Entity, Clone)]
union User {
    id: u32,
}

fn main() {}
