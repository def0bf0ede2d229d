use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    #[entity(index = "by_email")]
    email: String,
    age: u32,
    address: Option<Address>,
    #[entity(serde)]
    theme: (u8, String),
}

#[derive(Attribute, Clone, Debug)]
struct Address {
    city: String,
}

#[derive(Projection)]
#[projection(of = User, table = "users")]
struct Contact {
    #[projection(form = User::EMAIL)]
    mail: String,
    #[projection(rename = "age")]
    years: u32,
}

fn main() {}
