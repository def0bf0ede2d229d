use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    address: Address,
}

#[derive(Attribute, Clone, Debug)]
struct Address {
    city: String,
}

fn look(users: Collection<User>) {
    let _ = users.group_by(User::ADDRESS);
}

fn main() {}
