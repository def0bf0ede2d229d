use std::fmt;

use super::OperationFuture;
use super::request::Request;
use crate::codec::{Item, Scanner, ValueError};
use crate::database::Database;
use crate::entity::{EncodedKey, Entity, EntityInfo, decode_entity, encode_key};
use crate::error::{Error, Result, Subject};
use crate::rules::{Expires, SoftDelete, Trashed, Visibility};
use crate::transport::{self, Answer, Operation};

/// Reads an item by its key; `None` if there is none. Made by [`Repository::find`](crate::Repository::find).
#[must_use = "an operation does nothing until it is awaited"]
pub struct Find<E: Entity> {
    pub(crate) key: E::Key,
    consistent: bool,
    pub(crate) visible: Visibility,
    pub(crate) database: Option<Database>,
}

impl<E: Entity> Find<E> {
    pub(crate) fn new(key: E::Key) -> Self {
        Self { key, consistent: false, visible: Visibility::default(), database: None }
    }

    /// Reads what every write that has succeeded so far has left, at twice the read capacity. Without it, an answer may be
    /// a moment old.
    pub fn consistent(mut self) -> Self {
        self.consistent = true;
        self
    }

    /// Uses this database.
    pub fn on(mut self, database: &Database) -> Self {
        self.database = Some(database.clone());
        self
    }

    /// What was found, and what an error is to say of it.
    async fn run(self) -> Result<(Option<E>, Subject)> {
        let database = Database::of_operation(self.database)?;
        let table = database.table(E::INFO);
        let key = encode_key::<E>(&self.key).map_err(|error| error.in_table(&table))?;
        let subject = Subject::of(E::INFO).in_table(table).with_key(&key).during("reading");
        let answer = get_item(&database, E::INFO, &key, self.consistent, &subject).await?;
        match found(&answer, self.visible) {
            Ok(found) => Ok((found, subject)),
            Err(error) => Err(Error::undecodable(subject, &error)),
        }
    }
}

impl<E: SoftDelete> Find<E> {
    /// Finds the item also if it is marked as deleted.
    pub fn with_trashed(mut self) -> Self {
        self.visible.trashed = Trashed::With;
        self
    }
}

impl<E: Expires> Find<E> {
    /// Finds the item also if it has expired, as long as DynamoDB has not deleted it.
    pub fn with_expired(mut self) -> Self {
        self.visible.expired = true;
        self
    }
}

impl<E: Entity> IntoFuture for Find<E> {
    type Output = Result<Option<E>>;
    type IntoFuture = OperationFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        OperationFuture::new(async move { Ok(self.run().await?.0) })
    }
}

impl<E: Entity> fmt::Debug for Find<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Find").field("entity", &E::INFO.name).finish_non_exhaustive()
    }
}

/// Reads an item by its key; [`Error::NotFound`] if there is none. Made by [`Repository::get`](crate::Repository::get).
#[must_use = "an operation does nothing until it is awaited"]
pub struct Get<E: Entity>(pub(crate) Find<E>);

impl<E: Entity> Get<E> {
    pub(crate) fn new(key: E::Key) -> Self {
        Self(Find::new(key))
    }

    /// See [`Find::consistent`].
    pub fn consistent(self) -> Self {
        Self(self.0.consistent())
    }

    /// Uses this database.
    pub fn on(self, database: &Database) -> Self {
        Self(self.0.on(database))
    }
}

impl<E: SoftDelete> Get<E> {
    /// See [`Find::with_trashed`].
    pub fn with_trashed(self) -> Self {
        Self(self.0.with_trashed())
    }
}

impl<E: Expires> Get<E> {
    /// See [`Find::with_expired`].
    pub fn with_expired(self) -> Self {
        Self(self.0.with_expired())
    }
}

impl<E: Entity> IntoFuture for Get<E> {
    type Output = Result<E>;
    type IntoFuture = OperationFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        OperationFuture::new(async move {
            let (found, subject) = self.0.run().await?;
            found.ok_or_else(|| Error::not_found(subject))
        })
    }
}

impl<E: Entity> fmt::Debug for Get<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Get").field("entity", &E::INFO.name).finish_non_exhaustive()
    }
}

async fn get_item(
    database: &Database,
    info: &'static EntityInfo,
    key: &EncodedKey,
    consistent: bool,
    subject: &Subject,
) -> Result<Answer> {
    let table = database.table(info);
    let mut request = Request::for_table(&table, key.0.len());
    request.json("Key", &key.0);
    request.flag("ConsistentRead", consistent);
    transport::send(database.client(), Operation::GetItem, &table, request.finish())
        .await
        .map_err(|failure| failure.into_error(subject.clone()))
}

/// The entity in the answer; an item of another entity, and one that is not seen, counts as none.
pub(super) fn found<E: Entity>(
    answer: &Answer,
    visible: Visibility,
) -> std::result::Result<Option<E>, ValueError> {
    match item(answer)? {
        Some(item) if visible.sees(E::INFO, &item)? => decode_entity(&item),
        _ => Ok(None),
    }
}

fn item(answer: &Answer) -> std::result::Result<Option<Item<'_>>, ValueError> {
    member(answer, "Item")
}

/// An item that stands in an answer under `name`.
pub(super) fn member<'a>(
    answer: &'a Answer,
    name: &str,
) -> std::result::Result<Option<Item<'a>>, ValueError> {
    let mut item = None;
    Scanner::new(answer.text()?).object(|key, scanner| {
        if key.text == name {
            item = Some(Item::next(scanner)?);
        } else {
            scanner.skip()?;
        }
        Ok(())
    })?;
    Ok(item)
}
