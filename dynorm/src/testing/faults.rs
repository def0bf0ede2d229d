//! Which faults there are to be, and how often.

use std::time::Duration;

use super::log::FaultLog;

/// What becomes of one request, for [`Faults::script`].
///
/// ```
/// use dynorm::testing::{Fault, Faults};
///
/// let faults = Faults::scripted([Fault::None, Fault::Unprocessed(3), Fault::CutAfter]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It is executed and answered.
    #[default]
    None,
    /// It is answered with `ProvisionedThroughputExceededException`, and not executed. A transaction is
    /// cancelled, with the reason `ProvisionedThroughputExceeded` at one of its items, picked by the seed.
    Throttle,
    /// It is answered with a `ThrottlingException` whose reason is one range of keys that is used too much,
    /// and not executed. A transaction is cancelled, with the reason `ThrottlingError` at one of its items.
    HotKeyRange,
    /// This many items of a batch, picked by the seed, are not executed and come back as `UnprocessedItems`
    /// or `UnprocessedKeys`. If that is all of them the request is throttled, as DynamoDB does it. Does
    /// nothing to other operations.
    Unprocessed(usize),
    /// It is answered with status 500, `InternalServerError`, and not executed.
    ServerError,
    /// No connection comes about, so it is known that nothing was executed.
    Refused,
    /// The connection breaks before the server acted. The client cannot know.
    CutBefore,
    /// The server acts and the connection breaks before the answer arrives. The client cannot know.
    CutAfter,
    /// A transaction is cancelled with the reason `TransactionConflict` at one of its items, picked by the
    /// seed, and a put, an update or a delete is answered with `TransactionConflictException`, as when
    /// another transaction is at the item. It is not executed. Does nothing to other operations.
    Conflict,
    /// A `TransactWriteItems` is answered with `TransactionInProgressException`, as when an earlier attempt
    /// with its token is still under way, and not executed. Does nothing to other operations.
    InProgress,
    /// It is executed and answered, after this long on tokio's clock.
    Delay(Duration),
}

