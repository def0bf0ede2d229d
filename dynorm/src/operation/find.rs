//! Reads of single items by key.

use std::fmt;
use std::marker::PhantomData;

use super::OperationFuture;
use crate::codec::{Item, Request, Scanner, ValueError};
use crate::database::Database;
use crate::entity::{EncodedKey, Entity, EntityInfo, encode_key};
use crate::error::{Doing, Error, Result, Subject};
use crate::hooks;
use crate::rules::{Expires, SoftDelete, Trashed, Visibility};
use crate::tracked::Tracked;
use crate::transport::{self, Answer, Operation};

/// Reads an item by its key. Returns `None` if there is none. Created by
/// [`Repository::find`](crate::Repository::find).
#[must_use = "an operation does nothing until it is awaited"]
pub struct Find<E: Entity, T = E> {
    pub(crate) key: E::Key,
    consistent: bool,
    pub(crate) visible: Visibility,
    pub(crate) database: Option<Database>,
    gives: PhantomData<fn() -> T>,
}

impl<E: Entity> Find<E> {
    pub(crate) fn new(key: E::Key) -> Self {
        let visible = Visibility::default();
        Self { key, consistent: false, visible, database: None, gives: PhantomData }
    }

    /// Returns the entity together with its original state, so that only its changes are saved. See
    /// [`Tracked`].
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct User { #[entity(id)] id: Id<User>, email: String, age: u32 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<User>().await?;
    /// # db.install();
    /// # let id = UserRepo::save(User::default()).await?.id;
    /// if let Some(mut user) = UserRepo::find(id).tracked().await? {
    ///     user.age += 1;
    ///     user.save().await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn tracked(self) -> Find<E, Tracked<E>> {
        let Self { key, consistent, visible, database, .. } = self;
        Find { key, consistent, visible, database, gives: PhantomData }
    }
}

impl<E: Entity, T> Find<E, T> {
    /// Reads with strong consistency: the item reflects every write that succeeded before. Consumes twice the
    /// read capacity. Without it, the item may be slightly out of date.
    pub fn consistent(mut self) -> Self {
        self.consistent = true;
        self
    }

    /// Uses this database.
    pub fn on(mut self, database: &Database) -> Self {
        self.database = Some(database.clone());
        self
    }

    /// Returns the entity, and the subject of its errors.
    async fn run(self) -> Result<(Option<E>, Subject, Database)> {
        let database = Database::of_operation(self.database)?;
        let table = database.table(E::INFO);
        let key = encode_key::<E>(&self.key).map_err(|error| error.in_table(&table))?;
        let subject = Subject::of(E::INFO).in_table(table).with_key(&key).during(Doing::Reading);
        let answer = get_item(&database, E::INFO, &key, self.consistent, &subject).await?;
        match found(&answer, self.visible) {
            Ok(mut found) => {
                if let Some(entity) = &mut found {
                    hooks::retrieved(&database, entity).await;
                }
                Ok((found, subject, database))
            }
            Err(error) => Err(Error::undecodable(subject, &error)),
        }
    }
}

impl<E: Entity, T> Find<E, T> {
    /// Finds the item even if it is soft-deleted.
    pub fn with_trashed(mut self) -> Self
    where
        E: SoftDelete,
    {
        self.visible.trashed = Trashed::With;
        self
    }
}

impl<E: Entity, T> Find<E, T> {
    /// Finds the item even if it has expired, as long as DynamoDB has not deleted it.
    pub fn with_expired(mut self) -> Self
    where
        E: Expires,
    {
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

impl<E: Entity> IntoFuture for Find<E, Tracked<E>> {
    type Output = Result<Option<Tracked<E>>>;
    type IntoFuture = OperationFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        OperationFuture::new(async move {
            let (found, _, database) = self.run().await?;
            Ok(found.map(|entity| Tracked::in_database(entity, Some(database))))
        })
    }
}

impl<E: Entity, T> fmt::Debug for Find<E, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Find").field("entity", &E::INFO.name).finish_non_exhaustive()
    }
}

