use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
#[entity(index("by_place", partition = [country, city, street, number, floor]))]
struct House {
    #[entity(id)]
    id: Id<House>,
    country: String,
    city: String,
    street: String,
    number: u32,
    floor: u32,
}

fn main() {
    let _ = HouseRepo::by_place("fr", "Paris", "Rivoli", 1u32, 2u32);
}
