//! Deletes that mark, and their reverse.

use std::fmt;
use std::marker::PhantomData;

use super::OperationFuture;
use super::changes::complete;
use super::find::stored;
use super::update::New;
use super::update_item::{UpdateReturning, explain, request_by_key, send_update};
use crate::codec::{Encoder, ValueError};
use crate::database::Database;
use crate::entity::{Entity, EntityInfo, Stamp, encode_key, part_of_key};
use crate::error::{Error, Result, Subject};
use crate::expression::{Action, Change, Existence, Expression, Json, Node, Source};
use crate::hooks::{self, Event};
use crate::rules::version_before;
use crate::transport::Repeat;

/// What a delete of an entity with `#[entity(deleted_at)]` does to its item: it must exist, and keeps the time of its first
/// deletion.
pub(crate) fn mark_expression<E: Entity>(
    key: &E::Key,
    version: Option<u64>,
    end: Option<u64>,
    condition: Option<&Node>,
) -> std::result::Result<Expression, ValueError> {
    let part = |field: usize| part_of_key::<E>(key, field);
    let stamp = Stamp::now();
    let changes = complete(E::INFO, marks(E::INFO, &stamp, end)?, &part, &stamp)?;
    let condition = match version.and_then(|version| version_before(E::INFO, version)) {
        Some(node) => Some(Node::and_also(condition.cloned(), node)),
        None => condition.cloned(),
    };
    let mut expression = Expression::default();
    expression.set_changes(&changes, &|_| None)?;
    expression.set_condition(E::INFO, Existence::Stored, condition.as_ref())?;
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
            let table = database.table(E::INFO);
            let encoded = encode_key::<E>(&key).map_err(|error| error.in_table(&table))?;
            let subject = Subject::of(E::INFO).in_table(table).with_key(&encoded).during("restoring");
            let part = |field: usize| part_of_key::<E>(&key, field);
            let changes = E::INFO.mark().map(Change::remove).into_iter().collect();
            let invalid = |error| Error::invalid(subject.clone(), &error);
            let changes = complete(E::INFO, changes, &part, &Stamp::now()).map_err(invalid)?;
            let mut expression = Expression::default();
            expression
                .set_changes(&changes, &|_| None)
                .and_then(|()| expression.set_condition(E::INFO, Existence::Stored, None))
                .map_err(invalid)?;
            let wanted = <New as UpdateReturning<E>>::WANTED;
            let body = request_by_key(&subject.table, &encoded, &expression, wanted);
            let answer = match send_update(&database, &subject, body, Repeat::Any).await {
                Ok(answer) => answer,
                Err(failure) => return Err(explain(E::INFO, failure, subject, Existence::Stored)),
            };
            let restored = <New as UpdateReturning<E>>::output(&answer);
            let mut restored = restored.map_err(|error| Error::undecodable(subject, &error))?;
            hooks::after(&database, &mut restored, Event::Restore).await;
            Ok(restored)
        })
    }
}

impl<E: Entity> fmt::Debug for Restore<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Restore").field("entity", &E::INFO.name).finish_non_exhaustive()
    }
}
