use dynorm::prelude::*;

#[derive(Attribute, Clone, Debug)]
struct Value<'a> {
    text: &'a str,
}

fn main() {}
