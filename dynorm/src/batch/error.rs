//! The errors of batches. They hold every input that is not known to be done, so that none is lost.

use std::fmt;
use std::sync::Arc;

use super::body::Kind;
use super::inputs::describe;
use super::keys::{DeleteRules, Hooked};
use super::puts::Begun;
use super::report::erased_report;
use super::settings::Options;
use super::stats::Fates;
use super::{Fate, Stats};
use crate::collection::Collection;
use crate::entity::Entity;
use crate::error::{BatchItem, BatchReport, Doing, Error, Subject};

/// The error of a [`batch_save`](crate::Repository::batch_save) of which some entities are not known to be
/// written.
///
/// [`failures`](Self::failures) lists them, each with its entity, fate and reason; [`retry`](Self::retry)
/// saves them again. The operator `?` converts it into an [`Error`] or an `anyhow::Error`. The entity need
/// not implement `Debug`.
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
#[derive(Clone)]
#[non_exhaustive]
pub struct SaveFailure<E: Entity> {
    /// Its position in the input.
    pub index: usize,
    /// Its key.
    pub key: E::Key,
    /// The entity with its ids and timestamps, and the version that it had before, so that it can be saved
    /// again.
    pub entity: E,
    /// Its fate.
    pub fate: Fate,
    /// The error that is the reason.
    pub reason: Arc<Error>,
}

/// Everything that a retry of the batch needs.
pub(super) struct Unfinished<E> {
    pub(super) entities: Vec<E>,
    pub(super) begun: Option<Begun>,
    pub(super) fates: Fates,
    pub(super) stats: Stats,
    pub(super) kind: Kind,
    pub(super) options: Options,
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
    /// Returns the entities that are not known to be written, in the order of the input.
    #[must_use]
    pub fn failures(&self) -> &[SaveFailure<E>] {
        &self.0.failures
    }

    /// Returns the fate of every input, in order.
    pub fn fates(&self) -> impl ExactSizeIterator<Item = Fate> {
        self.0.unfinished.fates.iter().map(|(fate, _)| *fate)
    }

    /// Returns the statistics of the batch.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.0.unfinished.stats
    }

    /// Returns every entity of the input, in order and with ids and timestamps, including those that are
    /// written. The others have the version that they had before.
    #[must_use]
    pub fn into_entities(self) -> Collection<E> {
        let Unfinished { entities, stats, options, .. } = self.0.unfinished;
        Collection::new(entities, options.database).with_stats(stats)
    }

    /// Returns the entities that are written, in the order of the input.
    #[must_use]
    pub fn into_saved(self) -> Collection<E> {
        let Unfinished { entities, fates, stats, options, .. } = self.0.unfinished;
        let saved = entities.into_iter().zip(fates).filter(|(_, (fate, _))| *fate == Fate::Done);
        Collection::new(saved.map(|(entity, _)| entity).collect(), options.database).with_stats(stats)
    }

    /// Returns what a retry needs.
    pub(super) fn into_unfinished(self) -> Unfinished<E> {
        self.0.unfinished
    }

    fn report(&self) -> BatchReport {
        let keys = self.0.failures.iter().map(|failure| &failure.key);
        let doing = self.0.unfinished.kind.doing();
        report::<E>(doing, &self.0.unfinished.fates, keys)
    }
}

/// An item that is not known to be deleted, or that could not be read.
#[derive(Clone)]
#[non_exhaustive]
pub struct KeyFailure<E: Entity> {
    /// The position of its key in the input.
    pub index: usize,
    /// Its key.
    pub key: E::Key,
    /// Its fate.
    pub fate: Fate,
    /// The error that is the reason.
    pub reason: Arc<Error>,
}

/// Everything that a retry of a batch of keys needs.
pub(super) struct UnfinishedKeys<E: Entity> {
    pub(super) keys: Vec<E::Key>,
    /// The rules of a delete or a restore.
    pub(super) rules: DeleteRules,
    pub(super) hooked: Hooked<E>,
    pub(super) fates: Fates,
    pub(super) stats: Stats,
    pub(super) options: Options,
}

