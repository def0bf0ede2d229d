use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User<'a> {
    #[entity(partition)]
    name: &'a str,
}

fn main() {}
