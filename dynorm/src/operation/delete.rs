//! Deletes and soft deletes of items.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use super::OperationFuture;
use super::claiming::{Sending, claiming, read_known};
use super::find::stored;
use super::returning::{NO_OLD, Nothing, Old, Returning};
use super::trash::soft_delete_changes;
use crate::codec::ValueError;
use crate::database::Database;
use crate::entity::{Entity, EntityInfo, encode_key};
use crate::error::{Doing, Error, OperationKind, Result, Subject};
use crate::expression::{Change, Condition, Node};
use crate::hooks::{self, Event};
use crate::rules::{Existence, Expires, SoftDelete};
use crate::transport::{self, Answer, Repeat};
use crate::unique::Claimed;
use crate::write::{Action, Intent, Known, ReturnValues, UniqueValues, Write};

/// Deletes an item by its key. A missing item is not an error, unless the entity is soft-deletable. Created
/// by [`Repository::delete`](crate::Repository::delete) and
/// [`delete_by_id`](crate::Repository::delete_by_id).
#[must_use = "an operation does nothing until it is awaited"]
pub struct Delete<E: Entity, R = Nothing> {
    key: E::Key,
    /// The entity, for its hooks.
    entity: Option<Box<E>>,
    condition: Option<Node>,
    /// The version of the entity when it was read.
    version: Option<i128>,
    /// True if a soft-deletable item is deleted permanently.
    force: bool,
    /// The number of seconds after which a soft-deleted item expires.
    expiry: Option<u64>,
    pub(crate) database: Option<Database>,
    returning: PhantomData<fn() -> R>,
}

impl<E: Entity> Delete<E> {
    pub(crate) fn new(key: E::Key) -> Self {
        Self {
            key,
            entity: None,
            condition: None,
            version: None,
            force: false,
            expiry: None,
            database: None,
            returning: PhantomData,
        }
    }

    pub(crate) fn of(entity: &E) -> Self {
        let kept = E::INFO.hooks.then(|| Box::new(entity.clone()));
        Self { version: entity.item_version(), entity: kept, ..Self::new(entity.entity_key()) }
    }

    pub(crate) fn force(mut self) -> Self {
        self.force = true;
        self
    }

    /// Returns the entity as it was before, or `None` if there was no item.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, PartialEq)]
    /// # struct Note { #[entity(partition)] title: String, text: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<Note>().await?;
    /// let note = NoteRepo::save(Note { title: "Shopping".into(), text: "tea".into() }).on(&db).await?;
    /// assert_eq!(NoteRepo::delete(&note).returning_old().on(&db).await?, Some(note));
    /// # Ok(())
    /// # }
    /// ```
    pub fn returning_old(self) -> Delete<E, Old> {
        let Self { key, entity, condition, version, force, expiry, database, .. } = self;
        Delete { key, entity, condition, version, force, expiry, database, returning: PhantomData }
    }
}

impl<E: Entity, R> Delete<E, R> {
    /// Lets the soft-deleted item expire after this time, to the second, so that DynamoDB deletes it
    /// permanently. A restore does not remove the expiry; an update can.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # use std::time::Duration;
    /// #[derive(Entity, Clone, Debug, Default)]
    /// struct Note {
    ///     #[entity(id)]
    ///     id: Id<Note>,
    ///     #[entity(deleted_at)]
    ///     deleted_at: Option<Timestamp>,
    ///     #[entity(ttl)]
    ///     expires_at: Option<Timestamp>,
    /// }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<Note>().await?;
    /// # db.install();
    /// # let note = NoteRepo::save(Note::default()).await?;
    /// NoteRepo::delete(&note).expire_after(Duration::from_secs(30 * 24 * 3600)).await?;
    /// let note = NoteRepo::restore(note.id).await?;
    /// NoteRepo::update(note.id).set(Note::EXPIRES_AT, None).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn expire_after(mut self, time: Duration) -> Self
    where
        E: SoftDelete + Expires,
    {
        self.expiry = Some(time.as_secs());
        self
    }
}

impl<E: Entity, R> Delete<E, R> {
    /// Deletes only if the stored item meets the condition. Otherwise, or if there is no item, the error is
    /// [`Error::ConditionFailed`]; [`current`](Error::current) returns the stored item. If it is called
    /// several times, all conditions must hold.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, PartialEq)]
    /// # struct Note { #[entity(partition)] title: String, done: bool }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<Note>().await?;
    /// # db.install();
    /// let note = NoteRepo::save(Note { title: "Shopping".into(), done: false }).await?;
    /// let error = NoteRepo::delete(&note).when(Note::DONE.eq(true)).await.unwrap_err();
    /// assert!(error.is_condition_failed());
    /// assert_eq!(error.current::<Note>().transpose()?, Some(note));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Invalid`](Error::Invalid) for a condition of more than 300 operators or 4 KB, before anything is
    /// sent.
    ///
    /// A delete whose answer is lost is sent again, and may then find that it has deleted the item itself:
    /// [`outcome_known`](Error::outcome_known) of such an error is false.
    pub fn when(mut self, condition: Condition<E>) -> Self {
        self.condition = Some(Node::and_also(self.condition, condition.node));
        self
    }

    /// Uses this database.
    pub fn on(mut self, database: &Database) -> Self {
        self.database = Some(database.clone());
        self
    }
}

