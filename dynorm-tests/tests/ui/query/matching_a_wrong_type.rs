use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    status: Status,
}

#[derive(Attribute, Clone, Copy, Debug, PartialEq)]
enum Status {
    Active,
}

fn look(users: Collection<User>) {
    let _ = users.matching(User::STATUS, "active");
}

fn main() {}
