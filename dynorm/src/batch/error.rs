//! The errors of batches. They own the inputs that are not known to be done, so that nothing is lost with them.

use std::fmt;
use std::sync::Arc;

use super::{Fate, Fates, Retry, Stats};
use crate::batch::{BatchDelete, BatchSaveRetry};
use crate::collection::Collection;
use crate::database::Database;
use crate::entity::{Entity, EntityInfo, encode_key};
use crate::error::{BatchItem, BatchReport, Error, Subject};

/// Some entities of a [`batch_save`](crate::Repository::batch_save) are not known to be written.
///
/// [`failures`](Self::failures) lists them, with the entity, what is known of it and why; [`retry`](Self::retry) sends just
/// those again. With `?` it becomes an [`Error`], or an `anyhow::Error`; it asks no `Debug` of the entity.
///
/// ```
/// # use dynorm::prelude::*;
/// # #[derive(Entity, Clone)]
/// # struct Note { #[entity(partition)] title: String, text: String }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> dynorm::Result<()> {
/// # let db = Database::memory()?;
/// # db.create_table::<Note>().await?;
/// # db.install();
/// let notes = [
///     Note { title: "Shopping".into(), text: "tea".into() },
///     Note { title: "Too long".into(), text: "x".repeat(500_000) },
/// ];
/// if let Err(error) = NoteRepo::batch_save(&notes).await {
///     for failure in error.failures() {
///         assert_eq!((failure.index, failure.key.as_str()), (1, "Too long"));
///         eprintln!("#{} {:?}: {}", failure.index, failure.key, failure.reason);
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub struct BatchSaveError<E: Entity>(Box<SaveInner<E>>);

struct SaveInner<E: Entity> {
    unfinished: Unfinished<E>,
    failures: Vec<SaveFailure<E>>,
}

/// An entity that is not known to be written.
#[non_exhaustive]
pub struct SaveFailure<E: Entity> {
    /// Its position in the input.
    pub index: usize,
    /// Its key.
    pub key: E::Key,
    /// The entity, stamped.
    pub entity: E,
    /// What is known of it.
    pub fate: Fate,
    /// Why.
    pub reason: Arc<Error>,
}

/// All that is needed to go on with a batch.
pub(super) struct Unfinished<E> {
    pub(super) entities: Vec<E>,
    pub(super) fates: Fates,
    pub(super) stats: Stats,
    pub(super) database: Option<Database>,
    pub(super) retry: Retry,
}

impl<E> Unfinished<E> {
    pub(super) fn new(
        entities: Vec<E>,
        fates: Fates,
        stats: Stats,
        database: Option<Database>,
        retry: Retry,
    ) -> Self {
        Self { entities, fates, stats, database, retry }
    }
}

impl<E: Entity> From<Unfinished<E>> for BatchSaveError<E> {
    fn from(unfinished: Unfinished<E>) -> Self {
        let failures = unfinished
            .entities
            .iter()
            .zip(&unfinished.fates)
            .enumerate()
            .filter_map(|(index, (entity, (fate, reason)))| {
                Some(SaveFailure {
                    index,
                    key: entity.entity_key(),
                    entity: entity.clone(),
                    fate: *fate,
                    reason: reason.clone()?,
                })
            })
            .collect();
        Self(Box::new(SaveInner { unfinished, failures }))
    }
}

impl<E: Entity> BatchSaveError<E> {
    /// The entities that are not known to be written, in the order of the input.
    #[must_use]
    pub fn failures(&self) -> &[SaveFailure<E>] {
        &self.0.failures
    }

    /// The fate of every input, in order.
    pub fn fates(&self) -> impl ExactSizeIterator<Item = Fate> {
        self.0.unfinished.fates.iter().map(|(fate, _)| *fate)
    }

