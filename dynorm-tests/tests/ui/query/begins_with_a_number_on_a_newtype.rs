use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    email: Email,
}

#[derive(Attribute, Clone, Debug)]
struct Email(String);

fn condition() {
    let _ = User::EMAIL.begins_with(1);
}

fn main() {}
