//! The fate of an input of a batch.

use std::fmt;

/// The outcome of one input of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fate {
    /// It is done: written, deleted, restored or read.
    Done,
    /// Another input with the same key replaced it. By default that is a later one, as if this one had been
    /// written first and then overwritten; [`Duplicates`](crate::Duplicates) can change that.
    Superseded {
        /// The position of the other input.
        by: usize,
    },
    /// DynamoDB did not process it before the retries were used up. If an answer was a failure of the server
    /// (status 500), it may have been applied all the same: then
    /// [`outcome_known`](crate::Error::outcome_known) of the reason is false.
    Unprocessed,
    /// It was refused, by DynamoDB or before it was sent. For a read: the item does not fit the struct.
    Rejected,
    /// It was not sent, or it could not reach a table: no server answered, the table does not exist, or the
    /// permission is missing.
    NotSent,
    /// It was sent, but no answer came, so it may or may not be done.
    Unknown,
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("done"),
            Self::Superseded { by } => write!(f, "superseded by #{by}"),
            Self::Unprocessed => f.write_str("unprocessed"),
            Self::Rejected => f.write_str("rejected"),
            Self::NotSent => f.write_str("not sent"),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}
