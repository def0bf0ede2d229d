use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(partition)]
    email: Email,
}

#[derive(Attribute, Debug)]
struct Email(String);

fn main() {}