    /// What the batch took.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.0.unfinished.stats
    }

    /// Every entity of the input, stamped, in order: those that are written, too.
    #[must_use]
    pub fn into_entities(self) -> Collection<E> {
        let Unfinished { entities, stats, database, .. } = self.0.unfinished;
        Collection::new(entities, database).with_stats(stats)
    }

    /// The entities that are written, in the order of the input.
    #[must_use]
    pub fn into_saved(self) -> Collection<E> {
        let Unfinished { entities, fates, stats, database, .. } = self.0.unfinished;
        let saved = entities.into_iter().zip(fates).filter(|(_, (fate, _))| *fate == Fate::Done);
        Collection::new(saved.map(|(entity, _)| entity).collect(), database).with_stats(stats)
    }

    /// Sends again just what is not known to be written, and gives the whole collection, in order.
    pub fn retry(self) -> BatchSaveRetry<E> {
        BatchSaveRetry::new(self.0.unfinished)
    }

    fn report(&self) -> BatchReport {
        let keys = self.0.failures.iter().map(|failure| &failure.key);
        report::<E>("saving", &self.0.unfinished.fates, keys)
    }
}

/// An item that is not known to be deleted, or that could not be read.
#[non_exhaustive]
pub struct KeyFailure<E: Entity> {
    /// The position of its key in the input.
    pub index: usize,
    /// Its key.
    pub key: E::Key,
    /// What is known of it.
    pub fate: Fate,
    /// Why.
    pub reason: Arc<Error>,
}

/// What the errors of batches of keys have in common.
struct KeyInner<E: Entity> {
    fates: Fates,
    failures: Vec<KeyFailure<E>>,
    stats: Stats,
}

impl<E: Entity> KeyInner<E> {
    fn new(keys: Vec<E::Key>, fates: Fates, stats: Stats) -> Self {
        let failures = keys.into_iter().zip(&fates).enumerate();
        let failures = failures.filter_map(|(index, (key, (fate, reason)))| {
            Some(KeyFailure { index, key, fate: *fate, reason: reason.clone()? })
        });
        Self { failures: failures.collect(), fates, stats }
    }

    fn report(&self, doing: &'static str) -> BatchReport {
        report::<E>(doing, &self.fates, self.failures.iter().map(|failure| &failure.key))
    }
}

/// Some items of a [`batch_delete`](crate::Repository::batch_delete) are not known to be deleted.
/// [`failures`](Self::failures) lists their keys, with what is known of them and why.
pub struct BatchDeleteError<E: Entity>(Box<(KeyInner<E>, BatchDelete<E>)>);

impl<E: Entity> BatchDeleteError<E> {
    /// `again` is a batch without keys, with all that the caller has said of the one that failed.
    pub(super) fn new(keys: Vec<E::Key>, fates: Fates, stats: Stats, again: BatchDelete<E>) -> Self {
        Self(Box::new((KeyInner::new(keys, fates, stats), again)))
    }

    /// The items that are not known to be deleted, in the order of the input.
    #[must_use]
    pub fn failures(&self) -> &[KeyFailure<E>] {
        &self.0.0.failures
    }

    /// The fate of every input, in order.
    pub fn fates(&self) -> impl ExactSizeIterator<Item = Fate> {
        self.0.0.fates.iter().map(|(fate, _)| *fate)
    }

    /// What the batch took.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.0.0.stats
    }

    /// Sends again just what is not known to be deleted.
    pub fn retry(self) -> BatchDelete<E> {
        let (inner, again) = *self.0;
        again.with_keys(inner.failures.into_iter().map(|failure| failure.key).collect())
    }

    fn report(&self) -> BatchReport {
        self.0.0.report("deleting")
    }
}

/// Some items of a [`batch_get`](crate::Repository::batch_get) could not be read.
///
/// [`failures`](Self::failures) lists their keys, with what is known of them and why; [`found`](Self::found) has those that
/// were read.
pub struct BatchGetError<E: Entity>(Box<(KeyInner<E>, Vec<Option<E>>)>);

impl<E: Entity> BatchGetError<E> {
    pub(super) fn new(keys: Vec<E::Key>, found: Vec<Option<E>>, fates: Fates, stats: Stats) -> Self {
        Self(Box::new((KeyInner::new(keys, fates, stats), found)))
    }

    /// The items that could not be read, in the order of the input.
    #[must_use]
    pub fn failures(&self) -> &[KeyFailure<E>] {
        &self.0.0.failures
    }