impl<E: Entity, R: Returning<E>> IntoFuture for Delete<E, R> {
    type Output = Result<R::Output>;
    type IntoFuture = OperationFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        OperationFuture::new(async move {
            let mut delete = self;
            let database = Database::of_operation(delete.database.clone())?;
            delete.before(&database).await?;
            if let Some(known) = delete.known(&database).await? {
                // A second attempt would return another old item, or none.
                let repeat = if R::WANTED == ReturnValues::Old { Repeat::NotApplied } else { Repeat::Any };
                let write = |known: &Known| {
                    let write = delete.request(database.table(E::INFO), Some(R::WANTED), Some(known))?;
                    if R::WANTED == ReturnValues::Old && !write.claims.is_empty() {
                        return Err(Error::invalid(write.subject, &ValueError::new(NO_OLD)));
                    }
                    Ok(write)
                };
                let answer = claiming(&database, known, Sending::Alone(repeat), write)
                    .await?
                    .unwrap_or_else(Answer::empty);
                delete.after(&database).await;
                let subject = Subject::of(E::INFO).in_table(database.table(E::INFO)).during(Doing::Deleting);
                return R::output(&answer).map_err(|error| Error::undecodable(subject, &error));
            }
            let write = delete.request(database.table(E::INFO), Some(R::WANTED), None)?;
            let subject = write.subject.clone();
            let answer = send(&database, write, R::WANTED == ReturnValues::Old).await?;
            delete.after(&database).await;
            R::output(&answer).map_err(|error| Error::undecodable(subject, &error))
        })
    }
}

impl<E: Entity, R> Delete<E, R> {
    /// Runs the hooks before the delete.
    pub(crate) async fn before(&mut self, database: &Database) -> Result<()> {
        if E::INFO.hooks && self.entity.is_none() {
            self.entity = stored::<E>(database, self.key.clone()).await?.map(Box::new);
        }
        match &mut self.entity {
            Some(entity) => hooks::before(database, &mut **entity, Event::delete::<E>(self.force)).await,
            None => Ok(()),
        }
    }

    /// Runs the hooks after the delete.
    pub(crate) async fn after(&mut self, database: &Database) {
        if let Some(entity) = &mut self.entity {
            hooks::after(database, &mut **entity, Event::delete::<E>(self.force)).await;
        }
    }

    /// Returns the known state of the item, if the write depends on it; reads it if claims change.
    pub(crate) async fn known(&self, database: &Database) -> Result<Option<Known>> {
        if !self.claims() {
            return Ok(self.is_soft().then(Known::nothing));
        }
        let key = encode_key::<E>(&self.key).map_err(|error| error.in_table(&database.table(E::INFO)))?;
        read_known(database, E::INFO, &key).await.map(Some)
    }

    /// True if claims on its values must be released, or expire with it.
    const fn claims(&self) -> bool {
        E::INFO.unique.is_some() && !(self.is_soft() && self.expiry.is_none())
    }

    /// True for a soft delete.
    const fn is_soft(&self) -> bool {
        E::INFO.deleted_at.is_some() && !self.force
    }

    /// Makes the request that deletes the item, or soft-deletes it.
    pub(crate) fn request(
        &self,
        table: String,
        returning: Option<ReturnValues>,
        known: Option<&Known>,
    ) -> Result<Write> {
        let Self { key, condition, version, expiry, .. } = self;
        let kind = OperationKind::Deleting;
        let encoded = encode_key::<E>(key).map_err(|error| error.in_table(&table))?;
        let subject = Subject::of(E::INFO).in_table(table).with_key(&encoded).during(kind.doing());
        let invalid = |error: ValueError| Error::invalid(subject.clone(), &error);
        let changes =
            self.is_soft().then(|| soft_delete_changes::<E>(key, *expiry)).transpose().map_err(invalid)?;
        let claiming = known.filter(|_| self.claims());
        let intent = delete_intent(E::INFO, changes.as_deref(), *version, claiming).map_err(invalid)?;
        let nulls = known.map(|known| known.nulls).unwrap_or_default();
        Intent { condition: condition.as_ref(), nulls, returning, ..intent }.write(kind, encoded, subject)
    }
}

impl<E: Entity, R> fmt::Debug for Delete<E, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delete").field("entity", &E::INFO.name).finish_non_exhaustive()
    }
}

async fn send(database: &Database, mut write: Write, wants_old: bool) -> Result<Answer> {
    let (operation, table) = (write.operation, write.subject.table.as_str());
    let body = std::mem::take(&mut write.body);
    let sent = if wants_old || write.has_condition {
        // A repeated delete has the same effect, but its answer has no old item.
        let repeat = if wants_old { Repeat::NotApplied } else { Repeat::Any };
        transport::send_write(database, operation, table, body, repeat).await
    } else {
        transport::send(database.carrier(), operation, table, body).await
    };
    sent.map_err(|failure| write.error(failure))
}

/// Makes the intent of a delete; with `changes`, of a soft delete, which keeps the unique values.
pub(crate) fn delete_intent<'w>(
    info: &'static EntityInfo,
    changes: Option<&'w [Change]>,
    version: Option<i128>,
    known: Option<&Known>,
) -> std::result::Result<Intent<'w>, ValueError> {
    let uniques = match (known, changes) {
        (None, _) => None,
        (Some(known), None) => Some((known, Claimed::none())),
        (Some(known), Some(changes)) => Some((known, known.before.after(info, changes)?)),
    };
    let uniques = uniques.map(|(known, after)| UniqueValues { known: known.clone(), after, renew: false });
    let (action, existence) = match changes {
        Some(changes) => (Action::Change { changes, start: &|_| None }, Existence::Stored),
        None => (Action::Delete, Existence::Any),
    };
    Ok(Intent { existence, version, uniques, ..Intent::new(info, action) })
}
