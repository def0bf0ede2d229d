//! Deletes that mark, and their reverse.

use std::fmt;
use std::marker::PhantomData;

use super::OperationFuture;
use super::changes::complete;
use super::claiming::{claiming, read_known};
use super::find::stored;
use super::update::New;
use super::update_item::{UpdateReturning, request_by_key, send_update};
use super::write::{Meaning, OperationKind, Write};
use crate::codec::{Encoder, ValueError};
use crate::database::Database;
use crate::entity::{Entity, EntityInfo, Stamp, encode_key, part_of_key};
use crate::error::{Error, Result, Subject};
use crate::expression::{Action, Change, Expression, Json, Node, Source};
use crate::hooks::{self, Event};
use crate::rules::{Existence, version_before};
use crate::transport::{Operation, Repeat};
use crate::unique::{Known, claims_of};

/// What a delete of an entity with `#[entity(deleted_at)]` does to its item: it must exist, and keeps the time of its first
/// deletion.
pub(crate) fn mark_changes<E: Entity>(
    key: &E::Key,
    end: Option<u64>,
) -> std::result::Result<Vec<Change>, ValueError> {
    let part = |field: usize| part_of_key::<E>(key, field);
    let stamp = Stamp::now();
    complete(E::INFO, marks(E::INFO, &stamp, end)?, &part, &stamp)
}

/// The reverse.
pub(crate) fn restore_changes<E: Entity>(key: &E::Key) -> std::result::Result<Vec<Change>, ValueError> {
    let part = |field: usize| part_of_key::<E>(key, field);
    let changes = E::INFO.mark().map(Change::remove).into_iter().collect();
    complete(E::INFO, changes, &part, &Stamp::now())
}

/// These changes, and what they need to find.
pub(crate) fn mark_expression(
    info: &'static EntityInfo,
    changes: &[Change],
    version: Option<u64>,
    condition: Option<&Node>,
) -> std::result::Result<Expression, ValueError> {
    let condition = match version.and_then(|version| version_before(info, version)) {
        Some(node) => Some(Node::and_also(condition.cloned(), node)),
        None => condition.cloned(),
    };
    let mut expression = Expression::default();
    expression.set_changes(changes, &|_| None)?;
    expression.set_condition(info, Existence::Stored, condition.as_ref())?;
    Ok(expression)
}

/// The changes that mark an item, and that let it end a number of seconds from now.
fn marks(
    info: &'static EntityInfo,
    stamp: &Stamp,
    end: Option<u64>,
) -> std::result::Result<Vec<Change>, ValueError> {
    let mut changes = Vec::new();
    if let (Some(moment), Some(name)) = (info.deleted_at, info.mark()) {
        let mut encoder = Encoder::default();
        (moment.encode)(stamp, &mut encoder).map_err(|error| error.in_field(name))?;
        let value = Source::Value(Json(encoder.into_bytes()));
        changes.push(Change { action: Action::SetIfAbsent(value), ..Change::remove(name) });
    }
    if let (Some(seconds), Some(name)) = (end, info.end()) {
        let now = u64::try_from(stamp.now.unix_micros().div_euclid(1_000_000)).unwrap_or(0);
        let end = now.saturating_add(seconds).saturating_add(1);
        changes.push(Change::set(name, Source::Value(Json(format!(r#"{{"N":"{end}"}}"#).into_bytes()))));
    }
    Ok(changes)
}

/// Takes the mark away that a delete has set. Made by [`Repository::restore`](crate::Repository::restore).
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
                Some(_) => Some(read_known(&database, E::INFO, &encoded).await?),
                None => None,
            };
            let subject = Subject::of(E::INFO).in_table(database.table(E::INFO));
            let subject = subject.with_key(&encoded).during("restoring");
            let mut restored = match known {
                Some(known) => {
                    let write = |known: &Known| restore_request::<E>(&key, subject.clone(), Some(known));
                    match claiming(&database, known, false, write).await? {
                        Some(answer) => <New as UpdateReturning<E>>::output(&answer)
                            .map_err(|error| Error::undecodable(subject, &error))?,
                        None => <New as UpdateReturning<E>>::read_back(&database, encoded, subject).await?,
                    }
                }
                None => {
                    let Write { body, meaning, .. } = restore_request::<E>(&key, subject.clone(), None)?;
                    match send_update(&database, &subject, body, Repeat::Any).await {
                        Ok(answer) => <New as UpdateReturning<E>>::output(&answer)
                            .map_err(|error| Error::undecodable(subject, &error))?,
                        Err(failure) => return Err(meaning.error(failure, subject)),
                    }
                }
            };
            hooks::after(&database, &mut restored, Event::Restore).await;
            Ok(restored)
        })
    }
}

/// The request that takes the mark away. Its claims are made again: they may have ended meanwhile.
fn restore_request<E: Entity>(key: &E::Key, subject: Subject, known: Option<&Known>) -> Result<Write> {
    let encoded = encode_key::<E>(key).map_err(|error| error.in_table(&subject.table))?;
    let invalid = |error: ValueError| Error::invalid(subject.clone(), &error);
    let changes = restore_changes::<E>(key).map_err(invalid)?;
    let claims = match known {
        Some(known) => claims_of(E::INFO, &encoded, known, &known.before, true).map_err(invalid)?,
        None => Vec::new(),
    };
    let condition = known.map(|known| known.before.condition(E::INFO));
    let expression = mark_expression(E::INFO, &changes, None, condition.as_ref()).map_err(invalid)?;
    let wanted = if claims.is_empty() { <New as UpdateReturning<E>>::WANTED } else { "" };
    let body = request_by_key(&subject.table, &encoded, &expression, wanted);
    let (kind, operation) = (OperationKind::Updating, Operation::UPDATE_ITEM);
    let existence = Some(Existence::Stored);
    let meaning = Meaning { existence, known: known.cloned(), ..Meaning::default() };
    Ok(Write { kind, operation, key: encoded, body, has_condition: true, subject, meaning, claims })
}

impl<E: Entity> fmt::Debug for Restore<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Restore").field("entity", &E::INFO.name).finish_non_exhaustive()
    }
}
