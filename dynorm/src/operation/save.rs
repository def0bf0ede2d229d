//! Saves of whole entities.

use std::fmt;

use futures_util::future::BoxFuture;

use super::OperationFuture;
use super::claiming::{Sending, claiming};
use super::held::{Held, SaveArg};
use crate::codec::{FieldInfo, Item, Scanner, ValueError};
use crate::database::Database;
use crate::entity::{EncodedItem, Entity, EntityInfo, IndexInfo, Stamp, encode_entity};
use crate::error::{Error, OperationKind, Result, Subject};
use crate::expression::{Change, Condition, Json, Node, Source};
use crate::hooks::{self, Event};
use crate::key::KeySource;
use crate::rules::Existence;
use crate::transport::{self, Repeat};
use crate::unique::Claimed;
use crate::write::{Action, Intent, Known, UniqueValues, Write};

/// Saves an entity. Created by [`Repository::save`](crate::Repository::save).
#[must_use = "an operation does nothing until it is awaited"]
pub struct Save<'a, E: Entity, A: SaveArg<'a, E>> {
    pub(crate) arg: A,
    pub(crate) merge: bool,
    pub(crate) condition: Option<Node>,
    pub(crate) database: Option<Database>,
    of: std::marker::PhantomData<&'a E>,
}

impl<'a, E: Entity, A: SaveArg<'a, E>> Save<'a, E, A> {
    pub(crate) fn new(arg: A) -> Self {
        Self { arg, merge: false, condition: None, database: None, of: std::marker::PhantomData }
    }

    /// Writes only the attributes that the struct models, and leaves other attributes of a stored item
    /// unchanged, instead of replacing the whole item. This is DynamoDB's `UpdateItem`. Absent fields
    /// (`None`, empty sets) are removed from the item.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct Note { #[entity(partition)] title: String, text: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<Note>().await?;
    /// let note = Note { title: "Shopping".into(), text: "tea".into() };
    /// NoteRepo::save(&note).merge().on(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn merge(mut self) -> Self {
        self.merge = true;
        self
    }

    /// Saves only if the stored item meets the condition. Otherwise, or if there is no item that could meet
    /// it, the error is [`Error::ConditionFailed`]; [`current`](Error::current) returns the stored item. If
    /// it is called several times, all conditions must hold.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct Note { #[entity(partition)] title: String, text: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<Note>().await?;
    /// # db.install();
    /// let mut note = NoteRepo::save(Note { title: "Shopping".into(), text: "tea".into() }).await?;
    /// note.text.push_str(", milk");
    /// NoteRepo::save(&note).when(Note::TEXT.eq("tea")).await?;
    /// let error = NoteRepo::save(&note).when(Note::TEXT.eq("tea")).await.unwrap_err();
    /// let current = error.current::<Note>().transpose()?;
    /// assert_eq!(current.map(|current| current.text).as_deref(), Some("tea, milk"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Invalid`](Error::Invalid) for a condition of more than 300 operators or 4 KB, before anything is
    /// sent.
    ///
    /// A save whose answer is lost is sent again, and may then find the item that it wrote itself:
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

impl<'a, E: Entity, A: SaveArg<'a, E>> IntoFuture for Save<'a, E, A> {
    type Output = Result<A::Output>;
    type IntoFuture = OperationFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { arg, merge, condition, database, .. } = self;
        let put = Put::save(merge, condition);
        OperationFuture::new(save::<E, A>(arg.hold(), put, database))
    }
}

/// How an entity is written.
pub(crate) struct Put {
    pub(super) merge: bool,
    pub(super) existence: Existence,
    pub(super) condition: Option<Node>,
    /// The version that the stored item must have; 0 for none.
    version: Option<i128>,
    /// True if the entity was never saved, as far as it can tell.
    is_new: bool,
    /// The known state of the item. Without it, a new entity is assumed to have no item, and any other entity
    /// to have its own values.
    pub(crate) known: Option<Known>,
    pub(crate) kind: OperationKind,
}

impl Put {
    pub(crate) fn save(merge: bool, condition: Option<Node>) -> Self {
        Self {
            merge,
            existence: Existence::Any,
            condition,
            version: None,
            is_new: false,
            known: None,
            kind: OperationKind::Saving,
        }
    }

    pub(crate) fn creating() -> Self {
        Self { existence: Existence::Absent, kind: OperationKind::Creating, ..Self::save(false, None) }
    }

    /// Takes over the version of the entity, and whether it is new, before it is stamped.
    fn take_state<E: Entity>(&mut self, entity: &E) {
        self.is_new = entity.is_new() == Some(true);
        if self.existence == Existence::Any {
            self.version = entity.item_version();
        }
    }

    /// Returns the assumed state of the item before anything was read: none for a new entity, and otherwise
    /// the entity's own values.
    pub(crate) fn first_known(
        &self,
        info: &'static EntityInfo,
        json: &[u8],
    ) -> std::result::Result<Known, ValueError> {
        if self.is_new || self.existence == Existence::Absent {
            return Ok(Known::nothing());
        }
        Ok(Known::of(Claimed::of_json(info, json)?))
    }

    fn uniques(
        &self,
        info: &'static EntityInfo,
        json: &[u8],
    ) -> std::result::Result<UniqueValues, ValueError> {
        let known = match &self.known {
            Some(known) => known.clone(),
            None => self.first_known(info, json)?,
        };
        Ok(UniqueValues { known, after: Claimed::of_json(info, json)?, renew: false })
    }
}

