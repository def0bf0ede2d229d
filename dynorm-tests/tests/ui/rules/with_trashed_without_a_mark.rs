//! What is deleted for good is not marked.

use dynorm::prelude::*;

#[derive(Entity, Clone)]
struct Note {
    #[entity(id)]
    id: Id<Note>,
}

fn main() {
    let _ = NoteRepo::find(Id::new()).with_trashed();
    let _ = NoteRepo::restore(Id::new());
}
