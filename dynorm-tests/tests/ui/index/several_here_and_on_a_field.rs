use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
#[entity(index("by_place", partition = [country, city]))]
struct House {
    #[entity(id)]
    id: Id<House>,
    country: String,
    city: String,
    #[entity(index = "by_place")]
    street: String,
}

fn main() {}
