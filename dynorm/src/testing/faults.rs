//! The faults, and how often they occur.

use std::time::Duration;

use super::log::FaultLog;

/// The fault of one request, for [`Faults::script`].
///
/// ```
/// use dynorm::testing::{Fault, Faults};
///
/// let faults = Faults::scripted([Fault::None, Fault::Unprocessed(3), Fault::CutAfter]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// No fault: the request is executed and answered.
    #[default]
    None,
    /// The request is answered with `ProvisionedThroughputExceededException`, and not executed. A transaction
    /// is cancelled, with the reason `ProvisionedThroughputExceeded` at one of its items, picked by the seed.
    Throttle,
    /// The request is answered with a `ThrottlingException` because of a hot key range, and not executed. A
    /// transaction is cancelled, with the reason `ThrottlingError` at one of its items.
    HotKeyRange,
    /// This many items of a batch, picked by the seed, are not executed and come back as `UnprocessedItems`
    /// or `UnprocessedKeys`. If that is all of them, the request is throttled, as by DynamoDB. No effect on
    /// other operations.
    Unprocessed(usize),
    /// The request is answered with status 500, `InternalServerError`, and not executed.
    ServerError,
    /// The connection is refused, so the client knows that nothing was executed.
    Refused,
    /// The connection breaks before the request is executed. The client cannot tell.
    CutBefore,
    /// The request is executed, and the connection breaks before the answer arrives. The client cannot tell.
    CutAfter,
    /// A transaction is cancelled with the reason `TransactionConflict` at one of its items, picked by the
    /// seed, and a put, an update or a delete is answered with `TransactionConflictException`, as if another
    /// transaction were in progress on the item. It is not executed. No effect on other operations.
    Conflict,
    /// A `TransactWriteItems` is answered with `TransactionInProgressException`, as if an earlier attempt
    /// with its token were still in flight, and not executed. No effect on other operations.
    InProgress,
    /// The request is executed and answered after this delay on tokio's clock.
    Delay(Duration),
}

/// Faults to inject. [`on`](Self::on) puts them on a database; see [the module](crate::testing).
///
/// A share is a probability; values below 0 and above 1 count as 0 and 1. A request has at most one of the
/// faults below, so their shares should not add up to more than 1: the later ones would occur less often.
/// Unprocessed items and delays are independent of them.
///
/// | of a request | share |
/// |---|---|
/// | throttled | [`throttle`](Self::throttle), [`hot_key_range`](Self::hot_key_range) |
/// | failed | [`server_error`](Self::server_error) |
/// | without a connection | [`refused`](Self::refused) |
/// | without an answer | [`cut_before`](Self::cut_before), [`cut_after`](Self::cut_after) |
/// | in conflict | [`conflict`](Self::conflict), [`in_progress`](Self::in_progress) |
///
/// ```
/// use std::time::Duration;
/// use dynorm::prelude::*;
/// use dynorm::testing::{FaultLog, Faults};
///
/// # #[derive(Entity, Clone, Debug, Default)]
/// # struct User { #[entity(id)] id: Id<User>, name: String }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let db = Database::memory()?;
/// db.create_table::<User>().await?;
/// let log = FaultLog::default();
/// let faulty = Faults::seeded(42)
///     .throttle(0.05)
///     .unprocessed(0.20)
///     .delay(Duration::from_millis(1))
///     .log(&log)
///     .on(&db);
///
/// UserRepo::batch_save(vec![User::default(); 100]).on(&faulty).await?;
/// assert_eq!(UserRepo::count().on(&db).await?, 100);
/// assert!(log.total().items_unprocessed > 0);
/// println!("{log}");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "faults do nothing until they are put on a database with `.on(&db)`"]
pub struct Faults {
    pub(super) seed: u64,
    pub(super) shares: Shares,
    pub(super) unprocessed: f64,
    pub(super) delay: (Duration, Duration),
    pub(super) write_capacity: Option<u32>,
    pub(super) read_capacity: Option<u32>,
    pub(super) burst: Option<Duration>,
    pub(super) script: Vec<Fault>,
    pub(super) only: Option<Vec<String>>,
    pub(super) log: FaultLog,
}

