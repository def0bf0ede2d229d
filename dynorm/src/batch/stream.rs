//! Writes of any length, of which a bounded number of items is in memory at a time.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::{BoxFuture, Either, select};
use futures_util::stream::{self, Iter};
use futures_util::{Stream, StreamExt};
use tokio::sync::{mpsc, watch};

use super::body::{Body, Kind};
use super::buffer::Buffer;
use super::engine::{Input, Inputs, Left, Origin, Outcome, Unsent, run};
use super::failures::{Consumer, Failures, StreamError, StreamFailure};
use super::puts::{put, put_work};
use super::settings::{Settings, batch_options, write_options};
use super::work::{TableSpec, Work};
use super::{Fate, KeyFailure, SaveFailure, Stats, count};
use crate::database::Database;
use crate::entity::{Entity, EntityInfo, Stamp};
use crate::error::{Error, Result};
use crate::hooks::{self, Event};
use crate::operation::{Held, OperationFuture, SaveArg, stored};
use crate::write::Known;

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
/// [`BatchSave`](crate::batch::BatchSave), only that it knows no keys but those on their way: of two entities
/// with one key that are further apart, both are written, in order.
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
        /// Calls `take` with each item that has failed, as it happens. It is called on the task of the batch,
        /// which stands still meanwhile: no answer is taken in, and no deadline can cut the call off. So it
        /// should be quick; what takes time takes the failures from a channel, by
        /// [`failures_to`](Self::failures_to). If it panics, the stream ends, and the failure that it was
        /// called with is in the error.
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
            let gate = Gate::default();
            let mut inputs = Streamed {
                total: exact_size(&entities),
                items: saves::<E, A>(entities, &database, &gate),
                gate,
                held: HashMap::default(),
                buffer: Buffer::new(),
                next: 0,
                table: database.table(E::INFO),
                hooks: AfterHooks::of::<E>(&database, |database, held: &mut A::Held, event| {
                    Box::pin(hooks::after(database, held.entity_mut(), event))
                }),
                body: |passing: &mut Passing<A::Held>, known, buffer| {
                    if known.is_none() {
                        passing.input.stamp(&Stamp::now())?;
                        passing.is_raised = E::INFO.version.is_some();
                    }
                    put(passing.input.entity(), Kind::Put, passing.event, 0, known, buffer)
                },
                settle: |held| held.settle(),
                fail: |index, Passing { input: mut held, is_raised, .. }, fate, reason| {
                    if is_raised {
                        held.lower();
                    }
                    let (key, entity) = (held.entity().entity_key(), held.into_entity());
                    SaveFailure { index, key, entity, fate, reason }
                },
                failures,
            };
            let work = put_work(E::INFO, Kind::Put);
            let outcome = run_stream(&database, work, false, E::INFO, settings, &mut inputs).await;
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
            let gate = Gate::default();
            let mut inputs = Streamed {
                total: exact_size(&keys),
                items: deletes::<E>(keys, &database, &gate),
                gate,
                held: HashMap::default(),
                buffer: Buffer::new(),
                next: 0,
                table: database.table(E::INFO),
                hooks: AfterHooks::of::<E>(&database, |database, delete: &mut Deleted<E>, event| {
                    Box::pin(async move {
                        if let Some(entity) = &mut delete.entity {
                            hooks::after(database, entity, event).await;
                        }
                    })
                }),
                body: |passing: &mut Passing<Deleted<E>>, known, buffer| {
                    super::keys::delete::<E>(&passing.input.key, None, false, 0, known, buffer)
                },
                settle: |_| {},
                fail: |index, passing, fate, reason| KeyFailure {
                    index,
                    key: passing.input.key,
                    fate,
                    reason,
                },
                failures,
            };
            let is_each = E::INFO.deleted_at.is_some() || E::INFO.unique.is_some();
            let work = if is_each { Work::Each } else { Work::Write };
            let outcome = run_stream(&database, work, false, E::INFO, settings, &mut inputs).await;
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
    let tables = vec![TableSpec { info, name: database.table(info), consistent }];
    run(database, work, tables, Origin::Stream, settings, inputs).await
}

