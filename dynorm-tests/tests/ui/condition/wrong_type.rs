use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    #[entity(index = "by_status")]
    status: Status,
    age: u32,
    name: String,
    nick: Option<String>,
}

#[derive(Attribute, Clone, Copy, Debug, PartialEq)]
enum Status {
    Active,
}

#[derive(Entity, Clone, Debug)]
struct Order {
    #[entity(partition)]
    customer: Id<User>,
    #[entity(sort, id)]
    id: Id<Order>,
}

fn condition() {
    let _ = User::AGE.eq("x");
    let _ = User::NAME.eq(1);
    let _ = User::STATUS.is_in(["active"]);
    let _ = User::NICK.eq(None::<String>);
}

fn main() {}