impl<E: Entity> UnfinishedKeys<E> {
    fn failures(&self) -> Vec<KeyFailure<E>> {
        let failures = self.keys.iter().zip(&self.fates).enumerate();
        let failures = failures.filter_map(|(index, (key, (fate, reason)))| {
            Some(KeyFailure { index, key: key.clone(), fate: *fate, reason: reason.clone()? })
        });
        failures.collect()
    }
}

struct KeysInner<E: Entity, U> {
    unfinished: U,
    failures: Vec<KeyFailure<E>>,
}

macro_rules! errors_of_keys {
    ($($(#[$docs:meta])* $error:ident, $doing:ident, $done:literal;)*) => {$(
        $(#[$docs])*
        ///
        /// [`failures`](Self::failures) lists their keys, fates and reasons; [`retry`](Self::retry) sends
        /// them again.
        pub struct $error<E: Entity>(Box<KeysInner<E, UnfinishedKeys<E>>>);

        impl<E: Entity> From<UnfinishedKeys<E>> for $error<E> {
            fn from(unfinished: UnfinishedKeys<E>) -> Self {
                let failures = unfinished.failures();
                Self(Box::new(KeysInner { unfinished, failures }))
            }
        }

        impl<E: Entity> $error<E> {
            #[doc = concat!("Returns the items that are not known to be ", $done, ", in the order of the input.")]
            #[must_use]
            pub fn failures(&self) -> &[KeyFailure<E>] {
                &self.0.failures
            }

            /// Returns the fate of every input, in order.
            pub fn fates(&self) -> impl ExactSizeIterator<Item = Fate> {
                self.0.unfinished.fates.iter().map(|(fate, _)| *fate)
            }

            /// Returns the statistics of the batch.
            #[must_use]
            pub fn stats(&self) -> &Stats {
                &self.0.unfinished.stats
            }

            /// Returns what a retry needs.
            pub(super) fn into_unfinished(self) -> UnfinishedKeys<E> {
                self.0.unfinished
            }

            fn report(&self) -> BatchReport {
                let keys = self.0.failures.iter().map(|failure| &failure.key);
                report::<E>(Doing::$doing, &self.0.unfinished.fates, keys)
            }
        }
    )*};
}

errors_of_keys! {
    /// The error of a [`batch_delete`](crate::Repository::batch_delete) of which some items are not known to
    /// be deleted.
    BatchDeleteError, Deleting, "deleted";
    /// The error of a [`batch_restore`](crate::Repository::batch_restore) of which some items are not known
    /// to be restored.
    BatchRestoreError, Restoring, "restored";
}

/// The error of a [`batch_get`](crate::Repository::batch_get) of which some items could not be read.
///
/// [`failures`](Self::failures) lists their keys, fates and reasons; [`found`](Self::found) has the items
/// that were read; [`retry`](Self::retry) reads the others again.
pub struct BatchGetError<E: Entity>(Box<KeysInner<E, UnfinishedGet<E>>>);

/// Everything that a retry of a `batch_get` needs.
pub(super) struct UnfinishedGet<E: Entity> {
    pub(super) keys: UnfinishedKeys<E>,
    pub(super) found: Vec<Option<E>>,
    pub(super) consistent: bool,
    pub(super) visible: crate::rules::Visibility,
}

impl<E: Entity> From<UnfinishedGet<E>> for BatchGetError<E> {
    fn from(unfinished: UnfinishedGet<E>) -> Self {
        let failures = unfinished.keys.failures();
        Self(Box::new(KeysInner { unfinished, failures }))
    }
}

impl<E: Entity> BatchGetError<E> {
    /// Returns the items that could not be read, in the order of the input.
    #[must_use]
    pub fn failures(&self) -> &[KeyFailure<E>] {
        &self.0.failures
    }

    /// Returns the fate of every input, in order.
    pub fn fates(&self) -> impl ExactSizeIterator<Item = Fate> {
        self.0.unfinished.keys.fates.iter().map(|(fate, _)| *fate)
    }

    /// Returns the statistics of the batch.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.0.unfinished.keys.stats
    }

    /// Returns the entities that were read, at the positions of their keys: `None` for a key without an item,
    /// and for a failure.
    #[must_use]
    pub fn found(&self) -> &[Option<E>] {
        &self.0.unfinished.found
    }

    /// Like the method above, by value.
    #[must_use]
    pub fn into_found(self) -> Vec<Option<E>> {
        self.0.unfinished.found
    }

    /// Returns what a retry needs.
    pub(super) fn into_unfinished(self) -> UnfinishedGet<E> {
        self.0.unfinished
    }

    fn report(&self) -> BatchReport {
        let keys = self.0.failures.iter().map(|failure| &failure.key);
        report::<E>(Doing::Reading, &self.0.unfinished.keys.fates, keys)
    }
}

/// Makes the report of an error, which has no entities.
fn report<'k, E: Entity>(doing: Doing, fates: &Fates, keys: impl Iterator<Item = &'k E::Key>) -> BatchReport {
    erased_report(Subject::of(E::INFO).during(doing), fates, keys.map(describe::<E>))
}

