use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
#[entity(partition = "{number:05}")]
struct Item {
    #[entity(with = module)]
    number: u32,
}

mod module {
    use dynorm::attribute::{Encoder, Value, ValueError};

    pub(super) fn encode(number: &u32, encoder: &mut Encoder) -> Result<(), ValueError> {
        encoder.number(&number.to_string())
    }

    pub(super) fn decode(_: Value<'_>) -> Result<u32, ValueError> {
        Ok(0)
    }
}

fn main() {}
