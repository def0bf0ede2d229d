//! The hooks, and their results.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

/// The result of a hook that runs before a write: `Err` refuses the write.
pub type HookResult = std::result::Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// The future of a hook.
pub type HookFuture<'e> = Pin<Box<dyn Future<Output = HookResult> + Send + 'e>>;

/// One of the functions of [`Hooks`](crate::Hooks).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is documented where it is called")]
pub enum Hook {
    Saving,
    Saved,
    Creating,
    Created,
    Updating,
    Updated,
    Deleting,
    Deleted,
    Trashing,
    Trashed,
    Restoring,
    Restored,
    ForceDeleting,
    ForceDeleted,
    Retrieved,
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Saving => "saving",
            Self::Saved => "saved",
            Self::Creating => "creating",
            Self::Created => "created",
            Self::Updating => "updating",
            Self::Updated => "updated",
            Self::Deleting => "deleting",
            Self::Deleted => "deleted",
            Self::Trashing => "trashing",
            Self::Trashed => "trashed",
            Self::Restoring => "restoring",
            Self::Restored => "restored",
            Self::ForceDeleting => "force_deleting",
            Self::ForceDeleted => "force_deleted",
            Self::Retrieved => "retrieved",
        })
    }
}
