//! The values that a write sets by itself: the current time.

use super::Timestamp;

/// The values that a write sets by itself: the current time.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    pub(crate) now: Timestamp,
}

impl Stamp {
    pub(crate) fn now() -> Self {
        Self { now: Timestamp::now() }
    }
}
