use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
#[entity(index("by_place", partition = [country, country], sort = [city]))]
#[entity(index("by_city", partition = [city], sort = [country, city]))]
struct House {
    #[entity(id)]
    id: Id<House>,
    country: String,
    city: String,
}

fn main() {}
