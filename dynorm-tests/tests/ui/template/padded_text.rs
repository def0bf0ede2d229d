//! Only integers keep apart, and in order, when zeros stand in front of them.

use dynorm::prelude::*;

type Code = String;

#[derive(Attribute, Clone, Debug)]
struct Label(String);

#[derive(Attribute, Clone, Copy, Debug)]
enum Kind {
    Small,
    Large,
}

#[derive(Entity, Clone, Debug)]
#[entity(partition = "A", sort = "{code:05}#{label:05}#{kind:05}#{id:05}#{at:05}#{weight:05}")]
struct Item {
    code: Code,
    label: Label,
    kind: Kind,
    id: Id<Item>,
    at: Timestamp,
    weight: f64,
}

#[derive(Entity, Clone, Debug)]
#[entity(partition = "A#{is_new:05}")]
struct Flag {
    is_new: bool,
}

fn main() {}
