//! What an operation was doing when it failed, as its error says it. To add an activity, add a variant to
//! [`Doing`] and its text to its `Display`.

use std::fmt;

/// What an operation was doing. Single operations, batches and transactions use the same texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Doing {
    /// Encoding an entity, for any operation.
    #[default]
    Storing,
    Saving,
    SavingChanges,
    Creating,
    Updating,
    Upserting,
    /// `retry_on_conflict`: reading, changing and saving until there is no version conflict.
    Changing,
    Deleting,
    Restoring,
    Checking,
    /// Writing several items, in a batch or transaction.
    Writing,
    Reading,
    ReadingForHooks,
    ReadingForUniqueValues,
    ReadingBack,
    RunningHooks,
    /// Encoding a key.
    LookingFor,
    Finding,
    FindingOwner,
    Querying,
    Scanning,
    Counting,
    CreatingTable,
    DeletingTable,
    LookingUpTtl,
    SwitchingOnTtl,
}

impl Doing {
    /// Returns true for operations on a table rather than on its items.
    pub(super) const fn is_to_a_table(self) -> bool {
        matches!(self, Self::CreatingTable | Self::DeletingTable | Self::LookingUpTtl | Self::SwitchingOnTtl)
    }

    /// True if nothing else was to be done.
    pub(super) const fn is_read(self) -> bool {
        matches!(self, Self::Reading | Self::ReadingBack | Self::Finding | Self::FindingOwner)
    }
}

impl fmt::Display for Doing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Storing => "storing",
            Self::Saving => "saving",
            Self::SavingChanges => "saving the changes of",
            Self::Creating => "creating",
            Self::Updating => "updating",
            Self::Upserting => "upserting",
            Self::Changing => "changing",
            Self::Deleting => "deleting",
            Self::Restoring => "restoring",
            Self::Checking => "checking",
            Self::Writing => "writing",
            Self::Reading => "reading",
            Self::ReadingForHooks => "reading, for its hooks,",
            Self::ReadingForUniqueValues => "reading, for its unique values,",
            Self::RunningHooks => "running the hooks of",
            Self::ReadingBack => "reading, after an update that was made,",
            Self::LookingFor => "looking for",
            Self::Finding => "finding",
            Self::FindingOwner => "finding the owner of a value of",
            Self::Querying => "querying",
            Self::Scanning => "scanning",
            Self::Counting => "counting",
            Self::CreatingTable => "creating the table",
            Self::DeletingTable => "deleting the table",
            Self::LookingUpTtl => "looking up the TTL of the table",
            Self::SwitchingOnTtl => "switching on the TTL of the table",
        })
    }
}

/// The kind of an operation of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OperationKind {
    /// It saves an entity.
    Saving,
    /// It saves an entity that must not exist yet.
    Creating,
    /// It changes some fields of an item.
    Updating,
    /// It deletes an item.
    Deleting,
    /// It checks a condition on an item that it does not change.
    Checking,
    /// It reads an item.
    Reading,
}

impl OperationKind {
    /// The same, for the subject of an error.
    pub(crate) const fn doing(self) -> Doing {
        match self {
            Self::Saving => Doing::Saving,
            Self::Creating => Doing::Creating,
            Self::Updating => Doing::Updating,
            Self::Deleting => Doing::Deleting,
            Self::Checking => Doing::Checking,
            Self::Reading => Doing::Reading,
        }
    }
}

impl fmt::Display for OperationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Saving => "save",
            Self::Creating => "creation",
            Self::Updating => "update",
            Self::Deleting => "deletion",
            Self::Checking => "check",
            Self::Reading => "read",
        })
    }
}
