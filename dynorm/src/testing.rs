//! The fault kit: a database that misbehaves, so that you can test what your code does when DynamoDB does.
//!
//! [`Faults`] stands between the SDK and any [`Database`](crate::Database) (embedded, DynamoDB Local, AWS) as
//! an HTTP client. Everything above it is what runs in production, and what it lets through is really
//! executed, so at the end a test can compare what it was told with what the tables hold. Nothing but this
//! kit ever makes a local engine throttle or leave items unprocessed.
//!
//! A test of your own code, on a database that fails as a script says:
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
//! let faulty = Faults::scripted([Fault::Throttle, Fault::None, Fault::Throttle, Fault::Throttle]).log(&log).on(&db);
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
//! The operations on items: the single ones, batches, queries, scans, transactions and PartiQL. Those on
//! tables always pass and are not counted, so `create_table` works on the faulty database too.
//! [`Faults::only`] narrows it further.
//!
//! A repetition, by the SDK or by dynorm, is a request like any other. The SDK repeats some failures by
//! itself, so on AWS and on DynamoDB Local a single throttled request is often not seen above it; the
//! embedded database has the SDK's retries off.
//!
//! # Chance and order
//!
//! What becomes of a request follows from the seed and the request's number alone. The same seed and the same
//! order of requests give the same faults, with the same version of dynorm; requests that are under way at
//! the same time may reach the kit in another order next time, and [the capacity](Faults::write_capacity)
//! depends on tokio's clock. For a run that repeats exactly, send one request after another, or pause the
//! clock on a current-thread runtime.
//!
//! # AWS
//!
//! A request from which items are taken out no longer fits its signature, so AWS itself refuses it: use
//! `unprocessed` and the capacity on a local engine. The other faults work with AWS as well.
//!
//! # Memory
//!
//! Beside the requests under way there is a script, a row of counters for each operation in the [`FaultLog`]
//! and, if a capacity is set, a few words for each table: what it takes does not grow with the number of
//! requests.

mod batch;
mod capacity;
mod connector;
mod faults;
mod log;
mod plan;

pub use faults::{Fault, Faults};
pub use log::{FaultLog, Tally};
