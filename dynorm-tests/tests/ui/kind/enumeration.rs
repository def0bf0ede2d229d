use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
enum Status {
    Active,
}

fn main() {}
