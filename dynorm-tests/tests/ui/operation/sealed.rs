use dynorm::condition::Removable;
use dynorm::operation::Returning;
use dynorm::prelude::*;
use dynorm::query::Selection;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
}

struct Mine;

impl Removable for Mine {}

impl Returning<User> for Mine {
    type Output = ();
}

impl Selection<User> for Mine {
    type Output = ();
    type Many = ();
}

fn main() {}