impl Faults {
    /// Creates a set without faults. Random decisions depend on `seed`.
    ///
    /// ```
    /// let faults = dynorm::testing::Faults::seeded(42).throttle(0.05);
    /// ```
    pub fn seeded(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// Creates a set with the faults of the first requests, in order; later requests pass.
    ///
    /// ```
    /// use dynorm::testing::{Fault, Faults};
    /// let faults = Faults::scripted([Fault::Throttle, Fault::None, Fault::CutAfter]);
    /// ```
    pub fn scripted(script: impl IntoIterator<Item = Fault>) -> Self {
        Self::default().script(script)
    }

    /// Sets the share of requests that are answered with `ProvisionedThroughputExceededException` and not
    /// executed.
    ///
    /// ```
    /// let faults = dynorm::testing::Faults::seeded(1).throttle(0.05);
    /// ```
    pub fn throttle(mut self, share: f64) -> Self {
        self.shares.throttle = probability(share);
        self
    }

    /// Sets the share of requests that are answered with a `ThrottlingException` because of a hot key range,
    /// and not executed.
    ///
    /// ```
    /// let faults = dynorm::testing::Faults::seeded(1).hot_key_range(0.05);
    /// ```
    pub fn hot_key_range(mut self, share: f64) -> Self {
        self.shares.hot_key_range = probability(share);
        self
    }

    /// Sets the share of the items of `BatchWriteItem` and of the keys of `BatchGetItem` that come back as
    /// `UnprocessedItems` and `UnprocessedKeys`. They are removed from the request, so they are not executed.
    /// If all items of a request would come back, it is throttled, as by DynamoDB: this share of the requests
    /// with a single item is throttled.
    ///
    /// The engine does not see an invalid item that is removed, such as a second write of a key, where
    /// DynamoDB would refuse the whole request. Requests with more items than DynamoDB accepts are not
    /// changed.
    ///
    /// ```
    /// let faults = dynorm::testing::Faults::seeded(1).unprocessed(0.2);
    /// ```
    pub fn unprocessed(mut self, share: f64) -> Self {
        self.unprocessed = probability(share);
        self
    }

    /// Sets the share of requests that are answered with status 500, `InternalServerError`, and not executed.
    ///
    /// ```
    /// let faults = dynorm::testing::Faults::seeded(1).server_error(0.02);
    /// ```
    pub fn server_error(mut self, share: f64) -> Self {
        self.shares.server_error = probability(share);
        self
    }

    /// Sets the share of requests whose connection is refused: they are not executed, and the client knows
    /// it.
    ///
    /// ```
    /// let faults = dynorm::testing::Faults::seeded(1).refused(0.01);
    /// ```
    pub fn refused(mut self, share: f64) -> Self {
        self.shares.refused = probability(share);
        self
    }

    /// Sets the share of requests whose connection breaks before they are executed. The client cannot tell
    /// this from [`cut_after`](Self::cut_after).
    ///
    /// ```
    /// let faults = dynorm::testing::Faults::seeded(1).cut_before(0.01).cut_after(0.01);
    /// ```
    pub fn cut_before(mut self, share: f64) -> Self {
        self.shares.cut_before = probability(share);
        self
    }

    /// Sets the share of requests that are executed, and whose answer is lost.
    ///
    /// ```
    /// let faults = dynorm::testing::Faults::seeded(1).cut_before(0.01).cut_after(0.01);
    /// ```
    pub fn cut_after(mut self, share: f64) -> Self {
        self.shares.cut_after = probability(share);
        self
    }

    /// Sets the share of transactions, puts, updates and deletes that conflict with a transaction; see
    /// [`Fault::Conflict`].
    ///
    /// ```
    /// let faults = dynorm::testing::Faults::seeded(1).conflict(0.1);
    /// ```
    pub fn conflict(mut self, share: f64) -> Self {
        self.shares.conflict = probability(share);
        self
    }

    /// Sets the share of write transactions that are answered as if an earlier attempt were in progress; see
    /// [`Fault::InProgress`].
    ///
    /// ```
    /// let faults = dynorm::testing::Faults::seeded(1).in_progress(0.05);
    /// ```
    pub fn in_progress(mut self, share: f64) -> Self {
        self.shares.in_progress = probability(share);
        self
    }

    /// Sets a delay for every request, on tokio's clock, which a test may pause. The request is executed
    /// after the delay: if its future is dropped before, it is not executed.
    ///
    /// ```
    /// use std::time::Duration;
    /// let faults = dynorm::testing::Faults::seeded(1).delay(Duration::from_millis(5));
    /// ```
    pub fn delay(self, delay: Duration) -> Self {
        self.delay_between(delay, delay)
    }

    /// Sets a random delay for each request, between two limits, so that requests overtake each other.
    ///
    /// ```
    /// use std::time::Duration;
    /// let (shortest, longest) = (Duration::from_millis(2), Duration::from_millis(20));
    /// let faults = dynorm::testing::Faults::seeded(1).delay_between(shortest, longest);
    /// ```
    pub fn delay_between(mut self, shortest: Duration, longest: Duration) -> Self {
        self.delay = (shortest, longest.max(shortest));
        self
    }

    /// Sets the provisioned write capacity of every table, in write units per second, as a token bucket on
    /// tokio's clock. Items of a batch for which there are no units come back as `UnprocessedItems`; a
    /// request without units for any item is throttled.
    ///
    /// The bucket is full when a table is first used, and holds the units of [`burst`](Self::burst). A put
    /// takes one unit for each started KB of its item. A delete, an update and a condition check take one
    /// unit, whatever the size of the stored item. Transactions take twice as much. Indexes take nothing. A
    /// request that needs more than a full bucket passes when the bucket is full, and leaves a debt. PartiQL
    /// takes nothing.
    ///
    /// ```
    /// use dynorm::prelude::*;
    /// use dynorm::testing::{FaultLog, Faults};
    ///
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct User { #[entity(id)] id: Id<User>, name: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<User>().await?;
    /// let log = FaultLog::default();
    /// let burst = std::time::Duration::from_millis(50);
    /// let small = Faults::seeded(1).write_capacity(500).burst(burst).log(&log).on(&db);
    /// UserRepo::batch_save(vec![User::default(); 50]).on(&small).await?;
    /// assert!(log.total().items_sent > 50);    // 25 units came in before the first request
    /// # Ok(())
    /// # }
    /// ```
    pub fn write_capacity(mut self, units_per_second: u32) -> Self {
        self.write_capacity = Some(units_per_second);
        self
    }

    /// Sets the provisioned read capacity of every table, in read units per second, as a token bucket; see
    /// [`write_capacity`](Self::write_capacity).
    ///
    /// A read takes half a unit for each key at first: one unit if it is consistent, two in a transaction. A
    /// query or a scan counts as one key. An answer of more than 4 KB is charged when it has arrived, and may
    /// leave a debt. Unlike with DynamoDB, data that a filter or a projection leaves out of the answer is not
    /// counted.
    ///
    /// ```
    /// let faults = dynorm::testing::Faults::seeded(1).read_capacity(100);
    /// ```
    pub fn read_capacity(mut self, units_per_second: u32) -> Self {
        self.read_capacity = Some(units_per_second);
        self
    }

    /// Sets how long unused capacity is kept; one second by default. At least one unit is always kept.
    /// DynamoDB keeps the capacity of five minutes.
    ///
    /// ```
    /// use std::time::Duration;
    /// use dynorm::testing::Faults;
    /// let faults = Faults::seeded(1).write_capacity(1000).burst(Duration::from_millis(100));
    /// ```
    pub fn burst(mut self, burst: Duration) -> Self {
        self.burst = Some(burst);
        self
    }

    /// Sets the faults of the first requests, in place of random ones. Capacities and delays apply to them
    /// too.
    ///
    /// ```
    /// use dynorm::testing::{Fault, Faults};
    /// let faults = Faults::seeded(7).throttle(0.1).script([Fault::None, Fault::ServerError]);
    /// ```
    pub fn script(mut self, script: impl IntoIterator<Item = Fault>) -> Self {
        self.script = script.into_iter().collect();
        self
    }

    /// Restricts the faults to these operations, such as `BatchWriteItem`. The others pass, are not counted,
    /// and do not advance the script.
    ///
    /// ```
    /// let faults = dynorm::testing::Faults::seeded(7).throttle(0.1).only(["PutItem", "BatchWriteItem"]);
    /// ```
    pub fn only<S: Into<String>>(mut self, operations: impl IntoIterator<Item = S>) -> Self {
        self.only = Some(operations.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the log that counts requests and faults. Several databases may share a log.
    ///
    /// ```
    /// use dynorm::testing::{FaultLog, Faults};
    /// let log = FaultLog::default();
    /// let faults = Faults::seeded(7).throttle(0.1).log(&log);
    /// ```
    pub fn log(mut self, log: &FaultLog) -> Self {
        self.log = log.clone();
        self
    }
}

/// The probability of each fault of a whole request.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shares {
    pub(super) throttle: f64,
    pub(super) hot_key_range: f64,
    pub(super) server_error: f64,
    pub(super) refused: f64,
    pub(super) cut_before: f64,
    pub(super) cut_after: f64,
    pub(super) conflict: f64,
    pub(super) in_progress: f64,
}

fn probability(share: f64) -> f64 {
    if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) }
}
