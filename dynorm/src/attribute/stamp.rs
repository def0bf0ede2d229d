//! What a save puts into the fields that are dynorm's to set.

use super::Timestamp;

/// What a save puts into the fields that are dynorm's to set.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    pub(crate) now: Timestamp,
}

impl Stamp {
    pub(crate) fn now() -> Self {
        Self { now: Timestamp::now() }
    }
}
