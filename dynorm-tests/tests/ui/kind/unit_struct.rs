use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User;

fn main() {}
