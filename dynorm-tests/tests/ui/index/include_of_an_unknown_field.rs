use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    #[entity(index("by_email", include = [nmae, colour]))]
    email: String,
    name: String,
    age: u32,
}

fn main() {
    let _ = UserRepo::by_email("a");
}
