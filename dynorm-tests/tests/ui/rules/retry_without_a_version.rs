//! Without a version nobody can tell who was faster.

use dynorm::prelude::*;

#[derive(Entity, Clone)]
struct Stock {
    #[entity(partition)]
    sku: String,
    left: u32,
}

fn main() {
    let _ = StockRepo::retry_on_conflict("tea", |stock| stock.left -= 1);
}
