use dynorm::prelude::*;

#[derive(Attribute, Clone, Copy)]
union Value {
    a: u32,
}

fn main() {}
