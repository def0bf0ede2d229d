use std::fmt;
use std::marker::PhantomData;

use futures_util::future::BoxFuture;

use super::Stats;
use super::body::{Body, Kind};
use super::buffer::Buffer;
use super::error::{BatchGetError, UnfinishedGet, UnfinishedKeys};
use super::inputs::{Group, by_key, cannot_begin, describe, hash_of, open, run_at_hand, unsettled};
use super::keys::{DeleteRules, Hooked};
use super::settings::{Settings, batch_options};
use super::stats::Fates;
use super::work::Work;
use crate::codec::{Item, ValueError};
use crate::collection::Collection;
use crate::database::Database;
use crate::entity::{Entity, EntityInfo};
use crate::error::{Error, Result};
use crate::hooks;
use crate::operation::OperationFuture;
use crate::rules::{Expires, SoftDelete, Trashed, Visibility};
use crate::sealed::Sealed;

/// Reads any number of items by their keys. Made by [`Repository::batch_get`](crate::Repository::batch_get).
///
/// The entities come in the order of the keys; a key that has no item is skipped, or keeps its place as `None` with
/// [`positional`](Self::positional). A key that is given several times is asked for once and answered at each place.
///
/// Keys travel in requests of up to 100, several at a time. Those that DynamoDB hands back are asked for again, as
/// [`Retry`](crate::Retry) says: at once when the answer was full, after a pause when capacity was wanting. If any key is left without an answer in the end, the error is a [`BatchGetError`], which holds what was
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
pub struct BatchGet<'a, E: Entity, S = Found> {
    pub(super) keys: Vec<E::Key>,
    pub(super) consistent: bool,
    pub(super) visible: Visibility,
    /// What an earlier batch came to, if this one goes on with it.
    before: Option<Before<E>>,
    pub(super) settings: Settings<'a>,
    shape: PhantomData<fn() -> S>,
}

struct Before<E> {
    fates: Fates,
    stats: Stats,
    found: Vec<Option<E>>,
}

/// The entities that were found, as a [`Collection`].
#[derive(Debug)]
pub enum Found {}

/// A place for every key, as a `Vec<Option<E>>`.
#[derive(Debug)]
pub enum Positional {}

/// What a `batch_get` gives: [`Found`] or [`Positional`].
pub trait Arrangement<E: Entity>: Sealed + 'static {
    /// The type of it.
    type Output;
    #[doc(hidden)]
    fn output(found: Vec<Option<E>>, stats: Stats, database: Option<Database>) -> Self::Output;
}

impl Sealed for Found {}
impl Sealed for Positional {}
impl<E: Entity, S> Sealed for BatchGet<'_, E, S> {}

impl<E: Entity> Arrangement<E> for Found {
    type Output = Collection<E>;

    fn output(found: Vec<Option<E>>, stats: Stats, database: Option<Database>) -> Collection<E> {
        let mut entities = Vec::with_capacity(found.iter().flatten().count());
        entities.extend(found.into_iter().flatten());
        Collection::new(entities, database).with_stats(stats)
    }
}

impl<E: Entity> Arrangement<E> for Positional {
    type Output = Vec<Option<E>>;

    fn output(found: Vec<Option<E>>, _: Stats, _: Option<Database>) -> Vec<Option<E>> {
        found
    }
}

impl<'a, E: Entity> BatchGet<'a, E> {
    pub(crate) fn new(keys: Vec<E::Key>) -> Self {
        Self {
            keys,
            consistent: false,
            visible: Visibility::default(),
            before: None,
            settings: Settings::default(),
            shape: PhantomData,
        }
    }

    pub(super) fn again(unfinished: UnfinishedGet<E>) -> Self {
        let UnfinishedGet {
            keys: UnfinishedKeys { keys, fates, stats, options, .. },
            found,
            consistent,
            visible,
        } = unfinished;
        let before = Some(Before { fates, stats, found });
        Self { keys, consistent, visible, before, settings: options.into(), shape: PhantomData }
    }

    /// Keeps a place for every key, `None` where there is no item.
    pub fn positional(self) -> BatchGet<'a, E, Positional> {
        let Self { keys, consistent, visible, before, settings, .. } = self;
        BatchGet { keys, consistent, visible, before, settings, shape: PhantomData }
    }
}

impl<'a, E: Entity, S> BatchGet<'a, E, S> {
    /// Reads what every write that has succeeded so far has left, at twice the read capacity.
    pub fn consistent(mut self) -> Self {
        self.consistent = true;
        self
    }

    batch_options!();
}

impl<E: Entity, S> BatchGet<'_, E, S> {
    /// Finds what is marked as deleted as well.
    pub fn with_trashed(mut self) -> Self
    where
        E: SoftDelete,
    {
        self.visible.trashed = Trashed::With;
        self
    }
}

