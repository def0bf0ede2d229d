//! Batch saves of entities in memory.

use std::fmt;

use super::body::Kind;
use super::error::{BatchSaveError, Unfinished};
use super::inputs::{cannot_begin, open, run_at_hand, unsettled};
use super::puts::Puts;
use super::settings::{Options, Settings, batch_options, write_options};
use super::{Duplicates, Stats};
use crate::collection::Collection;
use crate::database::Database;
use crate::entity::Entity;
use crate::operation::{Held, OperationFuture, Own, SaveArg};

/// Saves any number of entities. Created by [`Repository::batch_save`](crate::Repository::batch_save) and
/// [`batch_create`](crate::Repository::batch_create).
///
/// They are sent in requests of up to 25 items and 16 MB, several at a time. Unprocessed items are sent again
/// after a delay, together with others, as [`Retry`](crate::Retry) describes. A request that is refused is
/// split until the entity that caused the refusal is alone; the others are written. Of several entities with
/// the same key, the last one is written and replaces the others, unless [`duplicates`](Self::duplicates)
/// says otherwise.
///
/// If any entity is not known to be written in the end, the error is a [`BatchSaveError`], which holds all
/// such entities. Ids and timestamps are set once, before the first request. Entities passed by `&mut` keep
/// them even if they fail, so that a retry, by the caller or by [`BatchSaveError::retry`], writes the same
/// items. The version of an entity that is not known to be written is lowered again, also if the future of
/// the batch is dropped.
///
/// Memory: the entities, and their encoded items until they are done.
/// [`batch_save_stream`](crate::Repository::batch_save_stream) holds a bounded number of them.
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
    kind: Kind,
    settings: Settings<'a>,
    of: std::marker::PhantomData<&'a E>,
}

impl<'a, E: Entity, A: SaveArg<'a, E>> BatchSave<'a, E, A> {
    pub(crate) fn new(args: Vec<A>) -> Self {
        Self { args, kind: Kind::Put, settings: Settings::default(), of: std::marker::PhantomData }
    }

    pub(crate) fn creating(args: Vec<A>) -> Self {
        // Of several entities with the same key, all but one would find that the item exists.
        let settings = Options { duplicates: Duplicates::Refuse, ..Options::default() }.into();
        Self { args, kind: Kind::Create, settings, of: std::marker::PhantomData }
    }

    pub(crate) fn with_database(mut self, database: Option<&Database>) -> Self {
        self.settings.options.database = database.cloned();
        self
    }

    batch_options!();
    write_options!();
}

impl<'a, E: Entity, A: SaveArg<'a, E>> IntoFuture for BatchSave<'a, E, A> {
    type Output = Result<A::Batch, BatchSaveError<E>>;
    type IntoFuture = OperationFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { args, kind, mut settings, .. } = self;
        let held: Vec<A::Held> = args.into_iter().map(A::hold).collect();
        OperationFuture::new(async move {
            let mut again = settings.options.clone();
            let mut fates = unsettled(held.len());
            let (held, begun, stats) = match Database::of_operation(settings.options.database.take()) {
                Ok(database) => {
                    let mut puts = Puts::<E, _>::new(held, kind);
                    let stats = run_at_hand(&database, vec![&mut puts], None, &mut fates, settings).await;
                    if fates.iter().all(|(_, reason)| reason.is_none()) {
                        return Ok(A::batch_output(puts.held, stats.with_fates(&fates), database));
                    }
                    again.database = Some(database);
                    (puts.held, puts.begun, stats)
                }
                Err(error) => {
                    cannot_begin(&mut fates, None, error);
                    (held, None, Stats::default())
                }
            };
            let entities = held.into_iter().map(Held::into_entity).collect();
            Err(Unfinished { entities, begun, fates, stats, kind, options: again }.into())
        })
    }
}

impl<'a, E: Entity, A: SaveArg<'a, E>> fmt::Debug for BatchSave<'a, E, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchSave")
            .field("entity", &E::INFO.name)
            .field("inputs", &self.args.len())
            .field("retry", &self.settings.options.retry)
            .finish_non_exhaustive()
    }
}

/// Saves the unfinished entities of a batch again. Created by [`BatchSaveError::retry`].
#[must_use = "an operation does nothing until it is awaited"]
pub struct BatchSaveRetry<'a, E: Entity> {
    unfinished: Unfinished<E>,
    settings: Settings<'a>,
}

impl<'a, E: Entity> BatchSaveRetry<'a, E> {
    pub(super) fn new(unfinished: Unfinished<E>) -> Self {
        let settings = unfinished.options.clone().into();
        Self { unfinished, settings }
    }

    batch_options!();
}

impl<'a, E: Entity> IntoFuture for BatchSaveRetry<'a, E> {
    type Output = Result<Collection<E>, BatchSaveError<E>>;
    type IntoFuture = OperationFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { unfinished, mut settings } = self;
        let Unfinished { entities, begun, mut fates, mut stats, kind, .. } = unfinished;
        OperationFuture::new(async move {
            let mut again = settings.options.clone();
            let only = open(&fates);
            let database = match Database::of_operation(settings.options.database.take()) {
                Ok(database) => database,
                Err(error) => {
                    cannot_begin(&mut fates, Some(&only), error);
                    return Err(Unfinished { entities, begun, fates, stats, kind, options: again }.into());
                }
            };
            let held = entities.into_iter().map(Own).collect();
            let mut puts = Puts::<E, _>::again_of(held, kind, begun);
            let more = run_at_hand(&database, vec![&mut puts], Some(only), &mut fates, settings).await;
            let begun = puts.begun;
            let entities: Vec<E> = puts.held.into_iter().map(Own::into_entity).collect();
            // Counts only the final failures.
            stats.failed = 0;
            stats += more;
            if fates.iter().all(|(_, reason)| reason.is_none()) {
                return Ok(Collection::new(entities, Some(database)).with_stats(stats.with_fates(&fates)));
            }
            again.database = Some(database);
            Err(Unfinished { entities, begun, fates, stats, kind, options: again }.into())
        })
    }
}

impl<E: Entity> fmt::Debug for BatchSaveRetry<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchSaveRetry").field("entity", &E::INFO.name).finish_non_exhaustive()
    }
}
