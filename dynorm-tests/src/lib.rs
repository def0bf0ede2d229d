//! What the tests of dynorm share: a database for each test, on the embedded engine or on the one that
//! `DYNORM_TEST_ENDPOINT` names.

pub mod canned;

use dynorm::Database;

/// What an engine does differently from DynamoDB on AWS, so that a test can say why it expects something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quirk {
    /// Takes index keys longer than DynamoDB does.
    LongIndexKeys,
    /// Refuses index keys of several attributes.
    OneAttributeKeys,
}

/// The engine that the tests run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// The embedded database.
    Embedded,
    /// Whatever `DYNORM_TEST_ENDPOINT` names: DynamoDB Local in CI.
    Endpoint,
}

impl Engine {
    /// The engine of this run.
    #[must_use]
    pub fn of_this_run() -> Self {
        if endpoint().is_some() { Self::Endpoint } else { Self::Embedded }
    }

    /// The one list of what each engine does differently.
    #[must_use]
    pub fn quirks(self) -> &'static [Quirk] {
        match self {
            Self::Embedded => &[Quirk::LongIndexKeys],
            Self::Endpoint => &[Quirk::OneAttributeKeys],
        }
    }

    /// True if this engine has the quirk.
    #[must_use]
    pub fn has(self, quirk: Quirk) -> bool {
        self.quirks().contains(&quirk)
    }
}

fn endpoint() -> Option<String> {
    std::env::var("DYNORM_TEST_ENDPOINT").ok().filter(|url| !url.is_empty())
}

/// A database of its own for one test: nothing in it is shared with another.
///
/// # Panics
/// If the embedded database does not start.
#[must_use]
#[allow(clippy::expect_used, reason = "a test without a database has failed")]
pub fn database() -> Database {
    match endpoint() {
        Some(url) => Database::local(url).with_table_prefix(format!("t{}-", ulid::Ulid::generate())),
        None => Database::memory().expect("the embedded database starts"),
    }
}
