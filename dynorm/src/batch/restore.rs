use std::fmt;

use super::Stats;
use super::delete::run_keys;
use super::error::{BatchRestoreError, UnfinishedKeys};
use super::keys::{Hooked, Keys};
use super::settings::{Settings, batch_options, write_options};
use super::stats::Fates;
use crate::database::Database;
use crate::entity::Entity;
use crate::operation::OperationFuture;

/// Takes the marks away that deletes have set, of any number of items. Made by
/// [`Repository::batch_restore`](crate::Repository::batch_restore) and
/// [`Collection::restore_all`](crate::Collection::restore_all).
///
/// It gives the statistics. Each item is a request of its own, since it has to exist: one that does not is a failure, whose reason is
/// [`NotFound`](crate::Error::NotFound). If any is not known to be restored in the end, the error is a
/// [`BatchRestoreError`], which holds the keys of all of them. Requests, retries and duplicates are as in
/// [`BatchSave`](crate::batch::BatchSave). For [hooks](crate::Hooks) the items are read, before by keys and
/// afterwards.
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
///
/// let ids = notes.pluck(Note::ID);
/// assert_eq!(NoteRepo::batch_restore(&ids[..10]).await?.items, 10);
/// assert_eq!(NoteRepo::count().await?, 10);
///
/// let trashed = NoteRepo::scan().only_trashed().get_all().await?;
/// trashed.restore_all().await?;
/// assert_eq!(NoteRepo::count().await?, 30);
/// # Ok(())
/// # }
/// ```
#[must_use = "an operation does nothing until it is awaited"]
pub struct BatchRestore<'a, E: Entity> {
    keys: Keys<E>,
    /// What an earlier batch came to, if this one goes on with it.
    before: Option<(Fates, Stats)>,
    settings: Settings<'a>,
}

impl<'a, E: Entity> BatchRestore<'a, E> {
    pub(crate) fn new(keys: Vec<E::Key>) -> Self {
        let mut keys = Keys::new(keys);
        keys.rules.restore = true;
        Self { keys, before: None, settings: Settings::default() }
    }

    pub(crate) fn of(entities: &[E]) -> Self {
        let mut restore = Self::new(entities.iter().map(Entity::entity_key).collect());
        restore.keys.hooked = Hooked::of(entities);
        restore
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

impl<'a, E: Entity> IntoFuture for BatchRestore<'a, E> {
    type Output = Result<Stats, BatchRestoreError<E>>;
    type IntoFuture = OperationFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { keys, before, settings } = self;
        OperationFuture::new(async move { Ok(run_keys(keys, before, settings).await?) })
    }
}

impl<E: Entity> fmt::Debug for BatchRestore<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchRestore")
            .field("entity", &E::INFO.name)
            .field("inputs", &self.keys.keys.len())
            .field("retry", &self.settings.options.retry)
            .finish_non_exhaustive()
    }
}
