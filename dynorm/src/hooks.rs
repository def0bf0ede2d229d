//! Hooks: functions of an entity that run before and after its reads and writes.

use std::future::{Future, ready};

use crate::database::Database;
use crate::entity::{Entity, Hook, HookFuture, HookResult, encode_key};
use crate::error::{Error, Result, Subject};

/// The hooks of an entity with `#[entity(hooks)]`: functions that run when it is written and read. Each does
/// nothing by default. An entity without `#[entity(hooks)]` has no overhead.
///
/// ```
/// use dynorm::prelude::*;
/// use dynorm::{HookResult, Hooks};
///
/// #[derive(Entity, Clone, Debug, Default)]
/// #[entity(hooks)]
/// struct User {
///     #[entity(id)]
///     id: Id<User>,
///     email: String,
///     #[entity(created_at)]
///     created_at: Timestamp,
/// }
///
/// impl Hooks for User {
///     async fn saving(&mut self) -> HookResult {
///         self.email = self.email.trim().to_lowercase();
///         Ok(())
///     }
///
///     async fn deleting(&self) -> HookResult {
///         if self.email.ends_with("@example.com") {
///             return Err("the users of the example are needed".into());
///         }
///         Ok(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> dynorm::Result<()> {
/// # let db = Database::memory()?;
/// # db.create_table::<User>().await?;
/// # db.install();
/// let user = UserRepo::save(User { email: " Ada@Example.com".into(), ..User::default() }).await?;
/// assert_eq!(user.email, "ada@example.com");
/// let error = UserRepo::delete(&user).await.unwrap_err();
/// assert!(error.is_refused());
/// # Ok(())
/// # }
/// ```
///
/// # Order
///
/// | operation | before, in this order | after, in this order |
/// |---|---|---|
/// | save of a new entity | `saving`, `creating` | `created`, `saved` |
/// | save of any other entity | `saving`, `updating` | `updated`, `saved` |
/// | `delete` | `deleting` | `deleted` |
/// | `delete` of an entity with `deleted_at` | `deleting`, `trashing` | `trashed`, `deleted` |
/// | `force_delete` | `force_deleting`, `deleting` | `deleted`, `force_deleted` |
/// | `restore`, `batch_restore`, `restore_all` | `restoring` | `restored` |
/// | `find`, `get`, queries, scans, `batch_get`, `transact_get`, streams | | `retrieved` |
///
/// Saves are `save` and `create`, also with `merge` and in batches and transactions, saves of tracked
/// entities and by `retry_on_conflict`, and the creations of `first_or_create` and `update_or_create`.
///
/// An entity is new while its `created_at` is not set; without that field, while its id is not set; without
/// both, while its version is 0. For an entity that has none of them only `create` runs `creating`; its saves
/// run neither `creating` nor `updating`.
///
/// The hooks before a write run first: their changes are stamped, validated and written. The hooks after it
/// run when the write is known to be applied; they cannot undo it. In a batch the hooks before the write run
/// for all inputs in order, one at a time, before anything is sent. An entity that a hook refuses is
/// [`Rejected`](crate::Fate::Rejected), and the others are written. The hooks after the write run in the
/// order of the inputs when the batch has ended. A stream runs the hooks of each entity as it passes. In a
/// transaction a single refusal prevents everything from being sent.
///
/// A batch with a [`deadline`](crate::Retry::deadline) drops a hook that is pending at the deadline. If the
/// hook runs before a write, its entity and those after it are [`NotSent`](crate::Fate::NotSent). When the
/// batch is retried with `retry()`, hooks that have finished do not run again, and the dropped one starts
/// anew. If the hook runs after a write, the entity is written, and
/// [`Stats::dropped_hooks`](crate::Stats::dropped_hooks) counts it.
///
/// Operations that a hook calls use the database of the operation that runs the hook, unless they set
/// another.
///
/// # Without an entity
///
/// Deletes and restores by key first read the item with strong consistency, so that their hooks have an
/// entity. This is one additional read; if there is no item, no hooks run. Operations that do not read the
/// entity run no hooks: [`update`](crate::Repository::update) and [`upsert`](crate::Repository::upsert).
/// `retrieved` does not run for the entity that a write returns.
pub trait Hooks: Entity + HasHooks {
    /// Runs before the entity is saved, new or not.
    fn saving(&mut self) -> impl Future<Output = HookResult> + Send {
        ready(Ok(()))
    }

