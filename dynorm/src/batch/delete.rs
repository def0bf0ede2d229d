use std::fmt;

use super::Stats;
use super::error::{BatchDeleteError, UnfinishedKeys};
use super::inputs::{cannot_begin, open, run_at_hand, unsettled};
use super::keys::Keys;
use super::settings::{Settings, batch_options, write_options};
use super::stats::Fates;
use crate::database::Database;
use crate::entity::Entity;
use crate::operation::OperationFuture;
use crate::rules::SoftDelete;

/// Deletes any number of items. Made by [`Repository::batch_delete`](crate::Repository::batch_delete) and
/// [`batch_delete_entities`](crate::Repository::batch_delete_entities).
///
/// It gives the statistics. If any item is not known to be deleted in the end, the error is a [`BatchDeleteError`], which
/// holds the keys of all of them. Requests, retries and duplicates are as in
/// [`BatchSave`](crate::batch::BatchSave).
#[must_use = "an operation does nothing until it is awaited"]
pub struct BatchDelete<'a, E: Entity> {
    keys: Keys<E>,
    /// What an earlier batch came to, if this one goes on with it.
    before: Option<(Fates, Stats)>,
    settings: Settings<'a>,
}

impl<'a, E: Entity> BatchDelete<'a, E> {
    pub(crate) fn new(keys: Vec<E::Key>) -> Self {
        Self { keys: Keys::new(keys), before: None, settings: Settings::default() }
    }

    pub(crate) fn of<'e>(entities: impl IntoIterator<Item = &'e E>) -> Self {
        Self { keys: Keys::of(entities), before: None, settings: Settings::default() }
    }

    pub(super) fn again(unfinished: UnfinishedKeys<E>) -> Self {
        let UnfinishedKeys { keys, rules, hooked, fates, stats, options } = unfinished;
        Self { keys: Keys { keys, rules, hooked }, before: Some((fates, stats)), settings: options.into() }
    }

    pub(crate) fn with_database(mut self, database: Option<&Database>) -> Self {
        self.settings.options.database = database.cloned();
        self
    }

    batch_options!();
    write_options!();
}

impl<E: Entity> BatchDelete<'_, E> {
    /// Deletes the items for good, whether or not they are marked as deleted.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct Note { #[entity(id)] id: Id<Note>, #[entity(deleted_at)] deleted_at: Option<Timestamp> }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<Note>().await?;
    /// # db.install();
    /// let notes = NoteRepo::batch_save(vec![Note::default(); 30]).await?;
    /// NoteRepo::batch_delete_entities(&notes).await?;
    /// assert_eq!(NoteRepo::scan().only_trashed().count().await?, 30);
    /// NoteRepo::batch_delete_entities(&notes).force().await?;
    /// assert_eq!(NoteRepo::scan().with_trashed().count().await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn force(mut self) -> Self
    where
        E: SoftDelete,
    {
        self.keys.rules.force = true;
        self
    }
}

impl<'a, E: Entity> IntoFuture for BatchDelete<'a, E> {
    type Output = Result<Stats, BatchDeleteError<E>>;
    type IntoFuture = OperationFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { keys, before, settings } = self;
        OperationFuture::new(async move { Ok(run_keys(keys, before, settings).await?) })
    }
}

/// Writes what is done by keys; `before` is what an earlier batch came to, if this one goes on with it.
pub(super) async fn run_keys<E: Entity>(
    mut keys: Keys<E>,
    before: Option<(Fates, Stats)>,
    mut settings: Settings<'_>,
) -> Result<Stats, UnfinishedKeys<E>> {
    let mut again = settings.options.clone();
    let only = before.as_ref().map(|(fates, _)| open(fates));
    let (mut fates, mut stats) = before.unwrap_or_else(|| (unsettled(keys.keys.len()), Stats::default()));
    match Database::of_operation(settings.options.database.take()) {
        Ok(database) => {
            let groups = vec![&mut keys as _];
            stats.failed = 0;
            stats += run_at_hand(&database, groups, only, &mut fates, settings).await;
            again.database = Some(database);
        }
        Err(error) => cannot_begin(&mut fates, only.as_deref(), error),
    }
    if fates.iter().all(|(_, reason)| reason.is_none()) {
        return Ok(stats.with_fates(&fates));
    }
    let Keys { keys, rules, hooked } = keys;
    Err(UnfinishedKeys { keys, rules, hooked, fates, stats, options: again })
}

impl<E: Entity> fmt::Debug for BatchDelete<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchDelete")
            .field("entity", &E::INFO.name)
            .field("inputs", &self.keys.keys.len())
            .field("retry", &self.settings.options.retry)
            .finish_non_exhaustive()
    }
}
