//! Operations on single items: what the methods of [`Repository`](crate::Repository) return, to be refined
//! and awaited.
//!
//! Each is a builder. Nothing is sent before it is awaited; [`OperationFuture`] is the future that it
//! becomes.

// One file for each operation's builder. They have one shape: an owned value that says what is wanted, turned
// into bytes by code that knows the entity, and carried out by code that does not.

mod by_unique;
mod changes;
mod check;
mod claiming;
mod create;
pub(crate) mod create_table;
mod delete;
mod exactly_once;
mod find;
mod first_or_create;
mod held;
mod key_overlap;
mod retry_on_conflict;
mod returning;
mod save;
mod save_tracked;
mod tables;
pub(crate) mod time_to_live;
mod trash;
mod update;
mod update_item;
mod update_or_create;
mod upsert;

pub use check::Check;
pub(crate) use check::check_request;
pub(crate) use claiming::read_known;
pub use create::Create;
pub use delete::Delete;
pub(crate) use delete::delete_intent;
pub use exactly_once::Once;
pub(crate) use find::stored;
pub use find::{Find, Get};
pub use first_or_create::FirstOrCreate;
pub use held::SaveArg;
pub(crate) use held::{Held, Own};
pub use retry_on_conflict::RetryOnConflict;
pub use returning::{New, Nothing, Old, ReadBack, Returning, UpdateReturning};
pub use save::Save;
pub(crate) use save::{Put, put_request, stamped_item};
pub use save_tracked::SaveTracked;
pub use trash::Restore;
pub(crate) use trash::{mark_changes, restore_changes, restore_intent};
pub use update::{Existing, Update};
pub(crate) use update_item::update_request;
pub use update_or_create::OrCreate;
pub use upsert::OrInsert;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The future of an operation. It is `Send`, and does nothing until it is awaited.
///
/// Operations are builders, not futures; `.await` turns them into this. Where a function wants a future, such as
/// `futures::future::join_all`, call `.into_future()`.
pub struct OperationFuture<'a, T>(Pin<Box<dyn Future<Output = T> + Send + 'a>>);

impl<'a, T> OperationFuture<'a, T> {
    pub(crate) fn new(future: impl Future<Output = T> + Send + 'a) -> Self {
        Self(Box::pin(future))
    }
}

impl<T> Future for OperationFuture<'_, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        self.0.as_mut().poll(context)
    }
}

impl<T> fmt::Debug for OperationFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperationFuture").finish_non_exhaustive()
    }
}
