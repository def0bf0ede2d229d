use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User<T> {
    #[entity(partition)]
    name: String,
    value: T,
}

fn main() {}
