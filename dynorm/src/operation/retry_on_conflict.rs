//! Read, change and save, repeated after version conflicts.

use std::fmt;

use super::claiming::{Sending, claiming};
use super::find::Find;
use super::held::Own;
use super::save::{Put, put_request, stamped_item};
use super::{Held, OperationFuture};
use crate::backoff::Backoff;
use crate::database::Database;
use crate::entity::{Entity, Stamp};
use crate::error::{Doing, Error, Result, Subject};
use crate::hooks::{self, Event};
use crate::write::{Known, carry_out_one};

/// Reads an item, changes it and saves it, and repeats all of this after a version conflict. Created by
/// [`Repository::retry_on_conflict`](crate::Repository::retry_on_conflict).
#[must_use = "an operation does nothing until it is awaited"]
pub struct RetryOnConflict<'a, E: Entity> {
    key: E::Key,
    change: Box<dyn FnMut(&mut E) + Send + 'a>,
    database: Option<Database>,
}

impl<'a, E: Entity> RetryOnConflict<'a, E> {
    pub(crate) fn new(key: E::Key, change: impl FnMut(&mut E) + Send + 'a) -> Self {
        Self { key, change: Box::new(change), database: None }
    }

    /// Uses this database.
    pub fn on(mut self, database: &Database) -> Self {
        self.database = Some(database.clone());
        self
    }
}

impl<'a, E: Entity> IntoFuture for RetryOnConflict<'a, E> {
    type Output = Result<E>;
    type IntoFuture = OperationFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { key, mut change, database } = self;
        OperationFuture::new(async move {
            let database = Database::of_operation(database)?;
            let backoff = Backoff::CONFLICT;
            let mut random = fastrand::Rng::new();
            let mut attempt = 1;
            loop {
                let error = match Find::<E>::new(key.clone()).consistent().on(&database).await {
                    Ok(Some(mut entity)) => {
                        change(&mut entity);
                        match save_once(&database, entity).await {
                            Ok(saved) => return Ok(saved),
                            Err(error) => error,
                        }
                    }
                    Ok(None) => return Err(not_found::<E>(&database, &key)),
                    Err(error) => error,
                };
                // A change that may have been applied must not be applied again.
                let may_pass = error.is_version_conflict() || error.is_retryable();
                if !may_pass || !error.outcome_known() || attempt == backoff.attempts {
                    return Err(error);
                }
                tokio::time::sleep(backoff.delay(attempt, &mut random)).await;
                attempt += 1;
            }
        })
    }
}

/// Saves the entity in a transaction of its own, so that it is saved once even if answers are lost.
async fn save_once<E: Entity>(database: &Database, entity: E) -> Result<E> {
    let (mut held, mut put) = (Own(entity), Put::save(false, None));
    let event = Event::save(held.entity(), false);
    hooks::before(database, held.entity_mut(), event).await?;
    let table = database.table(E::INFO);
    let item = stamped_item(&mut held, &mut put, &Stamp::now()).map_err(|error| error.in_table(&table))?;
    if E::INFO.unique.is_some() {
        let known = put.first_known(E::INFO, &item.json);
        let known = known.map_err(|error| Error::undecodable(Subject::of(E::INFO), &error))?;
        let write = |known: &Known| {
            put.known = Some(known.clone());
            put_request(table.clone(), E::INFO, &item, &put)
        };
        claiming(database, known, Sending::Once, write).await?;
    } else {
        carry_out_one(database, put_request(table, E::INFO, &item, &put)?).await?;
    }
    hooks::after(database, held.entity_mut(), event).await;
    Ok(held.into_entity())
}

fn not_found<E: Entity>(database: &Database, key: &E::Key) -> Error {
    let subject = Subject::of(E::INFO).in_table(database.table(E::INFO)).during(Doing::Changing);
    match crate::entity::encode_key::<E>(key) {
        Ok(key) => Error::not_found(subject.with_key(&key)),
        Err(error) => error,
    }
}

impl<E: Entity> fmt::Debug for RetryOnConflict<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryOnConflict").field("entity", &E::INFO.name).finish_non_exhaustive()
    }
}
