use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
#[entity(index("by_place", partition = [country, city], partition_attribute = "place"))]
struct House {
    #[entity(id)]
    id: Id<House>,
    country: String,
    city: String,
}

fn main() {}
