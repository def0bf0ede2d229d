use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(partition, flatten)]
    rest: std::collections::BTreeMap<String, String>,
}

fn main() {}
