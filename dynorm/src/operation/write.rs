use std::fmt;

use super::update_item::explain;
use crate::entity::EncodedKey;
use crate::error::{Error, Subject};
use crate::rules::Existence;
use crate::transport::{Failure, Operation};
use crate::unique::{self, Claim, Known};

/// A write of one item, ready to be sent: by itself, or in a transaction.
#[derive(Debug)]
pub(crate) struct Write {
    pub(crate) kind: OperationKind,
    pub(crate) operation: Operation,
    /// The entity, the table, and the key as text.
    pub(crate) subject: Subject,
    pub(crate) key: EncodedKey,
    /// The request by itself. In a transaction it is the same, beside the others.
    pub(crate) body: Vec<u8>,
    pub(crate) has_condition: bool,
    pub(crate) meaning: Meaning,
    /// What is claimed and released with it, in one transaction.
    pub(crate) claims: Vec<Claim>,
}

impl Write {
    /// What a failure means: what is known of the item by now, if the write may succeed with that.
    pub(super) fn explain(&self, failure: Failure) -> Result<Known, Error> {
        unique::explain(
            self.meaning.known.as_ref(),
            &self.claims,
            failure,
            &self.subject,
            |failure, subject| self.meaning.error(failure, subject),
        )
    }
}

/// What it means that the condition of a write fails.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meaning {
    /// What the write needs of the item's existence.
    pub(crate) existence: Option<Existence>,
    /// The version that it was based on.
    pub(crate) version: Option<u64>,
    /// What was to be written.
    pub(crate) attempted: Option<Vec<u8>>,
    /// What was known of the item, and has to be as it was.
    pub(crate) known: Option<Known>,
}

impl Meaning {
    /// The error of a write that failed.
    pub(crate) fn error(&self, failure: Failure, subject: Subject) -> Error {
        let Some(info) = subject.info else { return failure.into_error(subject) };
        if self.known.as_ref().is_some_and(|known| known.observe(&failure, &subject).is_some()) {
            return unique::unsettled(subject);
        }
        let error = match self.existence {
            Some(existence @ (Existence::Present | Existence::Stored)) => {
                explain(info, failure, subject, existence)
            }
            _ => failure.into_error(subject),
        };
        error.or_version_conflict(info, self.version, self.attempted.as_deref())
    }
}

/// What an operation of a transaction does.
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
    /// It asks something of an item that it does not change.
    Checking,
    /// It reads an item.
    Reading,
}

impl OperationKind {
    /// The word in the subject of an error.
    pub(crate) const fn doing(self) -> &'static str {
        match self {
            Self::Saving => "saving",
            Self::Creating => "creating",
            Self::Updating => "updating",
            Self::Deleting => "deleting",
            Self::Checking => "checking",
            Self::Reading => "reading",
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
