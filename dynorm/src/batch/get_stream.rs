//! Reads of streams of keys, with a bounded number of items in memory.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use futures_util::Stream;
use futures_util::future::BoxFuture;

use super::body::Kind;
use super::buffer::Buffer;
use super::deadline::Deadline;
use super::engine::{Input, Inputs, Unsent, room};
use super::inputs::by_key;
use super::settings::{Settings, batch_options};
use super::stream::{BoxStream, exact_size, input, run_stream};
use super::work::Work;
use super::{Fate, KeyFailure};
use crate::codec::{Item, ValueError};
use crate::database::Database;
use crate::entity::Entity;
use crate::error::{BatchReport, Doing, Error, Result, Subject};
use crate::hooks;
use crate::rules::{Expires, SoftDelete, Trashed, Visibility};

/// Reads the items of a stream of keys, as a `Stream` of entities in the order of the keys. Keys without an
/// item are skipped. Created by [`Repository::batch_get_stream`](crate::Repository::batch_get_stream).
///
/// A key that could not be read yields a [`GetStreamError::Key`] at its position, and the stream continues.
/// If it has to end before the keys do, its last value is a [`GetStreamError::Stopped`]. The stream does its
/// work when it is polled, and takes further keys when it has room for their items.
///
/// Memory: at most 3,200 keys and their entities (or twice as many as [`concurrency`](Self::concurrency)
/// requests take), and the answers of the requests in flight.
///
/// ```
/// use futures_util::StreamExt;
/// # use dynorm::prelude::*;
/// # #[derive(Entity, Clone, Debug, Default)]
/// # struct User { #[entity(id)] id: Id<User>, number: u32 }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> dynorm::Result<()> {
/// # let db = Database::memory()?;
/// # db.create_table::<User>().await?;
/// # db.install();
/// # let ids = UserRepo::batch_save(vec![User::default(); 250]).await?.into_iter().map(|user| user.id);
/// let mut users = UserRepo::batch_get_stream(ids);
/// let mut read = 0;
/// while let Some(user) = users.next().await {
///     let user: User = user?;
///     read += 1;
/// }
/// assert_eq!(read, 250);
/// # Ok(())
/// # }
/// ```
#[must_use = "a stream does nothing until it is polled"]
pub struct BatchGetStream<'a, E: Entity> {
    keys: Option<BoxStream<'a, E::Key>>,
    consistent: bool,
    visible: Visibility,
    settings: Settings<'a>,
    engine: Option<Pin<Box<dyn Future<Output = ()> + Send + 'a>>>,
    found: Arc<Mutex<Window<E>>>,
    /// The entity whose hook is running.
    retrieving: Option<BoxFuture<'a, Result<E, GetStreamError<E>>>>,
    /// Since the first poll.
    deadline: Option<Deadline>,
    database: Option<Database>,
}

impl<'a, E: Entity> BatchGetStream<'a, E> {
    pub(crate) fn new(keys: impl Stream<Item = E::Key> + Send + 'a) -> Self {
        Self {
            keys: Some(Box::pin(keys)),
            consistent: false,
            visible: Visibility::default(),
            settings: Settings::default(),
            engine: None,
            retrieving: None,
            deadline: None,
            database: None,
            found: Arc::new(Mutex::new(Window { start: 0, slots: VecDeque::new(), stopped: None })),
        }
    }

    /// Reads with strong consistency: the items reflect every write that succeeded before. Consumes twice the
    /// read capacity.
    pub fn consistent(mut self) -> Self {
        self.consistent = true;
        self
    }

