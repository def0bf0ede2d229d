use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
#[entity(index("by_place", partition = [country, tags]))]
struct House {
    #[entity(id)]
    id: Id<House>,
    country: String,
    tags: Vec<String>,
}

fn main() {}
