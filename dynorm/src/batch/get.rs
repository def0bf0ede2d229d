use std::fmt;
use std::marker::PhantomData;

use super::error::BatchGetError;
use super::read::read_all;
use super::save::not_sent;
use super::{Retry, Stats};
use crate::collection::Collection;
use crate::database::Database;
use crate::entity::{Entity, decode_entity, encode_key};
use crate::operation::OperationFuture;

/// Reads any number of items by their keys. Made by [`Repository::batch_get`](crate::Repository::batch_get).
///
/// The entities come in the order of the keys; a key that has no item is skipped, or keeps its place as `None` with
/// [`positional`](Self::positional). A key that is given several times is asked for once and answered at each place.
///
/// Keys travel in requests of up to 100, several at a time. Those that DynamoDB hands back are asked for again, as
/// [`Retry`] says. If any key is left without an answer in the end, the error is a [`BatchGetError`], which holds what was
/// found.
///
/// ```
/// # use dynorm::prelude::*;
/// # #[derive(Entity, Clone, Debug, Default)]
/// # struct User { #[entity(id)] id: Id<User>, age: u32 }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> dynorm::Result<()> {
/// # let db = Database::memory()?;
/// # db.create_table::<User>().await?;
/// # db.install();
/// let ada = UserRepo::save(User { age: 36, ..Default::default() }).await?;
/// let ids = [ada.id, Id::new(), ada.id];
/// assert_eq!(UserRepo::batch_get(&ids).await?.len(), 2);
///
/// let places: Vec<Option<User>> = UserRepo::batch_get(&ids).consistent().positional().await?;
/// assert!(places[1].is_none());
/// # Ok(())
/// # }
/// ```
#[must_use = "an operation does nothing until it is awaited"]
pub struct BatchGet<E: Entity, S = Found> {
    keys: Vec<E::Key>,
    consistent: bool,
    retry: Retry,
    database: Option<Database>,
    shape: PhantomData<fn() -> S>,
}

/// The entities that were found, as a [`Collection`].
#[derive(Debug)]
pub enum Found {}

/// A place for every key, as a `Vec<Option<E>>`.
#[derive(Debug)]
pub enum Positional {}

/// What a `batch_get` gives: [`Found`] or [`Positional`].
pub trait Arrangement<E: Entity>: 'static {
    /// The type of it.
    type Output;
    #[doc(hidden)]
    fn output(found: Vec<Option<E>>, stats: Stats, database: Database) -> Self::Output;
}

impl<E: Entity> Arrangement<E> for Found {
    type Output = Collection<E>;

    fn output(found: Vec<Option<E>>, stats: Stats, database: Database) -> Collection<E> {
        Collection::new(found.into_iter().flatten().collect(), Some(database)).with_stats(stats)
    }
}

impl<E: Entity> Arrangement<E> for Positional {
    type Output = Vec<Option<E>>;

    fn output(found: Vec<Option<E>>, _: Stats, _: Database) -> Vec<Option<E>> {
        found
    }
}

impl<E: Entity> BatchGet<E> {
    pub(crate) fn new(keys: Vec<E::Key>) -> Self {
        Self { keys, consistent: false, retry: Retry::default(), database: None, shape: PhantomData }
    }

    /// Keeps a place for every key, `None` where there is no item.
    pub fn positional(self) -> BatchGet<E, Positional> {
        let Self { keys, consistent, retry, database, .. } = self;
        BatchGet { keys, consistent, retry, database, shape: PhantomData }
    }
}

impl<E: Entity, S> BatchGet<E, S> {
    /// Reads what every write that has succeeded so far has left, at twice the read capacity.
    pub fn consistent(mut self) -> Self {
        self.consistent = true;
        self
    }

    /// How to repeat what DynamoDB hands back.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Uses this database.
    pub fn on(mut self, database: &Database) -> Self {
        self.database = Some(database.clone());
        self
    }
}

impl<E: Entity, S: Arrangement<E>> IntoFuture for BatchGet<E, S> {
    type Output = Result<S::Output, BatchGetError<E>>;
    type IntoFuture = OperationFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { keys, consistent, retry, database, .. } = self;
        OperationFuture::new(async move {
            let mut found: Vec<Option<E>> = keys.iter().map(|_| None).collect();
            let database = match Database::of_operation(database) {
                Ok(database) => database,
                Err(error) => {
                    let fates = not_sent(keys.len(), error);
                    return Err(BatchGetError::new(keys, found, fates, Stats::default()));
                }
            };
            let table = database.table(E::INFO);
            let encode = |key| encode_key::<E>(key).map_err(|error| error.in_table(&table));
            let encoded = keys.iter().map(encode).collect();
            let (fates, stats) =
                read_all(&database, E::INFO, encoded, consistent, retry, &mut |inputs, item| {
                    let entity: Option<E> = decode_entity(item)?;
                    for index in inputs {
                        if let Some(slot) = found.get_mut(*index) {
                            slot.clone_from(&entity);
                        }
                    }
                    Ok(())
                })
                .await;
            if fates.iter().all(|(_, reason)| reason.is_none()) {
                return Ok(S::output(found, stats, database));
            }
            Err(BatchGetError::new(keys, found, fates, stats))
        })
    }
}

impl<E: Entity, S> fmt::Debug for BatchGet<E, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchGet")
            .field("entity", &E::INFO.name)
            .field("inputs", &self.keys.len())
            .field("consistent", &self.consistent)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}
