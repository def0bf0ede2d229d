//! Saves of the changed fields of tracked entities.

use std::fmt;

use super::OperationFuture;
use super::changes::{check_index_keys, templates};
use super::claiming::{Sending, claiming};
use super::held::stamp_entity;
use super::returning::{New, UpdateReturning, attributes};
use crate::attribute::Timestamp;
use crate::codec::ValueError;
use crate::database::Database;
use crate::entity::{EncodedKey, Entity, EntityInfo, Stamp, check_size, encode_key};
use crate::error::{Doing, Error, OperationKind, Result, Subject};
use crate::expression::{Change, Condition, Node, Source};
use crate::hooks::{self, Event};
use crate::rules::{Existence, Visibility};
use crate::snapshot::Snapshot;
use crate::tracked::Tracked;
use crate::transport::Repeat;
use crate::unique::{Claimed, touches};
use crate::write::{Action, Intent, Known, ReturnValues, UniqueValues};

/// Saves the changes of a [`Tracked`] entity. Created by [`Tracked::save`].
///
/// It is an update of the changed fields: they are set, or removed if they have become absent. If nothing
/// changed, nothing is sent. Otherwise `updated_at` is set, the version is raised, and the keys that
/// templates make are updated.
///
/// - The item must exist, otherwise the error is [`NotFound`](Error::NotFound). A soft-deleted or expired
///   item counts as absent, unless it already was so when it was read.
/// - The version of the item must be the one that was read, otherwise the error is
///   [`VersionConflict`](Error::VersionConflict). For an entity without a version, the changed fields are
///   overwritten, whatever others have written to them meanwhile, and the other fields are left unchanged. If
///   a changed field is part of the template of an index, the other fields of that template are written too,
///   so that the key matches the item.
/// - The key and the version must not be changed by the caller: [`Invalid`](Error::Invalid), before anything
///   is sent.
///
/// After the save, the entity and its original are the item as stored, including what others wrote into other
/// fields meanwhile. Fields that are not stored (`skip`) stay unchanged. If the save fails, the entity keeps
/// its changes.
///
/// A save whose answer is lost is sent again, and may then find the item that it wrote itself:
/// [`outcome_known`](Error::outcome_known) of such an error is false. Read the item again to find out.
#[must_use = "an operation does nothing until it is awaited"]
pub struct SaveTracked<'t, E: Entity> {
    tracked: &'t mut Tracked<E>,
    condition: Option<Node>,
    database: Option<Database>,
}

impl<E: Entity> Tracked<E> {
    /// Saves the changes, as an update of the changed fields only. See [`SaveTracked`].
    pub fn save(&mut self) -> SaveTracked<'_, E> {
        SaveTracked::new(self)
    }
}

impl<'t, E: Entity> SaveTracked<'t, E> {
    pub(crate) fn new(tracked: &'t mut Tracked<E>) -> Self {
        let database = tracked.database.clone();
        Self { tracked, condition: None, database }
    }

    /// Saves only if the stored item meets the condition. Otherwise the error is [`Error::ConditionFailed`];
    /// [`current`](Error::current) returns the stored item. If it is called several times, all conditions
    /// must hold. If nothing changed, nothing is sent, and the condition is not checked.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct User { #[entity(id)] id: Id<User>, email: String, verified: bool }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<User>().await?;
    /// # db.install();
    /// # let id = UserRepo::save(User { email: "ada@example.com".into(), ..Default::default() }).await?.id;
    /// let mut user = UserRepo::get(id).tracked().await?;
    /// user.verified = true;
    /// let checked = user.email.clone();
    /// user.save().when(User::EMAIL.eq(checked)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn when(mut self, condition: Condition<E>) -> Self {
        self.condition = Some(Node::and_also(self.condition, condition.node));
        self
    }

    /// Uses this database instead of the one that the entity was read from.
    pub fn on(mut self, database: &Database) -> Self {
        self.database = Some(database.clone());
        self
    }

    async fn run(self) -> Result<()> {
        let Self { tracked, condition, database } = self;
        let database = Database::of_operation(database)?;
        let info = E::INFO;
        let Tracked { entity, original, then, .. } = &*tracked;
        let mut entity = entity.clone();
        let table = database.table(info);
        let subject = Subject::of(info).in_table(&table).during(Doing::SavingChanges);
        let key = encode_key::<E>(&original.entity_key()).map_err(|error| error.in_table(&table))?;
        let subject = subject.with_key(&key);
        let invalid = |error: &ValueError| Error::invalid(subject.clone(), error);
        check_key_of::<E>(&entity, &key).map_err(|error| invalid(&error))?;
        let before = Snapshot::of(original);
        let asked = before.differences(info, &Snapshot::of(&entity)).map_err(|error| invalid(&error))?;
        if asked.is_empty() {
            return Ok(());
        }
        let event = Event::save(original, false);
        hooks::before(&database, &mut entity, event).await?;
        let asked = before.differences(info, &Snapshot::of(&entity)).map_err(|error| invalid(&error))?;
        check_version(info, &asked).map_err(|error| invalid(&error))?;
        check_key_of::<E>(&entity, &key).map_err(|error| invalid(&error))?;
        let mut stamped = entity;
        stamp_entity(&mut stamped, &Stamp::now()).map_err(|error| error.in_table(&table))?;
        let violations = stamped.violations();
        if !violations.is_empty() {
            return Err(Error::validation(subject, violations));
        }
        let after = Snapshot::of(&stamped);
        let version = original.item_version();
        let existence = existence(info, &before, *then);
        let changes = changes(info, &before, &after).map_err(|error| invalid(&error))?;
        let touches = touches(info, &changes);
        let request = |known: &Known| {
            let uniques = match touches {
                true => {
                    let after = known.before.after(info, &changes).map_err(|error| invalid(&error))?;
                    Some(UniqueValues { known: known.clone(), after, renew: false })
                }
                false => None,
            };
            let intent = Intent::new(info, Action::Change { changes: &changes, start: &|_| None });
            let (condition, attempted) = (condition.as_ref(), Some(after.json()));
            let returning = Some(ReturnValues::New);
            Intent { existence, version, uniques, condition, returning, attempted, ..intent }.write(
                OperationKind::Updating,
                key.clone(),
                subject.clone(),
            )
        };
        let known = match touches {
            true => Known::of(Claimed::of_json(info, before.json()).map_err(|error| invalid(&error))?),
            false => Known::nothing(),
        };
        let answer = claiming(&database, known, Sending::Alone(Repeat::Any), request).await?;
        let mut stored: E = match answer {
            Some(answer) => {
                attributes(&answer).map_err(|error| Error::undecodable(subject.clone(), &error))?
            }
            None => <New as UpdateReturning<E>>::read_back(&database, key.clone(), subject.clone()).await?,
        };
        stored.take_skipped(&mut stamped);
        tracked.original.clone_from(&stored);
        tracked.entity = stored;
        tracked.then = Timestamp::now();
        hooks::after(&database, &mut tracked.entity, event).await;
        Ok(())
    }
}

