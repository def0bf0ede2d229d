use dynorm::prelude::*;

#[derive(Attribute, Clone, Copy, Debug)]
struct Small(u8);

#[derive(Entity, Clone, Debug)]
#[entity(index("gsi1", partition = "{rank:03}#{small:03}#{level:03}#{name:03}"))]
struct Item {
    #[entity(id)]
    id: Id<Item>,
    rank: Option<i64>,
    small: Option<Small>,
    level: u128,
    name: Option<String>,
}

fn main() {}
