use std::fmt;
use std::sync::Arc;

use super::error::{BatchSaveError, Unfinished};
use super::write::{Write, write_all};
use super::{Fates, Retry, Stats};
use crate::collection::Collection;
use crate::database::Database;
use crate::entity::{Entity, Stamp, encode_entity};
use crate::error::Error;
use crate::operation::{Held, OperationFuture, SaveArg};

/// Saves any number of entities. Made by [`Repository::batch_save`](crate::Repository::batch_save).
///
/// They travel in requests of up to 25 items and 16 MB, several at a time. What DynamoDB leaves unprocessed is sent again,
/// as [`Retry`] says. A request that is refused is halved until the entity that caused it stands alone; the others are
/// written. Of several entities with one key, the last is written and stands for all.
///
/// If any entity is not known to be written in the end, the error is a [`BatchSaveError`], which holds all of them. Ids and
/// timestamps are set once, before the first request; entities passed by `&mut` keep them then, so that whoever sends them
/// again, the caller or [`BatchSaveError::retry`], writes the same items.
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
/// let mut users = vec![User::default(); 60];
/// let stats = UserRepo::batch_save(&mut users).await?;
/// assert_eq!((stats.items, stats.requests), (60, 3));
/// # Ok(())
/// # }
/// ```
#[must_use = "an operation does nothing until it is awaited"]
pub struct BatchSave<'a, E: Entity, A: SaveArg<'a, E>> {
    args: Vec<A>,
    retry: Retry,
    database: Option<Database>,
    of: std::marker::PhantomData<&'a E>,
}

impl<'a, E: Entity, A: SaveArg<'a, E>> BatchSave<'a, E, A> {
    pub(crate) fn new(args: Vec<A>) -> Self {
        Self { args, retry: Retry::default(), database: None, of: std::marker::PhantomData }
    }

    /// How to repeat what DynamoDB leaves unprocessed.
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

impl<'a, E: Entity, A: SaveArg<'a, E>> IntoFuture for BatchSave<'a, E, A> {
    type Output = Result<A::Batch, BatchSaveError<E>>;
    type IntoFuture = OperationFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { args, retry, database, .. } = self;
        let mut held: Vec<A::Held> = args.into_iter().map(A::hold).collect();
        OperationFuture::new(async move {
            let stamp = Stamp::now();
            for entity in &mut held {
                entity.stamp(&stamp);
            }
            let database = match Database::of_operation(database) {
                Ok(database) => database,
                Err(error) => {
                    let fates = not_sent(held.len(), error);
                    let entities = held.into_iter().map(Held::into_entity).collect();
                    return Err(Unfinished::new(entities, fates, Stats::default(), None, retry).into());
                }
            };
            let table = database.table(E::INFO);
            let inputs = held.iter().map(|held| encode_put(held.entity(), &table)).collect();
            let (fates, stats) = write_all(&database, E::INFO, "saving", inputs, retry).await;
            if fates.iter().all(|(_, reason)| reason.is_none()) {
                return Ok(A::batch_output(held, stats, database));
            }
            let entities = held.into_iter().map(Held::into_entity).collect();
            Err(Unfinished::new(entities, fates, stats, Some(database), retry).into())
        })
    }
}

impl<'a, E: Entity, A: SaveArg<'a, E>> fmt::Debug for BatchSave<'a, E, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchSave")
            .field("entity", &E::INFO.name)
            .field("inputs", &self.args.len())
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}

/// Sends again what a batch did not bring to its end. Made by [`BatchSaveError::retry`].
#[must_use = "an operation does nothing until it is awaited"]
pub struct BatchSaveRetry<E: Entity>(Unfinished<E>);

impl<E: Entity> BatchSaveRetry<E> {
    pub(super) fn new(unfinished: Unfinished<E>) -> Self {
        Self(unfinished)
    }

    /// How to repeat what DynamoDB leaves unprocessed; without it, as in the batch that failed.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.0.retry = retry;
        self
    }

    /// Uses this database.
    pub fn on(mut self, database: &Database) -> Self {
        self.0.database = Some(database.clone());
        self
    }
}

impl<E: Entity> IntoFuture for BatchSaveRetry<E> {
    type Output = Result<Collection<E>, BatchSaveError<E>>;
    type IntoFuture = OperationFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Unfinished { entities, mut fates, mut stats, database, retry } = self.0;
        OperationFuture::new(async move {
            let database = match Database::of_operation(database) {
                Ok(database) => database,
                Err(error) => {
                    let error = Arc::new(error);
                    for reason in fates.iter_mut().filter_map(|(_, reason)| reason.as_mut()) {
                        *reason = error.clone();
                    }
                    return Err(Unfinished { entities, fates, stats, database: None, retry }.into());
                }
            };
            let open: Vec<usize> = (0..fates.len())
                .filter(|index| fates.get(*index).is_some_and(|fate| fate.1.is_some()))
                .collect();
            let table = database.table(E::INFO);
            let inputs = open.iter().filter_map(|index| entities.get(*index));
            let inputs = inputs.map(|entity| encode_put(entity, &table)).collect();
            let (again, more) = write_all(&database, E::INFO, "saving", inputs, retry).await;
            stats += more;
            for (index, (fate, reason)) in open.iter().zip(again) {
                let fate = match fate {
                    super::Fate::Superseded { by } => {
                        super::Fate::Superseded { by: open.get(by).copied().unwrap_or(by) }
                    }
                    fate => fate,
                };
                if let Some(slot) = fates.get_mut(*index) {
                    *slot = (fate, reason);
                }
            }
            if fates.iter().all(|(_, reason)| reason.is_none()) {
                return Ok(Collection::new(entities, Some(database)).with_stats(stats));
            }
            Err(Unfinished { entities, fates, stats, database: Some(database), retry }.into())
        })
    }
}

impl<E: Entity> fmt::Debug for BatchSaveRetry<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchSaveRetry").field("entity", &E::INFO.name).finish_non_exhaustive()
    }
}

fn encode_put<E: Entity>(entity: &E, table: &str) -> crate::Result<Write> {
    let write = encode_entity(entity).and_then(|item| Write::put(E::INFO, item));
    write.map_err(|error| error.in_table(table))
}

/// The fates of a batch that could not begin.
pub(super) fn not_sent(inputs: usize, error: Error) -> Fates {
    let error = Arc::new(error);
    (0..inputs).map(|_| (super::Fate::NotSent, Some(error.clone()))).collect()
}
