use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct House {
    #[entity(id)]
    id: Id<House>,
    #[entity(index("by_place", partition = [country, city]))]
    country: String,
    city: String,
}

fn main() {}
