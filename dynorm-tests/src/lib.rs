//! What the tests of dynorm share: a database for each test, on the embedded engine or on the one that
//! `DYNORM_TEST_ENDPOINT` names.

pub mod canned;

use dynorm::aws::types::TimeToLiveSpecification;
use dynorm::{Database, Entity};

/// What an engine does differently from DynamoDB on AWS, so that a test can say why it expects something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quirk {
    /// Takes index keys longer than DynamoDB does.
    LongIndexKeys,
    /// Deletes what has expired within ten seconds, where DynamoDB takes days; see [`keep_expired`]. The embedded engine never
    /// deletes it.
    DeletesExpired,
}

/// The engine that the tests run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// The embedded database.
    Embedded,
    /// Whatever `DYNORM_TEST_ENDPOINT` names: DynamoDB Local 3.3 in CI.
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
            Self::Endpoint => &[Quirk::DeletesExpired],
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

/// Switches the TTL of a table off, for tests that look at expired items: [`Quirk::DeletesExpired`].
///
/// # Panics
/// If it is not on, or cannot be switched off.
#[allow(clippy::expect_used, reason = "a test without its items has failed")]
pub async fn keep_expired<E: Entity>(db: &Database) {
    let table = db.table_name::<E>();
    let ttl = db.client().describe_time_to_live().table_name(&table).send().await.expect("TTL is described");
    let attribute = ttl.time_to_live_description.and_then(|ttl| ttl.attribute_name).expect("TTL is on");
    let off = TimeToLiveSpecification::builder().enabled(false).attribute_name(attribute).build();
    let update = db.client().update_time_to_live().table_name(&table);
    let off = off.expect("a specification");
    update.time_to_live_specification(off).send().await.expect("TTL is switched off");
}
