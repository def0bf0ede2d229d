use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    numbers: std::collections::BTreeSet<f64>,
}

fn main() {}
