//! Writes of any length, of which a bounded number of items is in memory at a time.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::Stream;
use futures_util::stream::{self, Iter};
use tokio::sync::mpsc;

use super::engine::{Input, Inputs, Outcome, Room, TableSpec, run};
use super::inputs::{by_key, describe, put};
use super::settings::{batch_options, write_options};
use super::wire::{Body, Kind, Work};
use super::{Fate, KeyFailure, SaveFailure, Settings, Stats, count};
use crate::database::Database;
use crate::entity::{Entity, EntityInfo, Stamp};
use crate::error::{BatchItem, BatchReport, Error, Result, Subject};
use crate::operation::{Held, OperationFuture, SaveArg};

/// How many failures of a stream are kept when nothing takes them; then the stream ends.
const MAX_KEPT_FAILURES: usize = 1_000;

/// How many bytes of encoded items are on their way at a time.
const ROOM_BYTES: usize = 16 * 1024 * 1024;

/// Anything that gives one item after another: a `Stream`, or whatever `for` takes. `M` tells which, and is inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` gives no items one after another",
    label = "expected a `Stream` or an iterator, and it must be `Send`",
    note = "a stream of `Result`s has to be rid of its errors first, for example by `filter_map`"
)]
pub trait IntoItems<M> {
    /// The items.
    type Item;
    #[doc(hidden)]
    type Items: Stream<Item = Self::Item> + Send;
    #[doc(hidden)]
    fn into_items(self) -> Self::Items;
}

/// Marks the [`IntoItems`] of streams.
#[derive(Debug)]
pub enum ByStream {}

/// Marks the [`IntoItems`] of iterators.
#[derive(Debug)]
pub enum ByIterator {}

#[diagnostic::do_not_recommend]
impl<S: Stream + Send> IntoItems<ByStream> for S {
    type Item = S::Item;
    type Items = S;

    fn into_items(self) -> S {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<I: IntoIterator<IntoIter: Send>> IntoItems<ByIterator> for I {
    type Item = I::Item;
    type Items = Iter<I::IntoIter>;

    fn into_items(self) -> Self::Items {
        stream::iter(self)
    }
}

pub(super) type BoxStream<'a, T> = Pin<Box<dyn Stream<Item = T> + Send + 'a>>;

/// Saves the entities of a stream. Made by [`Repository::batch_save_stream`](crate::Repository::batch_save_stream).
///
/// It takes an entity from the stream when it has room for it, so a slow table slows the stream down. All else is as in
/// [`BatchSave`](crate::BatchSave), only that it knows no keys but those on their way: of two entities with one key that are
/// further apart, both are written, in order.
///
/// What fails goes to [`on_failure`](Self::on_failure) or [`failures_to`](Self::failures_to) as it happens; then the batch
/// succeeds all the same, and [`Stats::failed`] says how many have failed. Without either, the failures are in the
/// [`StreamError`] at the end; when there are 1,000 of them, nothing more is taken from the stream. It also ends early,
/// with an error, for what concerns all items: a missing table, missing rights, rounds without progress, the deadline.
///
/// To drop its future stops it: what is under way may be written or not, and [`progress`](Self::progress) tells what was
/// known until then, with a [checkpoint](crate::Progress::checkpoint) to begin again at.
///
/// Memory: at most 1,600 entities (or twice as many as [`concurrency`](Self::concurrency) requests take) and 16 MB of
/// encoded items, whatever the stream's length, plus what one more entity takes.
///
/// ```
/// # use dynorm::prelude::*;
/// # #[derive(Entity, Clone, Debug, Default)]
/// # struct User { #[entity(id)] id: Id<User>, number: u32 }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> dynorm::Result<()> {
/// # let db = Database::memory()?;
/// # db.create_table::<User>().await?;
/// # db.install();
/// let users = (0..5_000).map(|number| User { number, ..Default::default() });
/// let mut dead_letters = Vec::new();
/// let stats = UserRepo::batch_save_stream(users).on_failure(|failure| dead_letters.push(failure.entity)).await?;
/// assert_eq!((stats.items, dead_letters.len()), (5_000, 0));
/// # Ok(())
/// # }
/// ```
#[must_use = "an operation does nothing until it is awaited"]
pub struct BatchSaveStream<'a, E: Entity, A> {
    entities: BoxStream<'a, A>,
    failures: Failures<'a, SaveFailure<E>>,
    settings: Settings<'a>,
}

/// Deletes the items of a stream of keys. Made by
/// [`Repository::batch_delete_stream`](crate::Repository::batch_delete_stream). What [`BatchSaveStream`] says of a stream
/// holds here too.
#[must_use = "an operation does nothing until it is awaited"]
pub struct BatchDeleteStream<'a, E: Entity> {
    keys: BoxStream<'a, E::Key>,
    failures: Failures<'a, KeyFailure<E>>,
    settings: Settings<'a>,
}

