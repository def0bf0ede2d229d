use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
#[entity(partition_attribute = "pk", type_attribute = "kind")]
struct User {
    #[entity(id)]
    id: Id<User>,
}

fn main() {}
