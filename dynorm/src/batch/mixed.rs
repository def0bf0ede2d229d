//! Batches of several entities at once.

use std::any::{Any, TypeId};
use std::fmt;
use std::sync::Arc;

use super::body::Kind;
use super::inputs::{Group, cannot_begin, open, run_at_hand, unsettled};
use super::keys::Keys;
use super::puts::Puts;
use super::report::erased_report;
use super::settings::{Options, Settings, batch_options, write_options};
use super::stats::Fates;
use super::{Fate, Stats};
use crate::database::Database;
use crate::entity::Entity;
use crate::error::{BatchReport, Doing, Error, Subject};
use crate::key::IntoKey;
use crate::operation::{Held, OperationFuture, Own, SaveArg};

/// A batch of saves and deletes of several entities, which share requests.
///
/// ```
/// # use dynorm::prelude::*;
/// # #[derive(Entity, Clone, Debug, Default)]
/// # struct User { #[entity(id)] id: Id<User>, name: String }
/// # #[derive(Entity, Clone, Debug, Default)]
/// # struct Order { #[entity(id)] id: Id<Order>, total: u32 }
/// # #[derive(Entity, Clone, Debug, Default)]
/// # struct Cart { #[entity(id)] id: Id<Cart> }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> dynorm::Result<()> {
/// # let db = Database::memory()?;
/// # db.create_table::<User>().await?;
/// # db.create_table::<Order>().await?;
/// # db.create_table::<Cart>().await?;
/// # db.install();
/// # let (mut users, orders, cart_ids) = (vec![User::default(); 3], vec![Order::default(); 4], [Id::new()]);
/// let stats = dynorm::batch().save(&mut users).save(&orders).delete::<Cart>(&cart_ids).await?;
/// assert_eq!((stats.items, stats.requests), (8, 1));
/// # Ok(())
/// # }
/// ```
pub fn batch<'a>() -> Batch<'a> {
    Batch { groups: Vec::new(), before: None, settings: Settings::default() }
}

/// Saves and deletes of several entities. Made by [`batch`](crate::batch()).
///
/// The inputs are numbered in the order of the calls, and what holds of a
/// [`BatchSave`](crate::batch::BatchSave) holds of them all:
/// of several writes of one item, saves and deletes alike, the last one stands. It is no transaction: each item has a fate of
/// its own.
///
/// It gives the statistics. Pass entities by `&mut` to have the ids and timestamps that they are stored with.
#[must_use = "an operation does nothing until it is awaited"]
pub struct Batch<'a> {
    groups: Vec<Box<dyn Writes + 'a>>,
    /// What an earlier batch came to, if this one goes on with it.
    before: Option<(Fates, Stats)>,
    settings: Settings<'a>,
}

impl<'a> Batch<'a> {
    /// Saves entities of one type: by value, by reference, or by `&mut`, which stamps them in place.
    pub fn save<E: Entity, A: SaveArg<'a, E>>(mut self, entities: impl IntoIterator<Item = A>) -> Self {
        let held: Vec<A::Held> = entities.into_iter().map(A::hold).collect();
        self.groups.push(Box::new(Puts::<E, _>::new(held, Kind::Put)));
        self
    }

    /// Deletes items of one entity by their keys.
    pub fn delete<E: Entity>(mut self, keys: impl IntoIterator<Item: IntoKey<E::Key>>) -> Self {
        let keys = keys.into_iter().map(IntoKey::into_key).collect();
        self.groups.push(Box::new(Keys::<E>::new(keys)));
        self
    }

    /// Deletes the items of entities of one type.
    pub fn delete_entities<'e, E: Entity>(mut self, entities: impl IntoIterator<Item = &'e E>) -> Self {
        self.groups.push(Box::new(Keys::of(entities)));
        self
    }

    batch_options!();
    write_options!();
}

/// Writes of one entity.
trait Writes: Group {
    fn as_group(&mut self) -> &mut dyn Group;
    fn into_kept(self: Box<Self>) -> Box<dyn Kept>;
}

impl<E: Entity, H: Held<E>> Writes for Puts<E, H> {
    fn as_group(&mut self) -> &mut dyn Group {
        self
    }

    fn into_kept(self: Box<Self>) -> Box<dyn Kept> {
        let owned = self.held.into_iter().map(|held| Own(held.into_entity())).collect();
        Box::new(Puts::<E, Own<E>>::again_of(owned, self.kind, self.begun))
    }
}