/// What of a stream is on its way.
struct Streamed<'a, T, F> {
    items: BoxStream<'a, Passing<T>>,
    /// How many there are, if that is known.
    total: Option<u64>,
    gate: Gate,
    held: HashMap<usize, Passing<T>, foldhash::fast::RandomState>,
    next: usize,
    table: String,
    /// Encodes one.
    body: fn(&mut Passing<T>, Option<&Known>, &mut Buffer) -> Result<Body>,
    buffer: Buffer,
    /// One is done.
    settle: fn(&mut T),
    /// Makes one a failure.
    fail: fn(usize, Passing<T>, Fate, Arc<Error>) -> F,
    hooks: Option<AfterHooks<'a, T>>,
    failures: Failures<'a, F>,
}

impl<'a, T: Send + 'a, F: StreamFailure> Inputs for Streamed<'a, T, F> {
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Input>> {
        self.items.as_mut().poll_next(context).map(|item| {
            let mut item = item?;
            let body = match item.unsent.take() {
                Some(unsent) => Err(unsent),
                None => (self.body)(&mut item, None, &mut self.buffer).map_err(Unsent::rejected),
            };
            self.hold(item);
            Some(input(F::INFO, body, &self.table))
        })
    }

    fn poll_left(&mut self, context: &mut Context<'_>) -> Poll<Option<Left>> {
        if self.hooks.is_none() {
            // Without hooks nothing is under way between the caller and here.
            return Poll::Ready(None);
        }
        self.gate.close();
        self.items.as_mut().poll_next(context).map(|item| {
            let mut item = item?;
            let unsent = item.unsent.take();
            self.hold(item);
            Some(Left { unsent })
        })
    }

    fn waiting_for_hooks(&self) -> usize {
        self.hooks.as_ref().map_or(0, |hooks| hooks.done.len() + usize::from(hooks.running.is_some()))
    }

    fn settle(&mut self, index: usize, fate: Fate, reason: Option<&Arc<Error>>) {
        let Some(mut item) = self.held.remove(&index) else { return };
        match reason {
            Some(reason) => self.failures.push((self.fail)(index, item, fate, reason.clone())),
            None => {
                (self.settle)(&mut item.input);
                if let Some(hooks) = self.hooks.as_mut().filter(|_| fate == Fate::Done) {
                    hooks.done.push_back(item);
                }
            }
        }
    }

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if let Some(hooks) = &mut self.hooks
            && hooks.poll(context).is_pending()
        {
            return Poll::Pending;
        }
        self.failures.poll_ready(context)
    }

    fn again(&mut self, index: usize, known: &Known) -> Option<Result<Body>> {
        let item = self.held.get_mut(&index)?;
        let body = (self.body)(item, Some(known), &mut self.buffer);
        Some(body.map_err(|error| error.in_table(&self.table)))
    }

    fn held_back(&self) -> Option<usize> {
        self.failures.first()
    }

    fn stopped(&self) -> Option<Arc<Error>> {
        self.failures.problem.clone()
    }

    fn total(&self) -> Option<u64> {
        self.total
    }
}

impl<T, F> Streamed<'_, T, F> {
    fn hold(&mut self, item: Passing<T>) {
        self.held.insert(self.next, item);
        self.next += 1;
    }
}

/// The number of items, for those that know it.
pub(super) fn exact_size<T>(items: &BoxStream<'_, T>) -> Option<u64> {
    let (least, most) = items.size_hint();
    (Some(least) == most).then_some(count(least))
}

pub(super) fn input(info: &'static EntityInfo, body: Result<Body, Unsent>, table: &str) -> Input {
    Input { table: 0, info, body: body.map_err(|unsent| unsent.in_table(table)), earlier: None }
}

/// An input on its way, with what its hooks say of it.
struct Passing<T> {
    input: T,
    event: Event,
    /// Its version was raised.
    is_raised: bool,
    unsent: Option<Unsent>,
}

/// What keeps more from being taken from the caller when a batch ends early, and cuts off the hooks of what
/// was taken.
#[derive(Default)]
struct Gate(watch::Sender<bool>);

impl Gate {
    fn close(&self) {
        // Others are told only once.
        self.0.send_if_modified(|is_closed| !std::mem::replace(is_closed, true));
    }

