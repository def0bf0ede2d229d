use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
#[entity(index("gsi1", partition = "TAGS#{tags}"))]
struct User {
    #[entity(id)]
    id: Id<User>,
    tags: Vec<String>,
}

fn main() {}