impl<E: Entity, S> BatchGet<'_, E, S> {
    /// Finds what has expired as well, as long as DynamoDB has not deleted it.
    pub fn with_expired(mut self) -> Self
    where
        E: Expires,
    {
        self.visible.expired = true;
        self
    }
}

impl<'a, E: Entity, S: Arrangement<E>> IntoFuture for BatchGet<'a, E, S> {
    type Output = Result<S::Output, BatchGetError<E>>;
    type IntoFuture = OperationFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { keys, consistent, visible, before, mut settings, .. } = self;
        OperationFuture::new(async move {
            let mut again = settings.options.clone();
            let only = before.as_ref().map(|before| open(&before.fates));
            let Before { mut fates, mut stats, found } = before.unwrap_or_else(|| Before {
                fates: unsettled(keys.len()),
                stats: Stats::default(),
                found: keys.iter().map(|_| None).collect(),
            });
            let mut gets = Gets { keys, found, consistent, visible };
            match Database::of_operation(settings.options.database.take()) {
                Ok(database) => {
                    let groups = vec![&mut gets as _];
                    stats.failed = 0;
                    stats += run_at_hand(&database, groups, only, &mut fates, settings).await;
                    if fates.iter().all(|(_, reason)| reason.is_none()) {
                        return Ok(S::output(gets.found, stats.with_fates(&fates), Some(database)));
                    }
                    again.database = Some(database);
                }
                Err(error) => cannot_begin(&mut fates, only.as_deref(), error),
            }
            let Gets { keys, found, consistent, visible } = gets;
            let keys = UnfinishedKeys {
                keys,
                rules: DeleteRules::default(),
                hooked: Hooked::default(),
                fates,
                stats,
                options: again,
            };
            Err(UnfinishedGet { keys, found, consistent, visible }.into())
        })
    }
}

/// Keys that are read, and what was found.
pub struct Gets<E: Entity> {
    pub(super) keys: Vec<E::Key>,
    pub(super) found: Vec<Option<E>>,
    pub(super) consistent: bool,
    pub(super) visible: Visibility,
}

impl<E: Entity> fmt::Debug for Gets<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gets").field("inputs", &self.keys.len()).finish_non_exhaustive()
    }
}

impl<E: Entity> Group for Gets<E> {
    fn info(&self) -> &'static EntityInfo {
        E::INFO
    }

    fn len(&self) -> usize {
        self.keys.len()
    }

    fn body(&mut self, index: usize, table: usize, buffer: &mut Buffer) -> Result<Body> {
        let key = self.keys.get(index);
        let key = key.ok_or_else(|| Error::internal("a batch asks for a key that it was not given"))?;
        by_key::<E>(key, Kind::Get, table, buffer)
    }

    fn key_hash(&self, index: usize, table: usize, buffer: &mut Buffer) -> Option<u64> {
        self.keys.get(index).and_then(|key| hash_of::<E>(key, table, buffer))
    }

    fn describe(&self, index: usize) -> Option<String> {
        self.keys.get(index).and_then(describe::<E>)
    }

    fn after<'g>(
        &'g mut self,
        database: &'g Database,
        done: &'g [usize],
        ran: &'g mut usize,
    ) -> BoxFuture<'g, ()> {
        Box::pin(async move {
            for index in done {
                if let Some(Some(entity)) = self.found.get_mut(*index) {
                    hooks::retrieved(database, entity).await;
                }
                *ran += 1;
            }
        })
    }

    /// Without its hook it is not what the entity says it is when it is read.
    fn forget(&mut self, indices: &[usize]) -> bool {
        for index in indices {
            if let Some(slot) = self.found.get_mut(*index) {
                *slot = None;
            }
        }
        true
    }

    fn found(&mut self, indices: &[usize], item: &Item<'_>) -> std::result::Result<(), ValueError> {
        let entity: Option<E> = self.visible.read(item)?;
        if let [index] = indices {
            if let Some(slot) = self.found.get_mut(*index) {
                *slot = entity;
            }
            return Ok(());
        }
        for index in indices {
            if let Some(slot) = self.found.get_mut(*index) {
                slot.clone_from(&entity);
            }
        }
        Ok(())
    }

    fn work(&self) -> Work {
        Work::Get
    }

    fn consistent(&self) -> bool {
        self.consistent
    }
}

impl<E: Entity, S> fmt::Debug for BatchGet<'_, E, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchGet")
            .field("entity", &E::INFO.name)
            .field("inputs", &self.keys.len())
            .field("consistent", &self.consistent)
            .field("retry", &self.settings.options.retry)
            .finish_non_exhaustive()
    }
}