    /// The fate of every input, in order.
    pub fn fates(&self) -> impl ExactSizeIterator<Item = Fate> {
        self.0.0.fates.iter().map(|(fate, _)| *fate)
    }

    /// What the batch took.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.0.0.stats
    }

    /// What was read, at the position of its key; `None` for what is not there, and for the failures.
    #[must_use]
    pub fn found(&self) -> &[Option<E>] {
        &self.0.1
    }

    /// The same, by value.
    #[must_use]
    pub fn into_found(self) -> Vec<Option<E>> {
        self.0.1
    }

    fn report(&self) -> BatchReport {
        self.0.0.report("reading")
    }
}

/// The errors without their entities.
fn report<'k, E: Entity>(
    doing: &'static str,
    fates: &Fates,
    keys: impl Iterator<Item = &'k E::Key>,
) -> BatchReport {
    let described = keys.map(|key| encode_key::<E>(key).ok().map(|key| key.describe(E::INFO)));
    erased_report(E::INFO, doing, fates, described)
}

/// The part of [`report`] that does not depend on the entity.
fn erased_report(
    info: &'static EntityInfo,
    doing: &'static str,
    fates: &Fates,
    keys: impl Iterator<Item = Option<String>>,
) -> BatchReport {
    let failed = fates.iter().enumerate().filter_map(|(index, (fate, reason))| {
        let reason = reason.clone()?;
        Some((index, *fate, reason))
    });
    let failures: Vec<BatchItem> =
        failed.zip(keys).map(|((index, fate, reason), key)| BatchItem { index, key, fate, reason }).collect();
    let table = failures.iter().find_map(|failure| failure.reason.table()).unwrap_or(info.table).to_owned();
    BatchReport { subject: Subject::of(info).in_table(table).during(doing), total: fates.len(), failures }
}

macro_rules! batch_errors {
    ($($error:ident),*) => {$(
        impl<E: Entity> From<$error<E>> for Error {
            fn from(error: $error<E>) -> Self {
                Self::Batch(Box::new(error.report()))
            }
        }

        /// The questions that a caller asks before it decides, as on [`Error`].
        impl<E: Entity> $error<E> {
            /// True if every failure is for want of capacity.
            #[must_use]
            pub fn is_throttled(&self) -> bool {
                self.failures().iter().all(|failure| failure.reason.is_throttled())
            }

            /// True if every failure may succeed when it is tried again.
            #[must_use]
            pub fn is_retryable(&self) -> bool {
                self.failures().iter().all(|failure| failure.reason.is_retryable())
            }

            /// False if the fate of an item is unknown.
            #[must_use]
            pub fn outcome_known(&self) -> bool {
                self.failures().iter().all(|failure| failure.fate != Fate::Unknown)
            }
        }

        impl<E: Entity> std::error::Error for $error<E> {
            fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
                let first = self.failures().first()?;
                Some(&*first.reason)
            }
        }

        impl<E: Entity> fmt::Display for $error<E> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.report(), f)
            }
        }

        /// Without the entities, which need not implement it.
        impl<E: Entity> fmt::Debug for $error<E> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($error)).field(&self.report()).finish()
            }
        }

    )*};
}

batch_errors!(BatchSaveError, BatchDeleteError, BatchGetError);

impl<E: Entity> fmt::Debug for SaveFailure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { index, fate, reason, .. } = self;
        debug_failure(f.debug_struct("SaveFailure"), *index, *fate, reason)
    }
}

impl<E: Entity> fmt::Debug for KeyFailure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { index, fate, reason, .. } = self;
        debug_failure(f.debug_struct("KeyFailure"), *index, *fate, reason)
    }
}

/// Without the entity, which need not implement it, and without the key, which may be sensitive.
fn debug_failure(
    mut debug: fmt::DebugStruct<'_, '_>,
    index: usize,
    fate: Fate,
    reason: &Error,
) -> fmt::Result {
    debug.field("index", &index).field("fate", &fate).field("reason", reason).finish_non_exhaustive()
}