pub(super) async fn save<'a, E: Entity, A: SaveArg<'a, E>>(
    mut held: A::Held,
    mut put: Put,
    database: Option<Database>,
) -> Result<A::Output> {
    let database = Database::of_operation(database)?;
    held.remember();
    let event = Event::save(held.entity(), put.kind == OperationKind::Creating);
    let result = match hooks::before(&database, held.entity_mut(), event).await {
        Ok(()) => stamped_item(&mut held, &mut put, &Stamp::now())
            .map_err(|error| error.in_table(&database.table(E::INFO))),
        Err(error) => Err(error),
    };
    let result = match result {
        Ok(item) => write::<E>(&database, &item, put).await,
        Err(error) => Err(error),
    };
    match result {
        Ok(()) => {
            held.settle();
            hooks::after(&database, held.entity_mut(), event).await;
            Ok(A::output(held))
        }
        Err(error) => {
            if error.outcome_known() {
                held.revert();
            }
            Err(error)
        }
    }
}

/// Encodes the item of an entity that is being saved.
pub(crate) fn stamped_item<E: Entity, H: Held<E>>(
    held: &mut H,
    put: &mut Put,
    stamp: &Stamp,
) -> Result<EncodedItem> {
    put.take_state(held.entity());
    held.stamp(stamp)?;
    encode_entity(held.entity())
}

impl<'a, E: Entity, A: SaveArg<'a, E>> fmt::Debug for Save<'a, E, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Save")
            .field("entity", &E::INFO.name)
            .field("merge", &self.merge)
            .finish_non_exhaustive()
    }
}

/// The condition is a constant, so a program without unique fields does not contain transactions.
fn write<'w, E: Entity>(
    database: &'w Database,
    item: &'w EncodedItem,
    put: Put,
) -> BoxFuture<'w, Result<()>> {
    if const { E::INFO.unique.is_some() } {
        Box::pin(claim_and_write(database, E::INFO, item, put))
    } else {
        Box::pin(write_item(database, E::INFO, item, put))
    }
}

async fn write_item(
    database: &Database,
    info: &'static EntityInfo,
    item: &EncodedItem,
    put: Put,
) -> Result<()> {
    let mut write = put_request(database.table(info), info, item, &put)?;
    let (operation, table) = (write.operation, write.subject.table.as_str());
    let body = std::mem::take(&mut write.body);
    let sent = if write.has_condition {
        transport::send_write(database, operation, table, body, Repeat::Any).await
    } else {
        // Writing the same item twice has the same effect as once, so the SDK may retry it.
        transport::send(database.carrier(), operation, table, body).await
    };
    sent.map(drop).map_err(|failure| write.error(failure))
}

async fn claim_and_write(
    database: &Database,
    info: &'static EntityInfo,
    item: &EncodedItem,
    mut put: Put,
) -> Result<()> {
    let known = put.first_known(info, &item.json);
    let known = known.map_err(|error| Error::undecodable(Subject::of(info), &error))?;
    let written = claiming(database, known, Sending::Alone(Repeat::Any), |known| {
        put.known = Some(known.clone());
        put_request(database.table(info), info, item, &put)
    });
    written.await.map(drop)
}

/// Makes the request that writes an item.
pub(crate) fn put_request(
    table: String,
    info: &'static EntityInfo,
    item: &EncodedItem,
    put: &Put,
) -> Result<Write> {
    let key = item.key(info);
    let subject = Subject::of(info).in_table(table).with_key(&key).during(put.kind.doing());
    let invalid = |error: &ValueError| Error::invalid(subject.clone(), error);
    let uniques = match info.unique {
        Some(_) => Some(put.uniques(info, &item.json).map_err(|error| invalid(&error))?),
        None => None,
    };
    let changes = put.merge.then(|| merge_changes(info, &item.json)).transpose();
    let changes = changes.map_err(|error| invalid(&error))?;
    let action = match &changes {
        Some(changes) => Action::Change { changes, start: &|_| None },
        None => Action::Put(&item.json),
    };
    let Put { existence, version, .. } = *put;
    let (condition, attempted) = (put.condition.as_ref(), Some(item.json.as_slice()));
    let intent = Intent::new(info, action);
    Intent { existence, version, uniques, condition, attempted, ..intent }.write(put.kind, key, subject)
}

/// Sets every attribute of the item except its key, and removes those that the struct models and the item
/// does not have.
fn merge_changes(info: &'static EntityInfo, json: &[u8]) -> std::result::Result<Vec<Change>, ValueError> {
    let text = std::str::from_utf8(json).map_err(|_| ValueError::new("not UTF-8"))?;
    let keys: Vec<&str> = info.keys().map(|(_, source)| info.attribute(source)).collect();
    let (mut changes, mut present) = (Vec::new(), Vec::new());
    for (name, value) in Item::next(&mut Scanner::new(text))?.iter() {
        let name = name.unescape()?;
        if !keys.contains(&&*name) {
            changes.push(Change::set(name.clone().into_owned(), Source::Value(Json::of(value))));
        }
        present.push(name);
    }
    let index_keys = info.indexes.iter().flat_map(IndexInfo::keys).filter_map(|(_, source)| match source {
        KeySource::Template(template) => Some(template.attribute),
        KeySource::Field(_) => None,
    });
    for name in info.fields.iter().map(|field: &FieldInfo| field.name).chain(index_keys) {
        if !present.iter().any(|found| found == name) {
            present.push(name.into());
            changes.push(Change::remove(name));
        }
    }
    Ok(changes)
}