impl<'t, E: Entity> IntoFuture for SaveTracked<'t, E> {
    type Output = Result<()>;
    type IntoFuture = OperationFuture<'t, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        OperationFuture::new(self.run())
    }
}

impl<E: Entity> fmt::Debug for SaveTracked<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SaveTracked").field("entity", &E::INFO.name).finish_non_exhaustive()
    }
}

/// Refuses an entity whose key differs from that of the item it was read from.
fn check_key_of<E: Entity>(entity: &E, original: &EncodedKey) -> std::result::Result<(), ValueError> {
    let now = match encode_key::<E>(&entity.entity_key()) {
        Ok(key) if key == *original => return Ok(()),
        Ok(key) => format!("it is now {}", key.describe(E::INFO)),
        Err(_) => "it is now one that cannot be stored".to_owned(),
    };
    Err(ValueError::new(format!(
        "the key was changed, and it says which item this is: {now}; put it back, or save the entity under its new key and delete the one with the old key"
    )))
}

fn check_version(info: &'static EntityInfo, changed: &[String]) -> std::result::Result<(), ValueError> {
    match info.version_attribute() {
        Some(name) if changed.iter().any(|changed| changed == name) => Err(ValueError::new(
            "the version was changed, and it says which state of the item the changes were made to: leave it as it was read, a save raises it; to begin from another state, use `Tracked::new`",
        )
        .in_field(name)),
        _ => Ok(()),
    }
}

/// An item that was soft-deleted or expired when it was read may be changed. Otherwise such an item counts as
/// absent.
fn existence(info: &'static EntityInfo, before: &Snapshot, then: Timestamp) -> Existence {
    let is_seen = before.item().and_then(|item| Visibility::default().sees_at(info, &item, || then));
    if is_seen.unwrap_or(true) { Existence::Present } else { Existence::Stored }
}

/// Returns the changes between two states of an entity.
fn changes(
    info: &'static EntityInfo,
    before: &Snapshot,
    after: &Snapshot,
) -> std::result::Result<Vec<Change>, ValueError> {
    let name = |field: usize| info.fields.get(field).map_or("", |field| field.name);
    // A timestamp that is part of the key is left unchanged.
    let in_key = |changed: &String| info.key_fields.iter().any(|field| name(*field) == changed);
    let mut names = before.differences(info, after)?;
    names.retain(|changed| !in_key(changed));
    for template in templates(info) {
        let parts = || template.fields().filter(|field| !info.key_fields.contains(field)).map(name);
        if !parts().any(|part| names.iter().any(|changed| changed == part)) {
            continue;
        }
        // Without a version, another client may have changed another part meanwhile, and the key would match
        // neither state.
        let others = parts().filter(|_| info.version.is_none());
        for name in others.chain([template.attribute]) {
            if names.iter().all(|known| known != name) {
                names.push(name.to_owned());
            }
        }
    }
    let change = |name: String| {
        Ok(match after.value(&name)? {
            Some(json) => Change::set(name, Source::Value(json)),
            None => Change::remove(name),
        })
    };
    let changes: Vec<Change> = names.into_iter().map(change).collect::<std::result::Result<_, _>>()?;
    check_index_keys(info, &changes)?;
    check_size(info, after.json())?;
    Ok(changes)
}
