//! How a batch goes on where it failed: with what its error holds.

use super::{BatchDelete, BatchDeleteError, BatchGet, BatchGetError, BatchRestore, BatchRestoreError};
use super::{BatchSaveError, BatchSaveRetry};
use crate::entity::Entity;

impl<E: Entity> BatchSaveError<E> {
    /// Sends again just what is not known to be written, and gives the whole collection, in order.
    pub fn retry<'a>(self) -> BatchSaveRetry<'a, E> {
        BatchSaveRetry::new(self.into_unfinished())
    }
}

impl<E: Entity> BatchDeleteError<E> {
    /// Sends again just what is not known to be deleted. Positions and statistics are those of the whole.
    pub fn retry<'a>(self) -> BatchDelete<'a, E> {
        BatchDelete::again(self.into_unfinished())
    }
}

impl<E: Entity> BatchRestoreError<E> {
    /// Sends again just what is not known to be restored. Positions and statistics are those of the whole.
    pub fn retry<'a>(self) -> BatchRestore<'a, E> {
        BatchRestore::again(self.into_unfinished())
    }
}

impl<E: Entity> BatchGetError<E> {
    /// Asks again just for what could not be read, and gives the whole collection, in order; with
    /// [`positional`](BatchGet::positional), with a place for every key.
    pub fn retry<'a>(self) -> BatchGet<'a, E> {
        BatchGet::again(self.into_unfinished())
    }
}
