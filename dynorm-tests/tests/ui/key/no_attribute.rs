use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(partition)]
    at: std::time::Instant,
}

fn main() {}