/// Reads an item by its key. Fails with [`Error::NotFound`] if there is none. Created by
/// [`Repository::get`](crate::Repository::get).
#[must_use = "an operation does nothing until it is awaited"]
pub struct Get<E: Entity, T = E>(pub(crate) Find<E, T>);

impl<E: Entity> Get<E> {
    pub(crate) fn new(key: E::Key) -> Self {
        Self(Find::new(key))
    }

    /// See [`Find::tracked`].
    pub fn tracked(self) -> Get<E, Tracked<E>> {
        Get(self.0.tracked())
    }
}

impl<E: Entity, T> Get<E, T> {
    /// See [`Find::consistent`].
    pub fn consistent(self) -> Self {
        Self(self.0.consistent())
    }

    /// Uses this database.
    pub fn on(self, database: &Database) -> Self {
        Self(self.0.on(database))
    }
}

impl<E: Entity, T> Get<E, T> {
    /// See [`Find::with_trashed`].
    pub fn with_trashed(self) -> Self
    where
        E: SoftDelete,
    {
        Self(self.0.with_trashed())
    }
}

impl<E: Entity, T> Get<E, T> {
    /// See [`Find::with_expired`].
    pub fn with_expired(self) -> Self
    where
        E: Expires,
    {
        Self(self.0.with_expired())
    }
}

impl<E: Entity> IntoFuture for Get<E> {
    type Output = Result<E>;
    type IntoFuture = OperationFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        OperationFuture::new(async move {
            let (found, subject, _) = self.0.run().await?;
            found.ok_or_else(|| Error::not_found(subject))
        })
    }
}

impl<E: Entity> IntoFuture for Get<E, Tracked<E>> {
    type Output = Result<Tracked<E>>;
    type IntoFuture = OperationFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        OperationFuture::new(async move {
            let (found, subject, database) = self.0.run().await?;
            let entity = found.ok_or_else(|| Error::not_found(subject))?;
            Ok(Tracked::in_database(entity, Some(database)))
        })
    }
}

impl<E: Entity, T> fmt::Debug for Get<E, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Get").field("entity", &E::INFO.name).finish_non_exhaustive()
    }
}

/// Reads the item for the hooks of a write by key, even if it is soft-deleted or expired.
pub(crate) async fn stored<E: Entity>(database: &Database, key: E::Key) -> Result<Option<E>> {
    let table = database.table(E::INFO);
    let key = encode_key::<E>(&key).map_err(|error| error.in_table(&table))?;
    let subject = Subject::of(E::INFO).in_table(table).with_key(&key).during(Doing::ReadingForHooks);
    let answer = get_item(database, E::INFO, &key, true, &subject).await?;
    found(&answer, Visibility::ALL).map_err(|error| Error::undecodable(subject, &error))
}

pub(super) async fn get_item(
    database: &Database,
    info: &'static EntityInfo,
    key: &EncodedKey,
    consistent: bool,
    subject: &Subject,
) -> Result<Answer> {
    let table = database.table(info);
    let mut request = Request::for_table(&table, key.json.len());
    request.json("Key", &key.json);
    request.flag("ConsistentRead", consistent);
    transport::send(database.carrier(), Operation::GET_ITEM, &table, request.finish())
        .await
        .map_err(|failure| failure.into_error(subject.clone()))
}

/// Decodes the entity in the answer. An item that is not visible counts as none.
pub(super) fn found<E: Entity>(
    answer: &Answer,
    visible: Visibility,
) -> std::result::Result<Option<E>, ValueError> {
    item(answer)?.map_or(Ok(None), |item| visible.read(&item))
}

pub(super) fn item(answer: &Answer) -> std::result::Result<Option<Item<'_>>, ValueError> {
    member(answer, "Item")
}

/// Returns the item under `name` in an answer.
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