    /// Runs after the entity was saved, new or not.
    fn saved(&self) -> impl Future<Output = ()> + Send {
        ready(())
    }

    /// Runs before the entity is saved for the first time, after [`saving`](Self::saving).
    fn creating(&mut self) -> impl Future<Output = HookResult> + Send {
        ready(Ok(()))
    }

    /// Runs after the entity was saved for the first time.
    fn created(&self) -> impl Future<Output = ()> + Send {
        ready(())
    }

    /// Runs before the entity is saved again, after [`saving`](Self::saving).
    fn updating(&mut self) -> impl Future<Output = HookResult> + Send {
        ready(Ok(()))
    }

    /// Runs after the entity was saved again.
    fn updated(&self) -> impl Future<Output = ()> + Send {
        ready(())
    }

    /// Runs before the entity is deleted or soft-deleted.
    fn deleting(&self) -> impl Future<Output = HookResult> + Send {
        ready(Ok(()))
    }

    /// Runs after the entity was deleted or soft-deleted.
    fn deleted(&self) -> impl Future<Output = ()> + Send {
        ready(())
    }

    /// Runs before the entity is soft-deleted, after [`deleting`](Self::deleting).
    fn trashing(&self) -> impl Future<Output = HookResult> + Send {
        ready(Ok(()))
    }

    /// Runs after the entity was soft-deleted. `self` is the entity as it was before.
    fn trashed(&self) -> impl Future<Output = ()> + Send {
        ready(())
    }

    /// Runs before the entity is restored.
    fn restoring(&self) -> impl Future<Output = HookResult> + Send {
        ready(Ok(()))
    }

    /// Runs after the entity was restored.
    fn restored(&self) -> impl Future<Output = ()> + Send {
        ready(())
    }

    /// Runs before a soft-deletable entity is deleted permanently; [`deleting`](Self::deleting) follows.
    fn force_deleting(&self) -> impl Future<Output = HookResult> + Send {
        ready(Ok(()))
    }

    /// Runs after a soft-deletable entity was deleted permanently.
    fn force_deleted(&self) -> impl Future<Output = ()> + Send {
        ready(())
    }

    /// Runs after the entity was read.
    fn retrieved(&mut self) -> impl Future<Output = ()> + Send {
        ready(())
    }
}

/// An entity with `#[entity(hooks)]`. Implemented by the derive macro, so that hooks which would never run do
/// not compile.
#[diagnostic::on_unimplemented(
    message = "the hooks of `{Self}` would never run",
    label = "`{Self}` has no `#[entity(hooks)]`",
    note = "write `#[entity(hooks)]` above the struct"
)]
pub trait HasHooks {}

/// Calls the function of a hook, for the derive macro.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no hooks",
    label = "`hooks` needs `impl dynorm::Hooks for {Self}`",
    note = "write those that it has, such as `async fn saving(&mut self) -> dynorm::HookResult`: the others are empty",
    note = "without any, leave `hooks` out"
)]
pub trait Hooked {
    /// Runs a hook.
    fn hooked(&mut self, hook: Hook) -> Option<HookFuture<'_>>;
}