macro_rules! failure_options {
    ($failure:ty) => {
        /// Calls `take` with each item that has failed, as it happens. It is called on the task of the batch, so it should
        /// be quick. If it panics, the stream ends, and the failure that it was called with is in the error.
        pub fn on_failure(mut self, take: impl FnMut($failure) + Send + 'a) -> Self {
            self.failures.consumer = Consumer::Callback(Box::new(take));
            self
        }

        /// Sends each item that has failed into a channel, as it happens. When the channel is full, nothing more is taken
        /// from the stream until it has room. Failures that a closed channel does not take, or a full one until the
        /// deadline, are in the error.
        pub fn failures_to(mut self, sender: mpsc::Sender<$failure>) -> Self {
            self.failures.consumer = Consumer::Channel { sender, reserving: None };
            self
        }
    };
}

impl<'a, E: Entity, A: SaveArg<'a, E>> BatchSaveStream<'a, E, A> {
    pub(crate) fn new<M>(entities: impl IntoItems<M, Item = A, Items: 'a>) -> Self {
        Self {
            entities: Box::pin(entities.into_items()),
            failures: Failures::default(),
            settings: Settings::default(),
        }
    }

    failure_options!(SaveFailure<E>);
    batch_options!();
    write_options!();
}

impl<'a, E: Entity> BatchDeleteStream<'a, E> {
    pub(crate) fn new(keys: impl Stream<Item = E::Key> + Send + 'a) -> Self {
        Self { keys: Box::pin(keys), failures: Failures::default(), settings: Settings::default() }
    }

    failure_options!(KeyFailure<E>);
    batch_options!();
    write_options!();
}

impl<'a, E: Entity, A: SaveArg<'a, E>> IntoFuture for BatchSaveStream<'a, E, A> {
    type Output = Result<Stats, StreamError<SaveFailure<E>>>;
    type IntoFuture = OperationFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { entities, failures, mut settings } = self;
        OperationFuture::new(async move {
            let database =
                Database::of_operation(settings.options.database.take()).map_err(StreamError::not_begun)?;
            let mut inputs = Entities::<E, A::Held> {
                entities: Box::pin(stream::StreamExt::map(entities, A::hold)),
                held: HashMap::new(),
                next: 0,
                table: database.table(E::INFO),
                failures,
            };
            let outcome = run_stream(&database, Work::Write, false, E::INFO, settings, &mut inputs).await;
            inputs.failures.finish(outcome)
        })
    }
}

impl<'a, E: Entity> IntoFuture for BatchDeleteStream<'a, E> {
    type Output = Result<Stats, StreamError<KeyFailure<E>>>;
    type IntoFuture = OperationFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { keys, failures, mut settings } = self;
        OperationFuture::new(async move {
            let database =
                Database::of_operation(settings.options.database.take()).map_err(StreamError::not_begun)?;
            let mut inputs =
                Keys::<E> { keys, held: HashMap::new(), next: 0, table: database.table(E::INFO), failures };
            let outcome = run_stream(&database, Work::Write, false, E::INFO, settings, &mut inputs).await;
            inputs.failures.finish(outcome)
        })
    }
}

pub(super) async fn run_stream(
    database: &Database,
    work: Work,
    consistent: bool,
    info: &'static EntityInfo,
    settings: Settings<'_>,
    inputs: &mut dyn Inputs,
) -> Outcome {
    let requests = settings.options.concurrency.unwrap_or(work.most_under_way());
    let room = Room::Bounded {
        items: requests.saturating_mul(work.most_items()).saturating_mul(2),
        bytes: ROOM_BYTES,
    };
    let tables = vec![TableSpec { info, name: database.table(info), consistent }];
    run(database, work, tables, room, settings, inputs).await
}

/// The entities of a stream that are on their way.
struct Entities<'a, E: Entity, H> {
    entities: BoxStream<'a, H>,
    held: HashMap<usize, H>,
    next: usize,
    table: String,
    failures: Failures<'a, SaveFailure<E>>,
}

impl<E: Entity, H: Held<E>> Inputs for Entities<'_, E, H> {
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Input>> {
        self.entities.as_mut().poll_next(context).map(|held| {
            let mut held = held?;
            held.stamp(&Stamp::now());
            let body = put(held.entity(), Kind::Put, 0);
            self.held.insert(self.next, held);
            self.next += 1;
            Some(input::<E>(body, &self.table))
        })
    }

    fn settle(&mut self, index: usize, fate: Fate, reason: Option<&Arc<Error>>) {
        if let Some(held) = self.held.remove(&index)
            && let Some(reason) = reason
        {
            let (key, entity) = (held.entity().entity_key(), held.into_entity());
            self.failures.push(SaveFailure { index, key, entity, fate, reason: reason.clone() });
        }
    }

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.failures.poll_ready(context)
    }

    fn held_back(&self) -> Option<usize> {
        self.failures.first()
    }

    fn stopped(&self) -> Option<Arc<Error>> {
        self.failures.problem.clone()
    }

    fn total(&self) -> Option<u64> {
        exact_size(&self.entities)
    }
}

