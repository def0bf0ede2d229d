use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    age: u32,
}

fn change(mut users: Collection<User>) {
    let _ = users.update_field(User::ID, Id::new());
}

fn main() {}
