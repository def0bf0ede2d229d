//! Reads of items that are created if they do not exist.

use std::fmt;

use super::OperationFuture;
use super::by_unique::find_by_unique;
use super::find::Find;
use super::held::Own;
use super::save::{Put, save};
use crate::database::Database;
use crate::entity::Entity;
use crate::error::{Error, Result};
use crate::rules::Visibility;

/// Reads an item, or creates it if there is none. Created by
/// [`Repository::first_or_create`](crate::Repository::first_or_create).
#[must_use = "an operation does nothing until it is awaited"]
pub struct FirstOrCreate<E: Entity> {
    entity: E,
    database: Option<Database>,
}

impl<E: Entity> FirstOrCreate<E> {
    pub(crate) fn new(entity: E) -> Self {
        Self { entity, database: None }
    }

    /// Uses this database.
    pub fn on(mut self, database: &Database) -> Self {
        self.database = Some(database.clone());
        self
    }
}

impl<E: Entity> IntoFuture for FirstOrCreate<E> {
    type Output = Result<E>;
    type IntoFuture = OperationFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { entity, database } = self;
        OperationFuture::new(async move {
            let database = Database::of_operation(database)?;
            first_or_create(&database, entity).await
        })
    }
}

impl<E: Entity> fmt::Debug for FirstOrCreate<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FirstOrCreate").field("entity", &E::INFO.name).finish_non_exhaustive()
    }
}

async fn first_or_create<E: Entity>(database: &Database, entity: E) -> Result<E> {
    let key = entity.entity_key();
    let mut is_first = true;
    loop {
        if let Some(found) = Find::<E>::new(key.clone()).consistent().on(database).await? {
            return Ok(found);
        }
        if let Some(found) = find_by_unique(database, &entity).await? {
            return Ok(found);
        }
        let error = match create(database, entity.clone()).await {
            Ok(created) => return Ok(created),
            Err(error) if error.is_condition_failed() || error.is_unique_conflict() => error,
            Err(error) => return Err(error),
        };
        // Created by another client, or by an attempt whose answer was lost: it is the stored item.
        match error.found().map(|item| Visibility::default().sees(E::INFO, &item)) {
            Some(Ok(true) | Err(_)) => return error.current().unwrap_or(Err(error)),
            // It is soft-deleted.
            Some(Ok(false)) => return Err(error),
            // The server does not return the item, or another client was first with a unique value.
            None if std::mem::take(&mut is_first) => {}
            None => return Err(error),
        }
    }
}

pub(super) async fn create<E: Entity>(database: &Database, entity: E) -> Result<E, Error> {
    save::<E, E>(Own(entity), Put::creating(), Some(database.clone())).await
}