macro_rules! batch_errors {
    ($($error:ident),*) => {$(
        impl<E: Entity> From<$error<E>> for Error {
            fn from(error: $error<E>) -> Self {
                Self::Batch(Box::new(error.report()))
            }
        }

        /// The same questions as on [`Error`].
        impl<E: Entity> $error<E> {
            /// Returns true if every failure was caused by throttling.
            #[must_use]
            pub fn is_throttled(&self) -> bool {
                self.failures().iter().all(|failure| failure.reason.is_throttled())
            }

            /// Returns true if a retry may succeed for every failure.
            #[must_use]
            pub fn is_retryable(&self) -> bool {
                self.failures().iter().all(|failure| failure.reason.is_retryable())
            }

            /// Returns false if an item may have been written although it failed: its fate is unknown, or an
            /// answer was a failure of the server.
            #[must_use]
            pub fn outcome_known(&self) -> bool {
                let known = |fate: Fate, reason: &Error| fate != Fate::Unknown && reason.outcome_known();
                self.failures().iter().all(|failure| known(failure.fate, &failure.reason))
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

        /// Does not show the entities, which need not implement `Debug`.
        impl<E: Entity> fmt::Debug for $error<E> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($error)).field(&self.report()).finish()
            }
        }

    )*};
}

batch_errors!(BatchSaveError, BatchDeleteError, BatchRestoreError, BatchGetError);

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

impl<E: Entity> fmt::Display for KeyFailure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { index, key, fate, .. } = self;
        write!(f, "#{index} (`{}`", E::INFO.name)?;
        if let Some(key) = describe::<E>(key) {
            write!(f, " with {key}")?;
        }
        write!(f, ") is {fate}")
    }
}

impl<E: Entity> std::error::Error for KeyFailure<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.reason)
    }
}

impl<E: Entity> From<KeyFailure<E>> for Error {
    fn from(failure: KeyFailure<E>) -> Self {
        let KeyFailure { index, key, fate, reason } = failure;
        let subject = Subject::of(E::INFO).during(Doing::Reading);
        let subject = subject.in_table(reason.table().unwrap_or(E::INFO.table));
        let failures = vec![BatchItem { index, key: describe::<E>(&key), fate, reason }];
        Self::Batch(Box::new(BatchReport { subject, total: 1, failures, stopped: None }))
    }
}

/// Shows neither the entity, which need not implement `Debug`, nor the key, which may be sensitive.
fn debug_failure(
    mut debug: fmt::DebugStruct<'_, '_>,
    index: usize,
    fate: Fate,
    reason: &Error,
) -> fmt::Result {
    debug.field("index", &index).field("fate", &fate).field("reason", reason).finish_non_exhaustive()
}
