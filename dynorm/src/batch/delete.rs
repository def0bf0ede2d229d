use std::fmt;

use super::error::BatchDeleteError;
use super::save::not_sent;
use super::write::{Write, write_all};
use super::{Retry, Stats};
use crate::database::Database;
use crate::entity::{Entity, encode_key};
use crate::operation::OperationFuture;

/// Deletes any number of items. Made by [`Repository::batch_delete`](crate::Repository::batch_delete) and
/// [`batch_delete_entities`](crate::Repository::batch_delete_entities).
///
/// It gives the statistics. If any item is not known to be deleted in the end, the error is a [`BatchDeleteError`], which
/// holds the keys of all of them. Requests, retries and duplicates are as in [`BatchSave`](crate::BatchSave).
#[must_use = "an operation does nothing until it is awaited"]
pub struct BatchDelete<E: Entity> {
    keys: Vec<E::Key>,
    retry: Retry,
    database: Option<Database>,
}

impl<E: Entity> BatchDelete<E> {
    pub(crate) fn new(keys: Vec<E::Key>) -> Self {
        Self { keys, retry: Retry::default(), database: None }
    }

    pub(super) fn with_keys(mut self, keys: Vec<E::Key>) -> Self {
        self.keys = keys;
        self
    }

    /// How to repeat what DynamoDB leaves unprocessed.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Uses this database.
    pub fn on(mut self, database: &Database) -> Self {
        self.database = Some(database.clone());
        self
    }
}

impl<E: Entity> IntoFuture for BatchDelete<E> {
    type Output = Result<Stats, BatchDeleteError<E>>;
    type IntoFuture = OperationFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { keys, retry, database } = self;
        OperationFuture::new(async move {
            let again = Self { keys: Vec::new(), retry, database: database.clone() };
            let (fates, stats) = match Database::of_operation(database) {
                Ok(database) => {
                    let table = database.table(E::INFO);
                    let delete = |key: &E::Key| {
                        let write = encode_key::<E>(key).and_then(|key| Write::delete(E::INFO, key));
                        write.map_err(|error| error.in_table(&table))
                    };
                    let inputs = keys.iter().map(delete).collect();
                    write_all(&database, E::INFO, "deleting", inputs, retry).await
                }
                Err(error) => (not_sent(keys.len(), error), Stats::default()),
            };
            if fates.iter().all(|(_, reason)| reason.is_none()) {
                return Ok(stats);
            }
            Err(BatchDeleteError::new(keys, fates, stats, again))
        })
    }
}

impl<E: Entity> fmt::Debug for BatchDelete<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchDelete")
            .field("entity", &E::INFO.name)
            .field("inputs", &self.keys.len())
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}
