//! Hooks that would never run.

use dynorm::prelude::*;
use dynorm::{HookResult, Hooks};

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(partition)]
    name: String,
}

impl Hooks for User {
    async fn saving(&mut self) -> HookResult {
        Ok(())
    }
}

fn main() {}
