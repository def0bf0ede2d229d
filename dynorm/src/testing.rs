//! Fault injection: a database that fails on purpose, to test how your code handles failures of DynamoDB.
//!
//! [`Faults`] is an HTTP client between the SDK and any [`Database`](crate::Database) (embedded, DynamoDB
//! Local, AWS). All code above it is the code that runs in production. Requests that it lets through are
//! executed, so a test can compare the results that it got with the contents of the tables. Local engines
//! never throttle or leave items unprocessed otherwise.
//!
//! A test of your own code, with scripted failures:
//!
//! ```
//! use dynorm::prelude::*;
//! use dynorm::testing::{Fault, FaultLog, Faults};
//!
//! #[derive(Entity, Clone, Debug, PartialEq)]
//! struct Visit {
//!     #[entity(partition)]
//!     page: String,
//!     count: u32,
//! }
//!
//! /// The code under test: tries once more where that cannot do harm, and raises the alarm otherwise.
//! async fn record(visit: Visit, alarms: &mut Vec<String>) {
//!     for attempt in 1.. {
//!         match VisitRepo::save(&visit).await {
//!             Ok(_) => return,
//!             Err(error) if error.is_retryable() && attempt < 2 => {}
//!             Err(error) => return alarms.push(error.to_string()),
//!         }
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> dynorm::Result<()> {
//! let db = Database::memory()?;
//! db.create_table::<Visit>().await?;
//! let (log, mut alarms) = (FaultLog::default(), Vec::new());
//! let script = [Fault::Throttle, Fault::None, Fault::Throttle, Fault::Throttle];
//! let faulty = Faults::scripted(script).log(&log).on(&db);
//!
//! faulty
//!     .scope(async {
//!         record(Visit { page: "/".into(), count: 1 }, &mut alarms).await; // the second attempt succeeds
//!         record(Visit { page: "/about".into(), count: 1 }, &mut alarms).await; // no attempt does
//!     })
//!     .await;
//!
//! assert_eq!(alarms.len(), 1);
//! assert_eq!((log.total().requests, log.total().throttled), (4, 3));
//! assert_eq!(VisitRepo::count().on(&db).await?, 1);
//! # Ok(())
//! # }
//! ```
//!
//! # What is subject to faults
//!
//! Operations on items: single operations, batches, queries, scans, transactions and PartiQL. Operations on
//! tables always pass and are not counted, so `create_table` works on the faulty database too.
//! [`Faults::only`] restricts the faults to some operations.
//!
//! A retry, by the SDK or by dynorm, is a request like any other. The SDK retries some failures, so on AWS
//! and DynamoDB Local a single throttled request is often not visible to your code. With the embedded
//! database the SDK's retries are disabled.
//!
//! # Chance and order
//!
//! The fault of a request depends only on the seed and the number of the request. The same seed and the same
//! order of requests give the same faults, with the same version of dynorm. Requests that are in flight at
//! the same time may come in another order in the next run, and [the capacity](Faults::write_capacity)
//! depends on tokio's clock. For a reproducible run, send one request after another, or pause the clock on a
//! current-thread runtime.
//!
//! # AWS
//!
//! Removing items from a request invalidates its signature, so AWS refuses it: use `unprocessed` and
//! capacities with a local engine only. The other faults work with AWS as well.
//!
//! # Memory
//!
//! Memory use does not grow with the number of requests: apart from requests in flight, there is the script,
//! a set of counters for each operation in the [`FaultLog`] and, if a capacity is set, a small state for each
//! table.

mod batch;
mod capacity;
mod connector;
mod faults;
mod log;
mod plan;

pub use faults::{Fault, Faults};
pub use log::{FaultLog, Tally};
