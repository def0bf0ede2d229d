//! `validate` asks the rules of garde.

use dynorm::prelude::*;

#[derive(Entity, Clone)]
#[entity(validate)]
struct Stock {
    #[entity(partition)]
    sku: String,
}

fn main() {}
