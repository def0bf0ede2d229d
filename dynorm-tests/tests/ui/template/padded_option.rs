use dynorm::prelude::*;

#[derive(Attribute, Clone, Debug)]
struct Maybe(Option<u32>);

#[derive(Entity, Clone, Debug)]
#[entity(partition = "{number:05}#{maybe:05}")]
struct Item {
    number: Option<u32>,
    maybe: Maybe,
}

fn main() {}