/// The number of items, for those that know it.
pub(super) fn exact_size<T>(items: &BoxStream<'_, T>) -> Option<u64> {
    let (least, most) = items.size_hint();
    (Some(least) == most).then_some(count(least))
}

/// The keys of a stream that are on their way.
struct Keys<'a, E: Entity> {
    keys: BoxStream<'a, E::Key>,
    held: HashMap<usize, E::Key>,
    next: usize,
    table: String,
    failures: Failures<'a, KeyFailure<E>>,
}

impl<E: Entity> Inputs for Keys<'_, E> {
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Input>> {
        self.keys.as_mut().poll_next(context).map(|key| {
            let key = key?;
            let body = by_key::<E>(&key, Kind::Delete, 0);
            self.held.insert(self.next, key);
            self.next += 1;
            Some(input::<E>(body, &self.table))
        })
    }

    fn settle(&mut self, index: usize, fate: Fate, reason: Option<&Arc<Error>>) {
        if let Some(key) = self.held.remove(&index)
            && let Some(reason) = reason
        {
            self.failures.push(KeyFailure { index, key, fate, reason: reason.clone() });
        }
    }

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.failures.poll_ready(context)
    }

    fn held_back(&self) -> Option<usize> {
        self.failures.first()
    }

    fn stopped(&self) -> Option<Arc<Error>> {
        self.failures.problem.clone()
    }

    fn total(&self) -> Option<u64> {
        exact_size(&self.keys)
    }
}

pub(super) fn input<E: Entity>(body: Result<Body>, table: &str) -> Input {
    Input { table: 0, info: E::INFO, body: body.map_err(|error| error.in_table(table)), earlier: None }
}

/// Where the failures of a stream go.
struct Failures<'a, F> {
    consumer: Consumer<'a, F>,
    /// What the channel had no room for yet.
    waiting: VecDeque<F>,
    kept: Vec<F>,
    /// Why the stream must end.
    problem: Option<Arc<Error>>,
}

enum Consumer<'a, F> {
    None,
    Callback(Box<dyn FnMut(F) + Send + 'a>),
    Channel { sender: mpsc::Sender<F>, reserving: Option<Reserving<F>> },
}

type Reserving<F> = Pin<Box<dyn Future<Output = Option<mpsc::OwnedPermit<F>>> + Send>>;

impl<F> Default for Failures<'_, F> {
    fn default() -> Self {
        Self { consumer: Consumer::None, waiting: VecDeque::new(), kept: Vec::new(), problem: None }
    }
}

impl<F: StreamFailure> Failures<'_, F> {
    fn push(&mut self, failure: F) {
        match &mut self.consumer {
            Consumer::Channel { .. } => self.waiting.push_back(failure),
            Consumer::Callback(take) => {
                let copy = failure.clone();
                if catch_unwind(AssertUnwindSafe(|| take(failure))).is_err() {
                    self.consumer = Consumer::None;
                    self.kept.push(copy);
                    self.end("the callback for failures panicked");
                }
            }
            Consumer::None => {
                self.kept.push(failure);
                if self.kept.len() >= MAX_KEPT_FAILURES {
                    self.end(
                        "1000 items have failed and nothing takes them; give the batch `.on_failure(…)` or `.failures_to(…)` to go on whatever fails",
                    );
                }
            }
        }
    }

    /// The first input whose failure nobody has taken.
    fn first(&self) -> Option<usize> {
        self.waiting.iter().chain(&self.kept).map(StreamFailure::index).min()
    }

    fn end(&mut self, why: &str) {
        let end = || Arc::new(Error::configuration(why, None));
        self.problem.get_or_insert_with(end);
    }

    /// Ready when the channel has taken everything.
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Consumer::Channel { sender, reserving } = &mut self.consumer else { return Poll::Ready(()) };
        while !self.waiting.is_empty() {
            let reserve = reserving.get_or_insert_with(|| {
                let sender = sender.clone();
                Box::pin(async move { sender.reserve_owned().await.ok() })
            });
            let Poll::Ready(permit) = reserve.as_mut().poll(context) else { return Poll::Pending };
            *reserving = None;
            match permit {
                Some(permit) => {
                    if let Some(failure) = self.waiting.pop_front() {
                        permit.send(failure);
                    }
                }
                None => {
                    // Nobody receives any more.
                    self.consumer = Consumer::None;
                    let waiting = std::mem::take(&mut self.waiting);
                    waiting.into_iter().for_each(|failure| self.push(failure));
                    break;
                }
            }
        }
        Poll::Ready(())
    }

    fn finish(mut self, outcome: Outcome) -> Result<Stats, StreamError<F>> {
        let Outcome { stats, stopped } = outcome;
        self.kept.extend(self.waiting);
        if self.kept.is_empty() && stopped.is_none() {
            return Ok(stats);
        }
        Err(StreamError(Box::new(Inner { failures: self.kept, stats, stopped })))
    }
}

