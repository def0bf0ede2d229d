use dynorm::Tracked;
use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    home: Place,
}

#[derive(Attribute, Clone, Debug)]
struct Place {
    city: String,
}

fn is_dirty(user: &Tracked<User>) -> bool {
    user.is_dirty(User::HOME.field(Place::CITY))
}

fn main() {}