/// How a database misbehaves. [`on`](Self::on) makes one that does; see [the module](crate::testing).
///
/// A share is the probability from 0 to 1, and what is outside of that counts as the nearer end. At most one
/// of the faults of a whole request befalls it (so their shares should not add up to more than 1: the later
/// ones of the list below would lose); unprocessed items and delays come on top.
///
/// | of a request | share |
/// |---|---|
/// | throttled | [`throttle`](Self::throttle), [`hot_key_range`](Self::hot_key_range) |
/// | failed | [`server_error`](Self::server_error) |
/// | without an answer | [`refused`](Self::refused), [`cut_before`](Self::cut_before), [`cut_after`](Self::cut_after) |
/// | in the way of another | [`conflict`](Self::conflict), [`in_progress`](Self::in_progress) |
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
    /// No faults yet; those of chance will follow from `seed`.
    ///
    /// ```
    /// let faults = dynorm::testing::Faults::seeded(42).throttle(0.05);
    /// ```
    pub fn seeded(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// What becomes of the first requests, one after another; the others pass.
    ///
    /// ```
    /// use dynorm::testing::{Fault, Faults};
    /// let faults = Faults::scripted([Fault::Throttle, Fault::None, Fault::CutAfter]);
    /// ```
    pub fn scripted(script: impl IntoIterator<Item = Fault>) -> Self {
        Self::default().script(script)
    }

    /// The share of requests that are answered with `ProvisionedThroughputExceededException` and not
    /// executed.
    ///
    /// ```
    /// let faults = dynorm::testing::Faults::seeded(1).throttle(0.05);
    /// ```
    pub fn throttle(mut self, share: f64) -> Self {
        self.shares.throttle = probability(share);
        self
    }

    /// The share of requests that are answered with a `ThrottlingException` because of one range of keys, and
    /// not executed: the rest of the table has capacity left.
    ///
    /// ```
    /// let faults = dynorm::testing::Faults::seeded(1).hot_key_range(0.05);
    /// ```
    pub fn hot_key_range(mut self, share: f64) -> Self {
        self.shares.hot_key_range = probability(share);
        self
    }

    /// The share of the items of `BatchWriteItem` and of the keys of `BatchGetItem` that come back as
    /// `UnprocessedItems` and `UnprocessedKeys`. They are taken out of the request, so they are really not
    /// executed. Where all items of a request would come back it is throttled, as DynamoDB does it: of
    /// requests with a single item this share is throttled.
    ///
    /// A fault of the items left out, such as a second write of a key, is not seen by the engine, where
    /// DynamoDB would refuse the whole request. Requests with more items than DynamoDB takes are left as they
    /// are.
    ///
    /// ```
    /// let faults = dynorm::testing::Faults::seeded(1).unprocessed(0.2);
    /// ```
    pub fn unprocessed(mut self, share: f64) -> Self {
        self.unprocessed = probability(share);
        self
    }

    /// The share of requests that are answered with status 500, `InternalServerError`, and not executed.
    ///
    /// ```
    /// let faults = dynorm::testing::Faults::seeded(1).server_error(0.02);
    /// ```
    pub fn server_error(mut self, share: f64) -> Self {
        self.shares.server_error = probability(share);
        self
    }

    /// The share of requests for which no connection comes about: they were not executed, and the client
    /// knows it.
    ///
    /// ```
    /// let faults = dynorm::testing::Faults::seeded(1).refused(0.01);
    /// ```
    pub fn refused(mut self, share: f64) -> Self {
        self.shares.refused = probability(share);
        self
    }

    /// The share of requests whose connection breaks before the server acted. The client cannot tell it from
    /// [`cut_after`](Self::cut_after).
    ///
    /// ```
    /// let faults = dynorm::testing::Faults::seeded(1).cut_before(0.01).cut_after(0.01);
    /// ```
    pub fn cut_before(mut self, share: f64) -> Self {
        self.shares.cut_before = probability(share);
        self
    }

    /// The share of requests that the server executes, and whose answer is lost.
    ///
    /// ```
    /// let faults = dynorm::testing::Faults::seeded(1).cut_before(0.01).cut_after(0.01);
    /// ```
    pub fn cut_after(mut self, share: f64) -> Self {
        self.shares.cut_after = probability(share);
        self
    }

    /// The share of transactions, puts, updates and deletes that meet a transaction at an item: see
    /// [`Fault::Conflict`].
    ///
    /// ```
    /// let faults = dynorm::testing::Faults::seeded(1).conflict(0.1);
    /// ```
    pub fn conflict(mut self, share: f64) -> Self {
        self.shares.conflict = probability(share);
        self
    }

    /// The share of writing transactions of which an earlier attempt is said to be in progress: see
    /// [`Fault::InProgress`].
    ///
    /// ```
    /// let faults = dynorm::testing::Faults::seeded(1).in_progress(0.05);
    /// ```
    pub fn in_progress(mut self, share: f64) -> Self {
        self.shares.in_progress = probability(share);
        self
    }

    /// How long every request is on its way, on tokio's clock, which a test may pause. The server acts at the
    /// end of it: a request whose future is dropped before was not executed.
    ///
    /// ```
    /// use std::time::Duration;
    /// let faults = dynorm::testing::Faults::seeded(1).delay(Duration::from_millis(5));
    /// ```
    pub fn delay(self, delay: Duration) -> Self {
        self.delay_between(delay, delay)
    }

    /// The same, for each request another time between the two: requests overtake each other.
    ///
    /// ```
    /// use std::time::Duration;
    /// let faults = dynorm::testing::Faults::seeded(1).delay_between(Duration::from_millis(2), Duration::from_millis(20));
    /// ```
    pub fn delay_between(mut self, shortest: Duration, longest: Duration) -> Self {
        self.delay = (shortest, longest.max(shortest));
        self
    }

    /// The provisioned write capacity of every table, in write units a second, as a token bucket on tokio's
    /// clock. The items of a batch for which there are no units come back as `UnprocessedItems`; a request
    /// that gets nothing through is throttled.
    ///
    /// The bucket is full when a table is first used, and holds what comes in during [`burst`](Self::burst).
    /// A put takes a unit for each KB of its item, begun ones included; a delete, an update and a condition
    /// check take one, as if what they find were small; in transactions it is twice as much. Indexes take
    /// nothing. A request that needs more than a full bucket passes at a full one and leaves a debt. PartiQL
    /// is not counted.
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
    /// let small = Faults::seeded(1).write_capacity(500).burst(std::time::Duration::from_millis(50)).log(&log).on(&db);
    /// UserRepo::batch_save(vec![User::default(); 50]).on(&small).await?;
    /// assert!(log.total().items_sent > 50);    // 25 units came in before the first request
    /// # Ok(())
    /// # }
    /// ```
    pub fn write_capacity(mut self, units_per_second: u32) -> Self {
        self.write_capacity = Some(units_per_second);
        self
    }

    /// The provisioned read capacity of every table, in read units a second, as a token bucket like that of
    /// [`write_capacity`](Self::write_capacity).
    ///
    /// A read takes half a unit for each key at first (a whole one if it is consistent, two in a
    /// transaction), a query or a scan as if it were one key; what its answer says beyond the first 4 KB is
    /// charged when it has come, and may leave a debt. What a filter or a projection leaves out of the answer
    /// is not counted, other than by DynamoDB.
    ///
    /// ```
    /// let faults = dynorm::testing::Faults::seeded(1).read_capacity(100);
    /// ```
    pub fn read_capacity(mut self, units_per_second: u32) -> Self {
        self.read_capacity = Some(units_per_second);
        self
    }

    /// For how long unused capacity is kept: a second, unless this says otherwise. At least one unit is
    /// always kept. DynamoDB keeps five minutes.
    ///
    /// ```
    /// use std::time::Duration;
    /// let faults = dynorm::testing::Faults::seeded(1).write_capacity(1000).burst(Duration::from_millis(100));
    /// ```
    pub fn burst(mut self, burst: Duration) -> Self {
        self.burst = Some(burst);
        self
    }

    /// What becomes of the first requests, exactly, instead of what chance says. A capacity and a delay hold
    /// for them too.
    ///
    /// ```
    /// use dynorm::testing::{Fault, Faults};
    /// let faults = Faults::seeded(7).throttle(0.1).script([Fault::None, Fault::ServerError]);
    /// ```
    pub fn script(mut self, script: impl IntoIterator<Item = Fault>) -> Self {
        self.script = script.into_iter().collect();
        self
    }

    /// Faults befall only these operations, such as `BatchWriteItem`; the others pass, and are neither
    /// counted nor in the script.
    ///
    /// ```
    /// let faults = dynorm::testing::Faults::seeded(7).throttle(0.1).only(["PutItem", "BatchWriteItem"]);
    /// ```
    pub fn only<S: Into<String>>(mut self, operations: impl IntoIterator<Item = S>) -> Self {
        self.only = Some(operations.into_iter().map(Into::into).collect());
        self
    }

    /// Where to count what happens. Several databases may share a log.
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

/// How likely each fault of a whole request is.
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
