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

#[derive(Entity, Clone, Debug)]
struct Order {
    #[entity(id)]
    id: Id<Order>,
    total: u32,
}

#[derive(Projection)]
#[projection(of = Order)]
struct Sum {
    total: u32,
}

fn main() {
    let _ = UserRepo::by_email("a").select_as::<Sum>();
}
