use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    address: Address,
    phones: Vec<Phone>,
    seen: Option<std::time::Instant>,
    name: &'static str,
}

#[derive(Clone, Debug)]
struct Address;

#[derive(Clone, Debug)]
struct Phone;

fn main() {}
