use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
#[entity(partition = "{first}\\{last}", sort = "{number:05}\\x")]
#[entity(index("gsi1", partition = "\\{last}\\"))]
struct User {
    first: String,
    last: String,
    number: u32,
}

fn main() {}
