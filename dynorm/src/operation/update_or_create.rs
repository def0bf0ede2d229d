//! Updates of items, or creations if they do not exist.

use std::fmt;

use super::OperationFuture;
use super::by_unique::find_by_unique;
use super::first_or_create::create;
use super::held::stamp_entity;
use super::returning::New;
use super::update::Update;
use super::update_item::update;
use crate::database::Database;
use crate::entity::{Entity, Stamp};
use crate::error::Result;
use crate::expression::Change;

/// The subject of an update of the item with the key of this entity, which is created if there is none.
pub struct OrCreate<E>(E);

impl<E: Entity> Update<E, OrCreate<E>> {
    pub(crate) fn or_create(entity: E) -> Self {
        Self::of(OrCreate(entity))
    }
}

impl<E: Entity> IntoFuture for Update<E, OrCreate<E>> {
    type Output = Result<E>;
    type IntoFuture = OperationFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { subject: OrCreate(entity), changes, database, .. } = self;
        OperationFuture::new(async move {
            let database = Database::of_operation(database)?;
            update_or_create(&database, entity, changes).await
        })
    }
}

impl<E: Entity> fmt::Debug for OrCreate<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OrCreate")
    }
}

/// How often the item may be created and deleted by others between an update and a creation.
const ROUNDS: usize = 5;

async fn update_or_create<E: Entity>(database: &Database, mut entity: E, changes: Vec<Change>) -> Result<E> {
    // Sets a missing id, so that all attempts write the same item.
    stamp_entity(&mut entity, &Stamp::of_id()).map_err(|error| error.in_table(&database.table(E::INFO)))?;
    let key = entity.entity_key();
    let mut round = 1;
    loop {
        match update::<E, New>(database, &key, changes.clone(), None).await {
            Err(error) if error.is_not_found() => {}
            done => return done,
        }
        if let Some(other) = find_by_unique(database, &entity).await? {
            match update::<E, New>(database, &other.entity_key(), changes.clone(), None).await {
                Err(error) if error.is_not_found() => {}
                done => return done,
            }
        }
        match create(database, entity.clone()).await {
            // Another client created the item, so it can be updated. After an attempt whose answer was lost,
            // the item may be this entity itself, to which the changes do not apply.
            Err(error) if error.outcome_known() && error.current::<E>().is_some() && round < ROUNDS => {
                round += 1;
            }
            Err(error) if error.is_unique_conflict() && round < ROUNDS => round += 1,
            done => return done,
        }
    }
}
