use dynorm::prelude::*;

#[derive(Attribute, Clone, Debug)]
struct Maybe(Option<String>);

#[derive(Entity, Clone, Debug)]
#[entity(partition = "ITEM#{maybe}")]
struct Item {
    maybe: Maybe,
}

fn main() {}