    /// The items until it is closed.
    fn items<'a, T: 'a>(&self, mut items: BoxStream<'a, T>) -> impl Stream<Item = T> + Send + 'a {
        let is_closed = self.0.subscribe();
        stream::poll_fn(move |context| {
            if *is_closed.borrow() { Poll::Ready(None) } else { items.as_mut().poll_next(context) }
        })
    }

    /// What cuts a future off when it is closed.
    fn guard(&self) -> Guard {
        Guard(self.0.subscribe())
    }
}

#[derive(Clone)]
struct Guard(watch::Receiver<bool>);

impl Guard {
    /// What a future gives, unless it has to wait when the gate is closed.
    async fn bound<T>(mut self, future: impl Future<Output = T>) -> Option<T> {
        let closed = pin!(self.0.wait_for(|is_closed| *is_closed));
        match select(pin!(future), closed).await {
            Either::Left((output, _)) => Some(output),
            Either::Right(_) => None,
        }
    }
}

/// A key whose item is deleted, with the item if it has hooks.
struct Deleted<E: Entity> {
    key: E::Key,
    entity: Option<E>,
}

/// How many items are read at a time for the hooks of their deletes.
const READS: usize = 16;

/// Entities that have had the hooks before their save.
fn saves<'a, E: Entity, A: SaveArg<'a, E>>(
    entities: BoxStream<'a, A>,
    database: &Database,
    gate: &Gate,
) -> BoxStream<'a, Passing<A::Held>> {
    let passing = |arg: A| {
        let input = arg.hold();
        Passing { event: Event::save(input.entity(), false), input, is_raised: false, unsent: None }
    };
    if !E::INFO.hooks {
        return Box::pin(entities.map(passing));
    }
    let (database, guard) = (database.clone(), gate.guard());
    Box::pin(gate.items(entities).then(move |arg| {
        let (mut passing, database, guard) = (passing(arg), database.clone(), guard.clone());
        async move {
            let asked = hooks::before(&database, passing.input.entity_mut(), passing.event);
            passing.unsent = guard.bound(asked).await.and_then(Result::err).map(Unsent::rejected);
            passing
        }
    }))
}

/// Keys whose items have had the hooks before their delete.
fn deletes<'a, E: Entity>(
    keys: BoxStream<'a, E::Key>,
    database: &Database,
    gate: &Gate,
) -> BoxStream<'a, Passing<Deleted<E>>> {
    let event = Event::delete::<E>(false);
    let passing = move |key| {
        let input = Deleted { key, entity: None };
        Passing { input, event, is_raised: false, unsent: None }
    };
    if !E::INFO.hooks {
        return Box::pin(keys.map(passing));
    }
    let (reading, asking) = ((database.clone(), gate.guard()), (database.clone(), gate.guard()));
    let read = gate.items(keys).map(move |key| {
        let (database, guard) = reading.clone();
        async move { (guard.bound(stored::<E>(&database, key.clone())).await, key) }
    });
    Box::pin(read.buffered(READS).then(move |(found, key)| {
        let ((database, guard), mut passing) = (asking.clone(), passing(key));
        async move {
            passing.unsent = match found {
                Some(Ok(Some(mut entity))) => {
                    let asked = guard.bound(hooks::before(&database, &mut entity, event)).await;
                    passing.input.entity = Some(entity);
                    asked.and_then(Result::err).map(Unsent::rejected)
                }
                // It is not there, or there was no time to look.
                Some(Ok(None)) | None => None,
                Some(Err(error)) => Some(Unsent::not_begun(error)),
            };
            passing
        }
    }))
}

type RunAfter<T> = for<'t> fn(&'t Database, &'t mut T, Event) -> BoxFuture<'t, ()>;

/// Runs the hooks after a write, one after another.
struct AfterHooks<'a, T> {
    database: Database,
    run: RunAfter<T>,
    done: VecDeque<Passing<T>>,
    running: Option<BoxFuture<'a, ()>>,
}

impl<'a, T: Send + 'a> AfterHooks<'a, T> {
    fn of<E: Entity>(database: &Database, run: RunAfter<T>) -> Option<Self> {
        let database = E::INFO.hooks.then(|| database.clone())?;
        Some(Self { database, run, done: VecDeque::new(), running: None })
    }

    /// Ready when all have run.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            if let Some(running) = &mut self.running {
                if running.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                self.running = None;
            }
            let Some(Passing { mut input, event, .. }) = self.done.pop_front() else {
                return Poll::Ready(());
            };
            let (database, run) = (self.database.clone(), self.run);
            self.running = Some(Box::pin(async move { run(&database, &mut input, event).await }));
        }
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