impl<E: Entity> Writes for Keys<E> {
    fn as_group(&mut self) -> &mut dyn Group {
        self
    }

    fn into_kept(self: Box<Self>) -> Box<dyn Kept> {
        self
    }
}

/// Writes of one entity, in an error: owned, and `'static`.
trait Kept: Writes + Sync + 'static {
    fn entity(&self, _: usize) -> Option<&dyn Any> {
        None
    }

    fn key(&self, _: usize) -> Option<&dyn Any> {
        None
    }

    fn entity_type(&self) -> TypeId;

    fn into_writes(self: Box<Self>) -> Box<dyn Writes>;
}

impl<E: Entity> Kept for Puts<E, Own<E>> {
    fn entity(&self, index: usize) -> Option<&dyn Any> {
        self.held.get(index).map(|own| &own.0 as _)
    }

    fn entity_type(&self) -> TypeId {
        TypeId::of::<E>()
    }

    fn into_writes(self: Box<Self>) -> Box<dyn Writes> {
        self
    }
}

impl<E: Entity> Kept for Keys<E> {
    fn key(&self, index: usize) -> Option<&dyn Any> {
        self.keys.get(index).map(|key| key as _)
    }

    fn entity_type(&self) -> TypeId {
        TypeId::of::<E>()
    }

    fn into_writes(self: Box<Self>) -> Box<dyn Writes> {
        self
    }
}

impl<'a> IntoFuture for Batch<'a> {
    type Output = Result<Stats, BatchError>;
    type IntoFuture = OperationFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { mut groups, before, mut settings } = self;
        OperationFuture::new(async move {
            let mut again = settings.options.clone();
            let only = before.as_ref().map(|(fates, _)| open(fates));
            let inputs = groups.iter().map(|group| group.len()).sum();
            let (mut fates, mut stats) = before.unwrap_or_else(|| (unsettled(inputs), Stats::default()));
            match Database::of_operation(settings.options.database.take()) {
                Ok(database) => {
                    let groups = groups.iter_mut().map(|group| group.as_group()).collect();
                    stats.failed = 0;
                    stats += run_at_hand(&database, groups, only, &mut fates, settings).await;
                    again.database = Some(database);
                }
                Err(error) => cannot_begin(&mut fates, only.as_deref(), error),
            }
            if fates.iter().all(|(_, reason)| reason.is_none()) {
                return Ok(stats.with_fates(&fates));
            }
            let groups = groups.into_iter().map(Writes::into_kept).collect();
            Err(BatchError(Box::new(Unfinished { groups, fates, stats, options: again })))
        })
    }
}

impl fmt::Debug for Batch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let groups = self.groups.iter().map(|group| (group.info().name, group.len()));
        f.debug_struct("Batch").field("inputs", &groups.collect::<Vec<_>>()).finish_non_exhaustive()
    }
}

/// Some inputs of a [`batch`](crate::batch()) are not known to be done. [`failures`](Self::failures) lists them, and
/// [`retry`](Self::retry) sends just those again.
pub struct BatchError(Box<Unfinished>);

struct Unfinished {
    groups: Vec<Box<dyn Kept>>,
    fates: Fates,
    stats: Stats,
    options: Options,
}

/// An input of a [`batch`](crate::batch()) that is not known to be done.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct BatchFailure<'e> {
    /// Its position among all inputs, in the order of the calls.
    pub index: usize,
    /// The name of the entity's struct.
    pub name: &'static str,
    /// What is known of it.
    pub fate: Fate,
    /// Why.
    pub reason: &'e Arc<Error>,
    group: &'e dyn Kept,
    local: usize,
}

impl<'e> BatchFailure<'e> {
    /// The entity, stamped, if it was to be saved and is of this type.
    #[must_use]
    pub fn entity<E: Entity>(&self) -> Option<&'e E> {
        self.group.entity(self.local)?.downcast_ref()
    }

    /// The key, if it was to be saved or deleted and is of this entity.
    #[must_use]
    pub fn key<E: Entity>(&self) -> Option<E::Key> {
        match self.group.key(self.local) {
            Some(key) if self.group.entity_type() == TypeId::of::<E>() => key.downcast_ref().cloned(),
            _ => self.entity::<E>().map(Entity::entity_key),
        }
    }
}