#[diagnostic::do_not_recommend]
impl<E: Hooks> Hooked for E {
    fn hooked(&mut self, hook: Hook) -> Option<HookFuture<'_>> {
        fn after<'e>(done: impl Future<Output = ()> + Send + 'e) -> HookFuture<'e> {
            Box::pin(async move {
                done.await;
                Ok(())
            })
        }
        Some(match hook {
            Hook::Saving => Box::pin(self.saving()),
            Hook::Saved => after(self.saved()),
            Hook::Creating => Box::pin(self.creating()),
            Hook::Created => after(self.created()),
            Hook::Updating => Box::pin(self.updating()),
            Hook::Updated => after(self.updated()),
            Hook::Deleting => Box::pin(self.deleting()),
            Hook::Deleted => after(self.deleted()),
            Hook::Trashing => Box::pin(self.trashing()),
            Hook::Trashed => after(self.trashed()),
            Hook::Restoring => Box::pin(self.restoring()),
            Hook::Restored => after(self.restored()),
            Hook::ForceDeleting => Box::pin(self.force_deleting()),
            Hook::ForceDeleted => after(self.force_deleted()),
            Hook::Retrieved => after(self.retrieved()),
        })
    }
}

/// The kind of a write, which decides its hooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A save of an entity that is new, not new, or not known to be either.
    Save {
        is_new: Option<bool>,
    },
    Delete,
    Trash,
    ForceDelete,
    Restore,
}

impl Event {
    /// Returns the event of a save, before the entity is stamped.
    pub(crate) fn save<E: Entity>(entity: &E, creates: bool) -> Self {
        Self::Save { is_new: if creates { Some(true) } else { entity.is_new() } }
    }

    pub(crate) fn delete<E: Entity>(force: bool) -> Self {
        match E::INFO.deleted_at {
            Some(_) if force => Self::ForceDelete,
            Some(_) => Self::Trash,
            None => Self::Delete,
        }
    }

    const fn before(self) -> &'static [Hook] {
        match self {
            Self::Save { is_new: Some(true) } => &[Hook::Saving, Hook::Creating],
            Self::Save { is_new: Some(false) } => &[Hook::Saving, Hook::Updating],
            Self::Save { is_new: None } => &[Hook::Saving],
            Self::Delete => &[Hook::Deleting],
            Self::Trash => &[Hook::Deleting, Hook::Trashing],
            Self::ForceDelete => &[Hook::ForceDeleting, Hook::Deleting],
            Self::Restore => &[Hook::Restoring],
        }
    }

    const fn after(self) -> &'static [Hook] {
        match self {
            Self::Save { is_new: Some(true) } => &[Hook::Created, Hook::Saved],
            Self::Save { is_new: Some(false) } => &[Hook::Updated, Hook::Saved],
            Self::Save { is_new: None } => &[Hook::Saved],
            Self::Delete => &[Hook::Deleted],
            Self::Trash => &[Hook::Trashed, Hook::Deleted],
            Self::ForceDelete => &[Hook::Deleted, Hook::ForceDeleted],
            Self::Restore => &[Hook::Restored],
        }
    }
}

/// Runs the hooks before a write, until one refuses.
pub(crate) async fn before<E: Entity>(database: &Database, entity: &mut E, event: Event) -> Result<()> {
    if !E::INFO.hooks {
        return Ok(());
    }
    for hook in event.before() {
        if let Err(source) = run(database, entity, *hook).await {
            let subject = Subject::of(E::INFO).in_table(database.table(E::INFO));
            let subject = match encode_key::<E>(&entity.entity_key()) {
                Ok(key) => subject.with_key(&key),
                Err(_) => subject,
            };
            return Err(Error::refused(subject, *hook, source));
        }
    }
    Ok(())
}

/// Runs the hooks after a write that is done.
pub(crate) async fn after<E: Entity>(database: &Database, entity: &mut E, event: Event) {
    if E::INFO.hooks {
        for hook in event.after() {
            // A hook after the write cannot refuse.
            let _: HookResult = run(database, entity, *hook).await;
        }
    }
}

/// Runs the hook after a read.
pub(crate) async fn retrieved<E: Entity>(database: &Database, entity: &mut E) {
    if E::INFO.hooks {
        let _: HookResult = run(database, entity, Hook::Retrieved).await;
    }
}

async fn run<E: Entity>(database: &Database, entity: &mut E, hook: Hook) -> HookResult {
    match entity.hook(hook) {
        Some(future) => database.scope(future).await,
        None => Ok(()),
    }
}
