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
#[projection(of = User)]
struct Contact {
    emial: String,
}

fn main() {
    let _ = UserRepo::by_email("a").select_as::<Contact>();
}
