//! Retries of failed batches, with the inputs that their errors hold.

use super::{BatchDelete, BatchDeleteError, BatchGet, BatchGetError, BatchRestore, BatchRestoreError};
use super::{BatchSaveError, BatchSaveRetry};
use crate::entity::Entity;

impl<E: Entity> BatchSaveError<E> {
    /// Saves the entities again that are not known to be written. Returns the whole collection, in the order
    /// of the input.
    pub fn retry<'a>(self) -> BatchSaveRetry<'a, E> {
        BatchSaveRetry::new(self.into_unfinished())
    }
}

impl<E: Entity> BatchDeleteError<E> {
    /// Deletes the items again that are not known to be deleted. Positions and statistics refer to the whole
    /// batch.
    pub fn retry<'a>(self) -> BatchDelete<'a, E> {
        BatchDelete::again(self.into_unfinished())
    }
}

impl<E: Entity> BatchRestoreError<E> {
    /// Restores the items again that are not known to be restored. Positions and statistics refer to the
    /// whole batch.
    pub fn retry<'a>(self) -> BatchRestore<'a, E> {
        BatchRestore::again(self.into_unfinished())
    }
}

impl<E: Entity> BatchGetError<E> {
    /// Reads the items again that could not be read. Returns the whole collection, in the order of the keys;
    /// after [`positional`](BatchGet::positional), one `Option` for each key.
    pub fn retry<'a>(self) -> BatchGet<'a, E> {
        BatchGet::again(self.into_unfinished())
    }
}
