//! What an entity has to say when it is written and read.

use std::future::{Future, ready};

use crate::database::Database;
use crate::entity::{Entity, Hook, HookFuture, HookResult, encode_key};
use crate::error::{Error, Result, Subject};

/// What an entity does when it is written and read, for one with `#[entity(hooks)]`. Each function is empty by default, and
/// an entity without `#[entity(hooks)]` pays nothing.
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
/// # Which, and in which order
///
/// | operation | before, in this order | after, in this order |
/// |---|---|---|
/// | `save` and `create` of a new entity, also in `first_or_create` and `update_or_create` | `saving`, `creating` | `created`, `saved` |
/// | `save` of any other, with `merge`, tracked, in `retry_on_conflict` | `saving`, `updating` | `updated`, `saved` |
/// | `delete` | `deleting` | `deleted` |
/// | `delete` of an entity with `deleted_at` | `deleting`, `trashing` | `trashed`, `deleted` |
/// | `force_delete` | `force_deleting`, `deleting` | `deleted`, `force_deleted` |
/// | `restore`, `batch_restore`, `restore_all` | `restoring` | `restored` |
/// | `find`, `get`, queries, scans, `batch_get`, `transact_get`, streams | | `retrieved` |
///
/// An entity is new while its `created_at` is not set; without one, while its id is not set; without both, while its version
/// is 0. Of an entity that has none of them only `create` can tell; its saves have neither `creating` nor `updating`.
///
/// The hooks before a write come first: what they change is stamped, validated and written. The hooks after it come when the
/// write is known to be done; they cannot undo it. In a batch the hooks before it run for all inputs in their order, one at
/// a time, before anything is sent; an entity that is refused is [`Rejected`](crate::Fate::Rejected), and the others are
/// written. Those after it run in the order of the inputs when the batch has ended. A stream runs them as the entities pass.
/// In a transaction one refusal keeps all of it from being sent.
///
/// A batch with a [`deadline`](crate::Retry::deadline) drops a hook that would wait past it. Of a hook before
/// a write, its entity and those behind it are [`NotSent`](crate::Fate::NotSent); when the batch is made
/// again by `retry()`, the hooks that have run do not run again, and the one that was dropped begins anew. Of
/// a hook after a write, the entity is written all the same, and
/// [`Stats::dropped_hooks`](crate::Stats::dropped_hooks) counts it.
///
/// The operations that a hook calls use the database of the operation that it is a hook of, unless they say otherwise.
///
/// # Without an entity
///
/// Deletes and restores by a key read the item first, consistently, so that their hooks have an entity: that is one read more,
/// and without an item there are no hooks. What is changed without being read has none: [`update`](crate::Repository::update),
/// [`upsert`](crate::Repository::upsert), and what a write gives back is not `retrieved`.
pub trait Hooks: Entity + HasHooks {
    /// Before it is saved, new or not.
    fn saving(&mut self) -> impl Future<Output = HookResult> + Send {
        ready(Ok(()))
    }

    /// After it was saved, new or not.
    fn saved(&self) -> impl Future<Output = ()> + Send {
        ready(())
    }

    /// Before it is saved for the first time, after [`saving`](Self::saving).
    fn creating(&mut self) -> impl Future<Output = HookResult> + Send {
        ready(Ok(()))
    }

    /// After it was saved for the first time.
    fn created(&self) -> impl Future<Output = ()> + Send {
        ready(())
    }

    /// Before it is saved again, after [`saving`](Self::saving).
    fn updating(&mut self) -> impl Future<Output = HookResult> + Send {
        ready(Ok(()))
    }

    /// After it was saved again.
    fn updated(&self) -> impl Future<Output = ()> + Send {
        ready(())
    }

    /// Before it is deleted or marked as deleted.
    fn deleting(&self) -> impl Future<Output = HookResult> + Send {
        ready(Ok(()))
    }

    /// After it was deleted or marked as deleted.
    fn deleted(&self) -> impl Future<Output = ()> + Send {
        ready(())
    }

    /// Before it is marked as deleted, after [`deleting`](Self::deleting).
    fn trashing(&self) -> impl Future<Output = HookResult> + Send {
        ready(Ok(()))
    }

    /// After it was marked as deleted. It is the entity as it was before.
    fn trashed(&self) -> impl Future<Output = ()> + Send {
        ready(())
    }

    /// Before the mark is taken away.
    fn restoring(&self) -> impl Future<Output = HookResult> + Send {
        ready(Ok(()))
    }

    /// After the mark was taken away.
    fn restored(&self) -> impl Future<Output = ()> + Send {
        ready(())
    }

    /// Before it is deleted for good although it could be marked; [`deleting`](Self::deleting) follows.
    fn force_deleting(&self) -> impl Future<Output = HookResult> + Send {
        ready(Ok(()))
    }

    /// After it was deleted for good although it could have been marked.
    fn force_deleted(&self) -> impl Future<Output = ()> + Send {
        ready(())
    }

    /// After it was read.
    fn retrieved(&mut self) -> impl Future<Output = ()> + Send {
        ready(())
    }
}

/// An entity with `#[entity(hooks)]`, so that hooks which would never run do not compile. The derive macro implements it.
#[diagnostic::on_unimplemented(
    message = "the hooks of `{Self}` would never run",
    label = "`{Self}` has no `#[entity(hooks)]`",
    note = "write `#[entity(hooks)]` above the struct"
)]
pub trait HasHooks {}

/// The way from a hook to its function, for the derive macro.
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

/// A write as its hooks see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A save of an entity that is new, or is not, or of which nobody knows.
    Save {
        is_new: Option<bool>,
    },
    Delete,
    Trash,
    ForceDelete,
    Restore,
}

impl Event {
    /// The save of an entity, before it is stamped.
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

/// Runs the hooks before a write. The first that refuses is the last that runs.
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
            // It has nothing to refuse.
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
