//! What an entity can say of its type, and cannot.

use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
#[entity(partition = "A#{id}", type_name = "", type_name(also = ["User", "User"]))]
struct Empty {
    id: u32,
}

#[derive(Entity, Clone, Debug)]
#[entity(partition = "A#{id}", type_name(also = ["Same"]))]
struct Same {
    id: u32,
}

#[derive(Entity, Clone, Debug)]
#[entity(partition = "A#{id}", untyped, type_name = "USER", type_attribute = "kind")]
struct Untyped {
    id: u32,
}

#[derive(Entity, Clone, Debug)]
#[entity(type_name = "USER", type_name(also = ["User"]))]
struct Plain {
    #[entity(partition)]
    id: u32,
}

#[derive(Entity, Clone, Debug)]
#[entity(untyped)]
struct PlainUntyped {
    #[entity(partition)]
    id: u32,
}

#[derive(Entity, Clone, Debug)]
#[entity(partition = "A#{id}", type_name = "A", type_name = "B", type_name(), type_name(als = ["C"]))]
struct Twice {
    id: u32,
}

#[derive(Entity, Clone, Debug)]
#[entity(partition = "A#{id}", type_name = ["A"], type_name(also = "B"), untyped = true)]
struct Wrong {
    id: u32,
}

fn main() {}