    /// Includes soft-deleted items.
    ///
    /// ```
    /// use futures_util::TryStreamExt;
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct Note { #[entity(id)] id: Id<Note>, #[entity(deleted_at)] deleted_at: Option<Timestamp> }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<Note>().await?;
    /// # db.install();
    /// # let ids = NoteRepo::batch_save(vec![Note::default(); 3]).await?.pluck(Note::ID);
    /// NoteRepo::delete_by_id(ids[1]).await?;
    /// let notes: Vec<Note> = NoteRepo::batch_get_stream(&ids).try_collect().await?;
    /// assert_eq!(notes.len(), 2);
    /// let notes: Vec<Note> = NoteRepo::batch_get_stream(&ids).with_trashed().try_collect().await?;
    /// assert!(notes.len() == 3 && notes[1].is_trashed());
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_trashed(mut self) -> Self
    where
        E: SoftDelete,
    {
        self.visible.trashed = Trashed::With;
        self
    }

    /// Includes expired items, as long as DynamoDB has not deleted them.
    ///
    /// ```
    /// use futures_util::TryStreamExt;
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct Session { #[entity(id)] id: Id<Session>, #[entity(ttl)] expires_at: Timestamp }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<Session>().await?;
    /// # db.install();
    /// # let past = Timestamp::now().checked_sub(std::time::Duration::from_secs(60));
    /// # let expires_at = past.unwrap_or_default();
    /// let expired = SessionRepo::save(Session { expires_at, ..Default::default() }).await?;
    /// let sessions: Vec<Session> = SessionRepo::batch_get_stream([expired.id]).try_collect().await?;
    /// assert!(sessions.is_empty());
    /// let sessions = SessionRepo::batch_get_stream([expired.id]).with_expired();
    /// let sessions: Vec<Session> = sessions.try_collect().await?;
    /// assert!(sessions[0].is_expired());
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_expired(mut self) -> Self
    where
        E: Expires,
    {
        self.visible.expired = true;
        self
    }

    batch_options!();

    /// Starts to read.
    fn begin(&mut self, keys: BoxStream<'a, E::Key>) {
        let mut settings = std::mem::take(&mut self.settings);
        self.deadline = Some(settings.deadline());
        let (consistent, visible, found) = (self.consistent, self.visible, self.found.clone());
        let database = Database::of_operation(settings.options.database.take());
        self.database = database.as_ref().ok().cloned();
        self.engine = Some(Box::pin(async move {
            let most = room(Work::Get, &settings);
            match database {
                Ok(database) => {
                    let table = database.table(E::INFO);
                    let mut inputs = Sought::<E> {
                        keys,
                        visible,
                        found: found.clone(),
                        table,
                        most,
                        ended: false,
                        buffer: Buffer::new(),
                    };
                    let outcome =
                        run_stream(&database, Work::Get, consistent, E::INFO, settings, &mut inputs).await;
                    // If all keys were taken in, each has an error of its own.
                    lock(&found).stopped = outcome.stopped.filter(|_| !inputs.ended);
                }
                Err(error) => lock(&found).stopped = Some(Arc::new(error)),
            }
        }));
    }
}

impl<E: Entity> Stream for BatchGetStream<'_, E> {
    type Item = Result<E, GetStreamError<E>>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if !E::INFO.hooks {
            return self.poll_found(context).map(|found| found.map(|found| found.map(|found| found.entity)));
        }
        loop {
            if let Some(retrieving) = &mut self.retrieving {
                let Poll::Ready(entity) = retrieving.as_mut().poll(context) else { return Poll::Pending };
                self.retrieving = None;
                return Poll::Ready(Some(entity));
            }
            let Poll::Ready(found) = self.poll_found(context) else { return Poll::Pending };
            match (found, self.database.clone().zip(self.deadline)) {
                (Some(Ok(found)), Some((database, deadline))) => {
                    self.retrieving = Some(Box::pin(retrieved(database, deadline, found)));
                }
                (found, _) => {
                    return Poll::Ready(found.map(|found| found.map(|found| found.entity)));
                }
            }
        }
    }
}

impl<E: Entity> BatchGetStream<'_, E> {
    fn poll_found(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<FoundItem<E>, GetStreamError<E>>>> {
        if let Some(keys) = self.keys.take() {
            self.begin(keys);
        }
        loop {
            if let Some(next) = lock(&self.found).pop() {
                return Poll::Ready(Some(next));
            }
            let Some(engine) = &mut self.engine else {
                let stopped = lock(&self.found).stopped.take();
                return Poll::Ready(stopped.map(|why| Err(GetStreamError::Stopped(why))));
            };
            if engine.as_mut().poll(context).is_ready() {
                self.engine = None;
                continue;
            }
            let mut found = lock(&self.found);
            let before = found.slots.len();
            match found.pop() {
                Some(next) => return Poll::Ready(Some(next)),
                // Keys without an item were removed, so there is room for others.
                None if found.slots.len() < before => {}
                None => return Poll::Pending,
            }
        }
    }
}

/// An entity and its position.
struct FoundItem<E: Entity> {
    index: usize,
    key: E::Key,
    entity: E,
}

/// Runs the hook after a read. An entity whose hook does not finish before the deadline counts as not read.
async fn retrieved<E: Entity>(
    database: Database,
    deadline: Deadline,
    FoundItem { index, key, mut entity }: FoundItem<E>,
) -> Result<E, GetStreamError<E>> {
    if deadline.bound(hooks::retrieved(&database, &mut entity)).await.is_some() {
        return Ok(entity);
    }
    let subject = Subject::of(E::INFO).in_table(database.table(E::INFO));
    let reason = Arc::new(deadline.passed(subject.during(Doing::RunningHooks), true));
    Err(GetStreamError::Key(KeyFailure { index, key, fate: Fate::Unprocessed, reason }))
}

