//! The values that a write sets by itself: the current time.

use super::Timestamp;

/// The values that a write sets by itself: the current time.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    pub(crate) now: Timestamp,
    pub(crate) version: VersionStep,
}

/// What becomes of the version of an entity that is stamped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VersionStep {
    Raise,
    Keep,
    /// A raise is taken back. All else stays as it was stamped.
    Lower,
}

impl Stamp {
    pub(crate) fn now() -> Self {
        Self { now: Timestamp::now(), version: VersionStep::Raise }
    }

    /// For an entity whose version is raised later, by whatever writes it.
    pub(crate) fn of_id() -> Self {
        Self { version: VersionStep::Keep, ..Self::now() }
    }

    /// Takes back that a version was raised.
    pub(crate) fn taking_back() -> Self {
        Self { version: VersionStep::Lower, ..Self::now() }
    }
}
