//! Shared code of the tests: a database for each test, on the embedded engine or on the endpoint in
//! `DYNORM_TEST_ENDPOINT`.

pub mod canned;

use std::time::Duration;

use dynorm::aws::Client;
use dynorm::aws::config::timeout::TimeoutConfig;
use dynorm::aws::types::TimeToLiveSpecification;
use dynorm::{Database, Entity};

/// A difference of an engine from DynamoDB on AWS, which changes what a test expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quirk {
    /// Lets an update of an existing item set an index key that is longer than DynamoDB accepts.
    LongIndexKeysInUpdates,
    /// Deletes expired items within ten seconds, where DynamoDB takes days; see [`keep_expired`]. The
    /// embedded engine never deletes them.
    DeletesExpired,
}

/// The engine of the tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// The embedded database.
    Embedded,
    /// The endpoint in `DYNORM_TEST_ENDPOINT`: DynamoDB Local 3.3 in CI.
    Endpoint,
}

impl Engine {
    /// The engine of this run.
    #[must_use]
    pub fn of_this_run() -> Self {
        if endpoint().is_some() { Self::Endpoint } else { Self::Embedded }
    }

    /// The differences of each engine, in one list.
    #[must_use]
    pub fn quirks(self) -> &'static [Quirk] {
        match self {
            Self::Embedded => &[],
            Self::Endpoint => &[Quirk::LongIndexKeysInUpdates, Quirk::DeletesExpired],
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

/// A new database for one test; nothing in it is shared.
///
/// # Panics
///
/// If the embedded database does not start.
#[must_use]
#[allow(clippy::expect_used, reason = "a test without a database has failed")]
pub fn database() -> Database {
    match endpoint() {
        Some(url) => patient(&url).with_table_prefix(format!("t{}-", ulid::Ulid::generate())),
        None => Database::memory().expect("the embedded database starts"),
    }
}

/// A database on an endpoint. With all tests at once, an engine on a busy machine may take longer for a request
/// than the default time limits allow.
fn patient(url: &str) -> Database {
    let limit = Duration::from_secs(600);
    let limits = TimeoutConfig::builder()
        .read_timeout(limit)
        .operation_attempt_timeout(limit)
        .operation_timeout(limit);
    let config = Database::local(url).client().config().to_builder().timeout_config(limits.build()).build();
    Database::new(Client::from_conf(config))
}

/// Disables the TTL of a table, for tests of expired items: [`Quirk::DeletesExpired`].
///
/// # Panics
///
/// If the TTL is not enabled, or cannot be disabled.
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
