//! Soft deletes and restores.

use std::fmt;
use std::marker::PhantomData;

use super::OperationFuture;
use super::changes::complete;
use super::claiming::{Sending, claiming, read_known};
use super::find::stored;
use super::returning::{New, UpdateReturning};
use crate::codec::{Encoder, ValueError};
use crate::database::Database;
use crate::entity::{Entity, EntityInfo, Stamp, encode_key, part_of_key};
use crate::error::{Doing, Error, OperationKind, Result, Subject};
use crate::expression::{self, Change, Json, Source};
use crate::hooks::{self, Event};
use crate::rules::Existence;
use crate::transport::Repeat;
use crate::write::{Action, Intent, Known, ReturnValues, UniqueValues, Write};

/// Returns the changes of a soft delete, for an entity with `#[entity(deleted_at)]`. The item must exist, and
/// keeps the time of its first deletion.
pub(crate) fn soft_delete_changes<E: Entity>(
    key: &E::Key,
    expiry: Option<u64>,
) -> std::result::Result<Vec<Change>, ValueError> {
    let part = |field: usize| part_of_key::<E>(key, field);
    let stamp = Stamp::now();
    complete(E::INFO, deletion_changes(E::INFO, &stamp, expiry)?, &part, &stamp)
}

/// Returns the changes of a restore.
pub(crate) fn restore_changes<E: Entity>(key: &E::Key) -> std::result::Result<Vec<Change>, ValueError> {
    let part = |field: usize| part_of_key::<E>(key, field);
    let changes = E::INFO.deleted_at_attribute().map(Change::remove).into_iter().collect();
    complete(E::INFO, changes, &part, &Stamp::now())
}

/// Returns the changes that set the deletion time of an item, and its expiry a number of seconds from now.
fn deletion_changes(
    info: &'static EntityInfo,
    stamp: &Stamp,
    expiry: Option<u64>,
) -> std::result::Result<Vec<Change>, ValueError> {
    let mut changes = Vec::new();
    if let (Some(moment), Some(name)) = (info.deleted_at, info.deleted_at_attribute()) {
        let mut encoder = Encoder::default();
        (moment.encode)(stamp, &mut encoder).map_err(|error| error.in_field(name))?;
        let value = Source::Value(Json(encoder.into_bytes()));
        changes.push(Change { action: expression::Action::SetIfAbsent(value), ..Change::remove(name) });
    }
    if let (Some(seconds), Some(name)) = (expiry, info.expiry_attribute()) {
        let now = u64::try_from(stamp.now.unix_micros().div_euclid(1_000_000)).unwrap_or(0);
        let expiry = now.saturating_add(seconds).saturating_add(1);
        changes.push(Change::set(name, Source::Value(Json(format!(r#"{{"N":"{expiry}"}}"#).into_bytes()))));
    }
    Ok(changes)
}

/// Restores a soft-deleted item. Created by [`Repository::restore`](crate::Repository::restore).
#[must_use = "an operation does nothing until it is awaited"]
pub struct Restore<E: Entity> {
    key: E::Key,
    database: Option<Database>,
    of: PhantomData<fn() -> E>,
}

impl<E: Entity> Restore<E> {
    pub(crate) fn new(key: E::Key) -> Self {
        Self { key, database: None, of: PhantomData }
    }

    /// Uses this database.
    pub fn on(mut self, database: &Database) -> Self {
        self.database = Some(database.clone());
        self
    }
}

impl<E: Entity> IntoFuture for Restore<E> {
    type Output = Result<E>;
    type IntoFuture = OperationFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { key, database, .. } = self;
        OperationFuture::new(async move {
            let database = Database::of_operation(database)?;
            if E::INFO.hooks
                && let Some(mut entity) = stored::<E>(&database, key.clone()).await?
            {
                hooks::before(&database, &mut entity, Event::Restore).await?;
            }
            let encoded = encode_key::<E>(&key).map_err(|error| error.in_table(&database.table(E::INFO)))?;
            let known = match E::INFO.unique {
                Some(_) => read_known(&database, E::INFO, &encoded).await?,
                None => Known::nothing(),
            };
            let subject = Subject::of(E::INFO).in_table(database.table(E::INFO));
            let subject = subject.with_key(&encoded).during(Doing::Restoring);
            let write = |known: &Known| restore_request::<E>(&key, subject.clone(), known);
            let mut restored = match claiming(&database, known, Sending::Alone(Repeat::Any), write).await? {
                Some(answer) => <New as UpdateReturning<E>>::output(&answer)
                    .map_err(|error| Error::undecodable(subject, &error))?,
                None => <New as UpdateReturning<E>>::read_back(&database, encoded, subject).await?,
            };
            hooks::after(&database, &mut restored, Event::Restore).await;
            Ok(restored)
        })
    }
}

/// Makes the intent of a restore. It takes the claims again, since they may have expired meanwhile.
pub(crate) fn restore_intent<'w>(
    info: &'static EntityInfo,
    changes: &'w [Change],
    known: &Known,
) -> Intent<'w> {
    let uniques = info.unique.map(|_| {
        let after = known.before.clone();
        UniqueValues { known: known.clone(), after, renew: true }
    });
    let action = Action::Change { changes, start: &|_| None };
    Intent { existence: Existence::Stored, uniques, nulls: known.nulls, ..Intent::new(info, action) }
}

fn restore_request<E: Entity>(key: &E::Key, subject: Subject, known: &Known) -> Result<Write> {
    let encoded = encode_key::<E>(key).map_err(|error| error.in_table(&subject.table))?;
    let changes = restore_changes::<E>(key).map_err(|error| Error::invalid(subject.clone(), &error))?;
    let intent = restore_intent(E::INFO, &changes, known);
    let returning = Some(ReturnValues::New);
    Intent { returning, ..intent }.write(OperationKind::Updating, encoded, subject)
}

impl<E: Entity> fmt::Debug for Restore<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Restore").field("entity", &E::INFO.name).finish_non_exhaustive()
    }
}