impl fmt::Debug for BatchFailure<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { index, name, fate, reason, .. } = self;
        f.debug_struct("BatchFailure")
            .field("index", index)
            .field("name", name)
            .field("fate", fate)
            .field("reason", reason)
            .finish_non_exhaustive()
    }
}

impl BatchError {
    /// The inputs that are not known to be done, in order.
    pub fn failures(&self) -> impl Iterator<Item = BatchFailure<'_>> {
        let mut fates = self.0.fates.iter().enumerate();
        self.0.groups.iter().flat_map(move |group| {
            let of_group: Vec<_> = fates.by_ref().take(group.len()).enumerate().collect();
            of_group.into_iter().filter_map(|(local, (index, (fate, reason)))| {
                let reason = reason.as_ref()?;
                Some(BatchFailure {
                    index,
                    name: group.info().name,
                    fate: *fate,
                    reason,
                    group: &**group,
                    local,
                })
            })
        })
    }

    /// The fate of every input, in order.
    pub fn fates(&self) -> impl ExactSizeIterator<Item = Fate> {
        self.0.fates.iter().map(|(fate, _)| *fate)
    }

    /// What the batch took.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.0.stats
    }

    /// Every entity of this type that was to be saved, stamped, with its fate, in order.
    pub fn entities<E: Entity>(&self) -> impl Iterator<Item = (&E, Fate)> {
        let mut fates = self.0.fates.iter();
        self.0.groups.iter().flat_map(move |group| {
            let of_group: Vec<_> = fates.by_ref().take(group.len()).enumerate().collect();
            let entity = |(local, (fate, _)): (usize, &(Fate, _))| {
                Some((group.entity(local)?.downcast_ref::<E>()?, *fate))
            };
            of_group.into_iter().filter_map(entity).collect::<Vec<_>>()
        })
    }

    /// Sends again just what is not known to be done. Positions and statistics are those of the whole.
    pub fn retry<'a>(self) -> Batch<'a> {
        let Unfinished { groups, fates, stats, options } = *self.0;
        let groups = groups.into_iter().map(|group| group.into_writes() as Box<dyn Writes + 'a>).collect();
        Batch { groups, before: Some((fates, stats)), settings: options.into() }
    }

    /// True if every failure is for want of capacity.
    #[must_use]
    pub fn is_throttled(&self) -> bool {
        self.failures().all(|failure| failure.reason.is_throttled())
    }

    /// True if every failure may succeed when it is tried again.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.failures().all(|failure| failure.reason.is_retryable())
    }

    /// False if an input may have been done all the same.
    #[must_use]
    pub fn outcome_known(&self) -> bool {
        self.failures().all(|failure| failure.fate != Fate::Unknown && failure.reason.outcome_known())
    }

    fn report(&self) -> BatchReport {
        let keys = self.failures().map(|failure| failure.group.describe(failure.local));
        erased_report(
            subject(Doing::Writing, self.0.groups.iter().map(|group| group.info())),
            &self.0.fates,
            keys,
        )
    }
}

/// What a batch is about: an entity, if it is about one only.
pub(super) fn subject(
    doing: Doing,
    infos: impl Iterator<Item = &'static crate::entity::EntityInfo>,
) -> Subject {
    let (mut names, mut tables, mut first) = (Vec::new(), Vec::new(), None);
    for info in infos {
        first = first.or(Some(info));
        for (known, name) in [(&mut names, info.name), (&mut tables, info.table)] {
            if !known.contains(&name) {
                known.push(name);
            }
        }
    }
    match first {
        Some(info) if names.len() == 1 => Subject::of(info).during(doing),
        _ => Subject::default().in_table(tables.join("`, `")).during(doing),
    }
}

macro_rules! batch_error {
    ($([$($generics:tt)*] $error:ty;)*) => {$(
        impl<$($generics)*> From<$error> for Error {
            fn from(error: $error) -> Self {
                Self::Batch(Box::new(error.report()))
            }
        }

        impl<$($generics)*> std::error::Error for $error {
            fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
                let first = self.0.fates.iter().find_map(|(_, reason)| reason.as_deref())?;
                Some(first)
            }
        }

        impl<$($generics)*> fmt::Display for $error {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.report(), f)
            }
        }

        /// Without the entities, which need not implement it.
        impl<$($generics)*> fmt::Debug for $error {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple("BatchError").field(&self.report()).finish()
            }
        }
    )*};
}

batch_error! {
    [] BatchError;
}

pub(super) use batch_error;