/// The error that a [`BatchGetStream`] yields instead of an entity.
#[non_exhaustive]
pub enum GetStreamError<E: Entity> {
    /// The item of a key could not be read. The stream continues.
    Key(KeyFailure<E>),
    /// The stream ended before its keys: a missing table, missing permissions, rounds without progress, the
    /// deadline, or no database.
    Stopped(Arc<Error>),
}

impl<E: Entity> From<GetStreamError<E>> for Error {
    fn from(error: GetStreamError<E>) -> Self {
        match error {
            GetStreamError::Key(failure) => failure.into(),
            GetStreamError::Stopped(why) => {
                let subject = Subject::of(E::INFO).during(Doing::Reading);
                let subject = subject.in_table(why.table().unwrap_or(E::INFO.table));
                let report = BatchReport { subject, total: 0, failures: Vec::new(), stopped: Some(why) };
                Self::Batch(Box::new(report))
            }
        }
    }
}

impl<E: Entity> std::error::Error for GetStreamError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Key(failure) => failure.source(),
            Self::Stopped(why) => Some(&**why),
        }
    }
}

impl<E: Entity> fmt::Display for GetStreamError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(failure) => failure.fmt(f),
            Self::Stopped(_) => write!(f, "reading `{}` ended early", E::INFO.name),
        }
    }
}

/// Does not show the key, which may be sensitive.
impl<E: Entity> fmt::Debug for GetStreamError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(failure) => f.debug_tuple("Key").field(failure).finish(),
            Self::Stopped(why) => f.debug_tuple("Stopped").field(why).finish(),
        }
    }
}

impl<E: Entity> fmt::Debug for BatchGetStream<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchGetStream").field("entity", &E::INFO.name).finish_non_exhaustive()
    }
}

/// The keys that were taken in and not returned yet, in order, with the entities that were found.
struct Window<E: Entity> {
    /// The position of the first key among all keys.
    start: usize,
    slots: VecDeque<Slot<E>>,
    /// Why no more keys are read, if the keys have not ended.
    stopped: Option<Arc<Error>>,
}

struct Slot<E: Entity> {
    key: E::Key,
    found: Option<E>,
    settled: Option<(Fate, Option<Arc<Error>>)>,
}

impl<E: Entity> Window<E> {
    fn slot(&mut self, index: usize) -> Option<&mut Slot<E>> {
        self.slots.get_mut(index.checked_sub(self.start)?)
    }

    /// Returns the next entity, if all keys before it are settled.
    fn pop(&mut self) -> Option<Result<FoundItem<E>, GetStreamError<E>>> {
        while self.slots.front()?.settled.is_some() {
            let index = self.start;
            let Slot { key, found, settled } = self.slots.pop_front()?;
            self.start += 1;
            match (found, settled?) {
                (_, (fate, Some(reason))) => {
                    return Some(Err(GetStreamError::Key(KeyFailure { index, key, fate, reason })));
                }
                (Some(entity), _) => return Some(Ok(FoundItem { index, key, entity })),
                (None, _) => {}
            }
        }
        None
    }
}

fn lock<E: Entity>(found: &Mutex<Window<E>>) -> MutexGuard<'_, Window<E>> {
    found.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The inputs of a stream of keys.
struct Sought<'a, E: Entity> {
    keys: BoxStream<'a, E::Key>,
    visible: Visibility,
    found: Arc<Mutex<Window<E>>>,
    table: String,
    most: usize,
    ended: bool,
    buffer: Buffer,
}

impl<E: Entity> Inputs for Sought<'_, E> {
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Input>> {
        // Taking an entity out polls again.
        if lock(&self.found).slots.len() >= self.most {
            return Poll::Pending;
        }
        self.keys.as_mut().poll_next(context).map(|key| {
            self.ended = key.is_none();
            let key = key?;
            let body = by_key::<E>(&key, Kind::Get, 0, &mut self.buffer);
            lock(&self.found).slots.push_back(Slot { key, found: None, settled: None });
            Some(input(E::INFO, body.map_err(Unsent::rejected), &self.table))
        })
    }

    fn settle(&mut self, index: usize, fate: Fate, reason: Option<&Arc<Error>>) {
        if let Some(slot) = lock(&self.found).slot(index) {
            slot.settled = Some((fate, reason.cloned()));
        }
    }

    fn found(&mut self, inputs: &[usize], item: &Item<'_>) -> std::result::Result<(), ValueError> {
        let entity: Option<E> = self.visible.read(item)?;
        let mut found = lock(&self.found);
        for index in inputs {
            if let Some(slot) = found.slot(*index) {
                slot.found.clone_from(&entity);
            }
        }
        Ok(())
    }

    fn held_back(&self) -> Option<usize> {
        Some(lock(&self.found).start)
    }

    fn total(&self) -> Option<u64> {
        exact_size(&self.keys)
    }
}