/// What a failure of a stream has: [`SaveFailure`] or [`KeyFailure`].
pub trait StreamFailure: Clone + Send + Sync + 'static {
    #[doc(hidden)]
    const INFO: &'static EntityInfo;
    #[doc(hidden)]
    const DOING: &'static str;
    #[doc(hidden)]
    fn index(&self) -> usize;
    #[doc(hidden)]
    fn reason(&self) -> &Error;
    #[doc(hidden)]
    fn item(&self) -> BatchItem;
}

impl<E: Entity> StreamFailure for SaveFailure<E> {
    const INFO: &'static EntityInfo = E::INFO;
    const DOING: &'static str = "saving";

    fn index(&self) -> usize {
        self.index
    }

    fn reason(&self) -> &Error {
        &self.reason
    }

    fn item(&self) -> BatchItem {
        let Self { index, key, fate, reason, .. } = self;
        BatchItem { index: *index, key: describe::<E>(key), fate: *fate, reason: reason.clone() }
    }
}

impl<E: Entity> StreamFailure for KeyFailure<E> {
    const INFO: &'static EntityInfo = E::INFO;
    const DOING: &'static str = "deleting";

    fn index(&self) -> usize {
        self.index
    }

    fn reason(&self) -> &Error {
        &self.reason
    }

    fn item(&self) -> BatchItem {
        let Self { index, key, fate, reason } = self;
        BatchItem { index: *index, key: describe::<E>(key), fate: *fate, reason: reason.clone() }
    }
}

/// A stream did not come to its end, or some of its items have failed and nothing took them.
///
/// [`stopped`](Self::stopped) says why it ended early, if it did; [`failures`](Self::failures) has what was not handed on.
pub struct StreamError<F>(Box<Inner<F>>);

struct Inner<F> {
    failures: Vec<F>,
    stats: Stats,
    stopped: Option<Arc<Error>>,
}

impl<F> StreamError<F> {
    fn not_begun(error: Error) -> Self {
        let stopped = Some(Arc::new(error));
        Self(Box::new(Inner { failures: Vec::new(), stats: Stats::default(), stopped }))
    }

    /// The items that have failed and were not handed to a callback or a channel.
    #[must_use]
    pub fn failures(&self) -> &[F] {
        &self.0.failures
    }

    /// The same, by value.
    #[must_use]
    pub fn into_failures(self) -> Vec<F> {
        self.0.failures
    }

    /// Why nothing more was taken from the stream, if it did not come to its end.
    #[must_use]
    pub fn stopped(&self) -> Option<&Error> {
        self.0.stopped.as_deref()
    }

    /// What the batch took.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.0.stats
    }
}

impl<F: StreamFailure> StreamError<F> {
    fn report(&self) -> BatchReport {
        let Inner { failures, stats, stopped } = &*self.0;
        let failures: Vec<BatchItem> = failures.iter().map(StreamFailure::item).collect();
        let reasons = failures.iter().map(|failure| &failure.reason).chain(stopped);
        let table = reasons.filter_map(|reason| reason.table()).next().unwrap_or(F::INFO.table).to_owned();
        let received = stats.items + stats.superseded + stats.failed;
        BatchReport {
            subject: Subject::of(F::INFO).in_table(table).during(F::DOING),
            total: usize::try_from(received).unwrap_or(usize::MAX),
            failures,
            stopped: stopped.clone(),
        }
    }
}

impl<F: StreamFailure> From<StreamError<F>> for Error {
    fn from(error: StreamError<F>) -> Self {
        Self::Batch(Box::new(error.report()))
    }
}

impl<F: StreamFailure> std::error::Error for StreamError<F> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let first = self.0.failures.first().map(StreamFailure::reason);
        self.0.stopped.as_deref().or(first).map(|error| error as _)
    }
}

impl<F: StreamFailure> fmt::Display for StreamError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.report(), f)
    }
}

/// Without the entities, which need not implement it.
impl<F: StreamFailure> fmt::Debug for StreamError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StreamError").field(&self.report()).finish()
    }
}

impl<E: Entity, A> fmt::Debug for BatchSaveStream<'_, E, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchSaveStream").field("entity", &E::INFO.name).finish_non_exhaustive()
    }
}

impl<E: Entity> fmt::Debug for BatchDeleteStream<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchDeleteStream").field("entity", &E::INFO.name).finish_non_exhaustive()
    }
}
