use std::fmt;

use super::error::{BatchDeleteError, UnfinishedKeys};
use super::inputs::{Keys, cannot_begin, open, run_at_hand, unsettled};
use super::settings::{batch_options, write_options};
use super::wire::{Kind, Work};
use super::{Fates, Settings, Stats};
use crate::database::Database;
use crate::entity::Entity;
use crate::operation::OperationFuture;

/// Deletes any number of items. Made by [`Repository::batch_delete`](crate::Repository::batch_delete) and
/// [`batch_delete_entities`](crate::Repository::batch_delete_entities).
///
/// It gives the statistics. If any item is not known to be deleted in the end, the error is a [`BatchDeleteError`], which
/// holds the keys of all of them. Requests, retries and duplicates are as in [`BatchSave`](crate::BatchSave).
#[must_use = "an operation does nothing until it is awaited"]
pub struct BatchDelete<'a, E: Entity> {
    keys: Vec<E::Key>,
    /// What an earlier batch came to, if this one goes on with it.
    before: Option<(Fates, Stats)>,
    settings: Settings<'a>,
}

impl<'a, E: Entity> BatchDelete<'a, E> {
    pub(crate) fn new(keys: Vec<E::Key>) -> Self {
        Self { keys, before: None, settings: Settings::default() }
    }

    pub(super) fn again(unfinished: UnfinishedKeys<E>) -> Self {
        let UnfinishedKeys { keys, fates, stats, options } = unfinished;
        Self { keys, before: Some((fates, stats)), settings: options.into() }
    }

    pub(crate) fn with_database(mut self, database: Option<&Database>) -> Self {
        self.settings.options.database = database.cloned();
        self
    }

    batch_options!();
    write_options!();
}

impl<'a, E: Entity> IntoFuture for BatchDelete<'a, E> {
    type Output = Result<Stats, BatchDeleteError<E>>;
    type IntoFuture = OperationFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { keys, before, mut settings } = self;
        OperationFuture::new(async move {
            let mut again = settings.options.clone();
            let only = before.as_ref().map(|(fates, _)| open(fates));
            let (mut fates, mut stats) = before.unwrap_or_else(|| (unsettled(keys.len()), Stats::default()));
            let mut group = Keys::<E> { keys, kind: Kind::Delete };
            match Database::of_operation(settings.options.database.take()) {
                Ok(database) => {
                    let groups = vec![&mut group as _];
                    stats.failed = 0;
                    stats += run_at_hand(&database, Work::Write, groups, only, &mut fates, settings).await;
                    again.database = Some(database);
                }
                Err(error) => cannot_begin(&mut fates, only.as_deref(), error),
            }
            if fates.iter().all(|(_, reason)| reason.is_none()) {
                return Ok(stats.with_fates(&fates));
            }
            Err(UnfinishedKeys { keys: group.keys, fates, stats, options: again }.into())
        })
    }
}

impl<E: Entity> fmt::Debug for BatchDelete<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchDelete")
            .field("entity", &E::INFO.name)
            .field("inputs", &self.keys.len())
            .field("retry", &self.settings.options.retry)
            .finish_non_exhaustive()
    }
}
