//! What became of an input of a batch.

use std::fmt;

/// What became of one input of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fate {
    /// It is done: written, deleted or read.
    Done,
    /// Another input with the same key stands for it: a later one, as if this had been written and then
    /// replaced, unless [`Duplicates`](crate::Duplicates) says otherwise.
    Superseded {
        /// The position of that input.
        by: usize,
    },
    /// DynamoDB answered, and did not do it, until the retries were used up. If an answer was a failure of
    /// the server (a status of 500), it may have done it all the same: then the reason's
    /// [`outcome_known`](crate::Error::outcome_known) is false.
    Unprocessed,
    /// It was refused, by DynamoDB or before it was sent; of a read: what came does not fit the struct.
    Rejected,
    /// It was not sent, or it was to nobody: nobody listens, there is no such table, or no right to use it.
    NotSent,
    /// It was sent, and no answer came, so nobody knows whether it is done.
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
