use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(partition, serde)]
    email: String,
}

fn main() {}
