use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
#[entity(index("by_place", partition = [country, city]))]
struct House {
    #[entity(id)]
    id: Id<House>,
    #[entity(serde)]
    country: String,
    #[entity(skip)]
    city: String,
}

fn main() {}
