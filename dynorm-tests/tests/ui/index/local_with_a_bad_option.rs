use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct Session {
    #[entity(partition)]
    user: String,
    #[entity(sort)]
    at: Timestamp,
    #[entity(lsi("by_device", sort))]
    device: String,
    #[entity(lsi(keys_only))]
    place: String,
    #[entity(lsi)]
    size: u32,
}

fn main() {}
