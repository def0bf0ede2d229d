//! The repository: the operations on the entities of one type.

use futures_util::StreamExt;

use crate::batch::{
    BatchDelete, BatchDeleteStream, BatchGet, BatchGetStream, BatchRestore, BatchSave, BatchSaveStream,
    IntoItems,
};
use crate::entity::Entity;
use crate::expression::Condition;
use crate::key::IntoKey;
use crate::operation::{
    Check, Create, Delete, Find, FirstOrCreate, Get, Held, OrCreate, OrInsert, Restore, RetryOnConflict,
    Save, SaveArg, Update,
};
use crate::query::{Count, GetAll, Query};
use crate::rules::{SoftDelete, Versioned};
use crate::transaction::{GetList, OfEntity, TransactGet, Transaction};

/// The operations on the entities of one type. For each entity, the derive macro generates a type that
/// implements it: `UserRepo` for `User`.
///
/// Every operation is a builder that is awaited, and finds its database as [`Database`](crate::Database)
/// describes. Add your own operations in an `impl` block of the repository:
///
/// ```
/// # use dynorm::prelude::*;
/// # #[derive(Entity, Clone, Debug, Default)]
/// # pub struct User {
/// #     #[entity(id)] pub id: Id<User>,
/// #     #[entity(index = "by_city")] pub city: String,
/// #     pub age: u32,
/// # }
/// impl UserRepo {
///     pub async fn adults_of(city: &str) -> dynorm::Result<Collection<User>> {
///         Self::by_city(city).filter(User::AGE.ge(18)).get_all().await
///     }
/// }
/// ```
pub trait Repository {
    /// The type of the entity.
    type Entity: Entity;

    /// Saves an entity, and replaces the item with its key (DynamoDB's `PutItem`).
    ///
    /// The entity is stamped first: an id that is not set is generated, `created_at` is set to the current
    /// time if it is not set, and `updated_at` always. An entity passed by value or by reference is returned;
    /// one passed by `&mut` is updated in place, and restored if the write is known to have failed.
    ///
    /// A put whose answer was lost may still be applied later, even after a put that was sent after it.
    ///
    /// Attributes of a stored item that the struct does not model are lost. [`Save::merge`] keeps them, and
    /// so does a `#[entity(flatten)]` map in the struct.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct User { #[entity(id)] id: Id<User>, email: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<User>().await?;
    /// # db.install();
    /// let mut user = User { email: "ada@example.com".into(), ..Default::default() };
    /// UserRepo::save(&mut user).await?;
    /// let copy = UserRepo::save(&user).await?;
    /// let user = UserRepo::save(user).await?;
    /// assert_eq!(copy.id, user.id);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Invalid`](crate::Error::Invalid), before anything is sent, for an item above 400 KB, for a key that
    /// is empty or too long (2,048 bytes for a partition key, 1,024 for a sort key, of the table or of an
    /// index), and for a value that DynamoDB cannot store. Other errors as the server returns them.
    /// [`outcome_known`](crate::Error::outcome_known) is false if the item may have been written
    /// nevertheless.
    fn save<'a, A: SaveArg<'a, Self::Entity>>(entity: A) -> Save<'a, Self::Entity, A> {
        Save::new(entity)
    }

    /// Creates the item of an entity. If an item with its key exists, the error is
    /// [`Error::ConditionFailed`](crate::Error::ConditionFailed); [`current`](crate::Error::current) returns
    /// that item, which stays unchanged.
    ///
    /// The entity is stamped and returned as by [`save`](Self::save). One passed by `&mut` is restored if the
    /// write is known to have failed.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, PartialEq)]
    /// # struct Seat { #[entity(partition)] number: String, guest: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<Seat>().await?;
    /// # db.install();
    /// let ada = SeatRepo::create(Seat { number: "12A".into(), guest: "Ada".into() }).await?;
    /// let error = SeatRepo::create(Seat { number: "12A".into(), guest: "Bea".into() }).await.unwrap_err();
    /// assert!(error.is_condition_failed());
    /// assert_eq!(error.current::<Seat>().transpose()?, Some(ada));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The errors of [`save`](Self::save). A request whose answer is lost is sent again, and may then find
    /// the item that it wrote itself. [`outcome_known`](crate::Error::outcome_known) of such an error is
    /// false, since the two cases cannot be told apart.
    fn create<'a, A: SaveArg<'a, Self::Entity>>(entity: A) -> Create<'a, Self::Entity, A> {
        Create::new(entity)
    }

    /// Reads an item by its key. Returns `None` if there is none.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default, PartialEq)]
    /// # struct User { #[entity(id)] id: Id<User>, email: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<User>().await?;
    /// # db.install();
    /// # let user = UserRepo::save(User::default()).await?;
    /// assert_eq!(UserRepo::find(user.id).await?, Some(user));
    /// assert_eq!(UserRepo::find(Id::new()).consistent().await?, None);
    /// # Ok(())
    /// # }
    /// ```
    fn find(key: impl IntoKey<<Self::Entity as Entity>::Key>) -> Find<Self::Entity> {
        Find::new(key.into_key())
    }

    /// Reads an item by its key. If there is none, the error is [`Error::NotFound`](crate::Error::NotFound),
    /// which names the entity, the table and the key.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default, PartialEq)]
    /// # struct User { #[entity(id)] id: Id<User>, email: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<User>().await?;
    /// # db.install();
    /// let error = UserRepo::get(Id::new()).await.unwrap_err();
    /// assert!(error.is_not_found());
    /// assert!(error.to_string().starts_with("there is no `User` with id = "));
    /// # Ok(())
    /// # }
    /// ```
    fn get(key: impl IntoKey<<Self::Entity as Entity>::Key>) -> Get<Self::Entity> {
        Get::new(key.into_key())
    }

    /// Updates some fields of an existing item, in one request and without reading it first. Returns the
    /// entity after the update. See [`Update`] for the possible changes.
    ///
    /// ```
    /// # use std::collections::BTreeSet;
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct User { #[entity(id)] id: Id<User>, age: u32, tags: BTreeSet<String>, nick: Option<String> }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<User>().await?;
    /// # db.install();
    /// # let id = UserRepo::save(User::default()).await?.id;
    /// let user: User = UserRepo::update(id)
    ///     .add(User::AGE, 1)
    ///     .insert(User::TAGS, ["vip"])
    ///     .set(User::NICK, "ada")
    ///     .when(User::AGE.lt(18))
    ///     .await?;
    /// assert_eq!(user.age, 1);
    /// assert!(UserRepo::update(Id::new()).remove(User::NICK).await.unwrap_err().is_not_found());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound) if there is no item with the key,
    /// [`ConditionFailed`](crate::Error::ConditionFailed) if the item does not meet the conditions, and the
    /// other errors that [`Update`] lists.
    fn update(key: impl IntoKey<<Self::Entity as Entity>::Key>) -> Update<Self::Entity> {
        Update::existing(key.into_key())
    }

    /// Updates an item, or stores this entity with the same changes if there is none, in one atomic request.
    /// Returns the entity as it is stored.
    ///
    /// Each field starts with the value in the item or, if the item does not have it, with the value in the
    /// entity. Then the changes are applied:
    ///
    /// - If there is no item, the entity is stored with the changes: a counter that is 0 in the entity and to
    ///   which 1 is added becomes 1.
    /// - If there is one, only the changed fields change, and fields that the item lacks (an `Option` that is
    ///   `None`, an empty set) are filled in from the entity. Leave them `None` in the entity to prevent
    ///   that.
    /// - `updated_at` is always set. An id that is not set is generated, so no item has it.
    ///
    /// Attributes that the struct does not model are kept. Without changes, only missing fields are filled
    /// in. If the values for a new item differ from the changes of an existing one, use
    /// [`update_or_create`](Self::update_or_create).
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, PartialEq)]
    /// # struct Visits { #[entity(partition)] page: String, count: u64, first: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<Visits>().await?;
    /// # db.install();
    /// let visit = |who: &str| {
    ///     VisitsRepo::upsert(Visits { page: "/".into(), count: 0, first: who.into() }).add(Visits::COUNT, 1)
    /// };
    /// assert_eq!(visit("ada").await?.count, 1);
    /// let visits = visit("bea").await?;
    /// assert_eq!((visits.count, visits.first.as_str()), (2, "ada"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// - [`Invalid`](crate::Error::Invalid), before anything is sent, for everything that a
    ///   [`save`](Self::save) of the entity and an [`update`](Self::update) refuse; for changes inside a
    ///   field, since it does not exist if the item does not; for `insert` and `discard` on a set that is not
    ///   empty in the entity; and for an index key whose template has several fields of which some may be
    ///   absent, unless all are set.
    /// - [`ConditionFailed`](crate::Error::ConditionFailed) if the item is soft-deleted or has expired, since
    ///   one request cannot replace it.
    /// - [`TypeMismatch`](crate::Error::TypeMismatch) if an item of another entity that shares the table has
    ///   the key.
    ///
    /// Lost answers have the same effects as in [`Update`].
    fn upsert<'a, A: SaveArg<'a, Self::Entity, Output = Self::Entity>>(
        entity: A,
    ) -> Update<Self::Entity, OrInsert<Self::Entity>> {
        Update::or_insert(entity.hold().into_entity())
    }

    /// Updates the item with the key of this entity, as [`update`](Self::update) does. If there is none,
    /// creates the entity unchanged, without applying the changes. Returns the entity as it is stored.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, PartialEq)]
    /// # struct Basket { #[entity(partition)] owner: String, items: Vec<String>, note: Option<String> }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<Basket>().await?;
    /// # db.install();
    /// let put = |item: &str| {
    ///     let fresh = Basket { owner: "ada".into(), items: vec![item.into()], note: Some("new".into()) };
    ///     BasketRepo::update_or_create(fresh).append(Basket::ITEMS, [item]).set(Basket::NOTE, None)
    /// };
    /// assert_eq!(put("tea").await?.note.as_deref(), Some("new"));
    /// let basket = put("milk").await?;
    /// assert_eq!((basket.items, basket.note), (vec!["tea".to_owned(), "milk".to_owned()], None));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// It takes one request if there is an item, and two if there is none. If another client creates the item
    /// in between, that item is updated.
    ///
    /// # Errors
    /// The errors of [`update`](Self::update) except [`NotFound`](crate::Error::NotFound), and those of
    /// [`create`](Self::create). [`ConditionFailed`](crate::Error::ConditionFailed) with an unknown outcome
    /// means that an answer to the creation was lost, and that an item exists which may be the created one.
    /// The changes are not applied then.
    fn update_or_create<'a, A: SaveArg<'a, Self::Entity, Output = Self::Entity>>(
        entity: A,
    ) -> Update<Self::Entity, OrCreate<Self::Entity>> {
        Update::or_create(entity.hold().into_entity())
    }

    /// Reads the item with the key of this entity, and creates the entity if there is none. Returns the
    /// entity as it is stored, whose fields may differ from this entity.
    ///
    /// The read is strongly consistent. If another client creates the item in between, that item is returned.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, PartialEq)]
    /// # struct Settings { #[entity(partition)] user: String, dark: bool }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<Settings>().await?;
    /// # db.install();
    /// let settings = SettingsRepo::first_or_create(Settings { user: "ada".into(), dark: true }).await?;
    /// assert!(settings.dark);
    /// let settings = SettingsRepo::first_or_create(Settings { user: "ada".into(), dark: false }).await?;
    /// assert!(settings.dark);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The errors of [`find`](Self::find) and of [`create`](Self::create), but an item that exists is not an
    /// error, unless it is soft-deleted: [`ConditionFailed`](crate::Error::ConditionFailed). An item of
    /// another entity that shares the table is a [`TypeMismatch`](crate::Error::TypeMismatch).
    fn first_or_create<'a, A: SaveArg<'a, Self::Entity, Output = Self::Entity>>(
        entity: A,
    ) -> FirstOrCreate<Self::Entity> {
        FirstOrCreate::new(entity.hold().into_entity())
    }

    /// Deletes the item of an entity. A missing item is not an error, unless the entity is soft-deletable
    /// (`#[entity(deleted_at)]`): then the error is [`NotFound`](crate::Error::NotFound), since there is no
    /// item whose deletion time could be set.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default, PartialEq)]
    /// # struct User { #[entity(id)] id: Id<User>, email: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<User>().await?;
    /// # db.install();
    /// let user = UserRepo::save(User::default()).await?;
    /// UserRepo::delete(&user).await?;
    /// assert_eq!(UserRepo::delete(&user).returning_old().await?, None);
    /// # Ok(())
    /// # }
    /// ```
    fn delete(entity: &Self::Entity) -> Delete<Self::Entity> {
        Delete::of(entity)
    }

    /// Deletes an item by its key. A missing item is not an error, unless the entity is soft-deletable
    /// (`#[entity(deleted_at)]`): then the error is [`NotFound`](crate::Error::NotFound).
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default, PartialEq)]
    /// # struct User { #[entity(id)] id: Id<User>, email: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<User>().await?;
    /// # db.install();
    /// UserRepo::delete_by_id(Id::new()).await?;
    /// # Ok(())
    /// # }
    /// ```
    fn delete_by_id(key: impl IntoKey<<Self::Entity as Entity>::Key>) -> Delete<Self::Entity> {
        Delete::new(key.into_key())
    }

    /// Restores a soft-deleted item, and returns the entity. See [`SoftDelete`].
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound) if there is no such item. In an item that is not soft-deleted,
    /// only `updated_at` and the version change.
    fn restore(key: impl IntoKey<<Self::Entity as Entity>::Key>) -> Restore<Self::Entity>
    where
        Self::Entity: SoftDelete,
    {
        Restore::new(key.into_key())
    }

    /// Deletes the item of an entity permanently, whether or not it is soft-deleted. A missing item is not an
    /// error. See [`SoftDelete`].
    fn force_delete(entity: &Self::Entity) -> Delete<Self::Entity>
    where
        Self::Entity: SoftDelete,
    {
        Delete::of(entity).force()
    }

    /// Deletes an item permanently, by its key.
    fn force_delete_by_id(key: impl IntoKey<<Self::Entity as Entity>::Key>) -> Delete<Self::Entity>
    where
        Self::Entity: SoftDelete,
    {
        Delete::new(key.into_key()).force()
    }

    /// Reads an item, changes it with the closure, and saves it under the condition that its version is
    /// unchanged. After a version conflict it starts again, up to 100 times with delays of up to 5 seconds.
    /// Returns the saved entity.
    ///
    /// Each save is a transaction of its own with a token, so it is applied once even if answers are lost,
    /// and consumes twice the write capacity. The closure is called in every attempt, so it should only
    /// change the entity.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct Stock { #[entity(partition)] sku: String, left: u32, #[entity(version)] version: u64 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<Stock>().await?;
    /// # db.install();
    /// # StockRepo::save(Stock { sku: "tea".into(), left: 9, version: 0 }).await?;
    /// let stock = StockRepo::retry_on_conflict("tea", |stock| stock.left -= 1).await?;
    /// assert_eq!(stock.left, 8);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound) if there is no item, and otherwise the error of the last attempt.
    /// If [`outcome_known`](crate::Error::outcome_known) is false, the change may have been applied, at most
    /// once.
    fn retry_on_conflict<'a>(
        key: impl IntoKey<<Self::Entity as Entity>::Key>,
        change: impl FnMut(&mut Self::Entity) + Send + 'a,
    ) -> RetryOnConflict<'a, Self::Entity>
    where
        Self::Entity: Versioned,
    {
        RetryOnConflict::new(key.into_key(), change)
    }

    /// Creates a condition check on an item, for a [transaction](crate::transaction()) that does not change
    /// the item. A missing item meets only conditions that require absence.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct Shop { #[entity(partition)] name: String, open: bool }
    /// let transaction = dynorm::transaction().check(ShopRepo::check("tea", Shop::OPEN.eq(true)));
    /// ```
    fn check(
        key: impl IntoKey<<Self::Entity as Entity>::Key>,
        condition: Condition<Self::Entity>,
    ) -> Check<Self::Entity> {
        Check::new(key.into_key(), condition)
    }

    /// Creates a transaction, as [`dynorm::transaction()`](crate::transaction()) does, whose
    /// [`delete_by_id`](Transaction::delete_by_id) refers to this entity. Other entities may take part in it
    /// too.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct User { #[entity(id)] id: Id<User> }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<User>().await?;
    /// # db.install();
    /// # let (mut a, mut b, id) = (User::default(), User::default(), Id::new());
    /// UserRepo::transaction().save(&mut a).save(&mut b).delete_by_id(id).await?;
    /// # Ok(())
    /// # }
    /// ```
    fn transaction<'a>() -> Transaction<'a, OfEntity<Self::Entity>> {
        Transaction::new()
    }

    /// Reads up to 100 items by their keys at the same time. Returns an `Option` for each, in the order of
    /// the keys. To read several entity types, use [`dynorm::transact_get`](crate::transact_get()).
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default, PartialEq)]
    /// # struct User { #[entity(id)] id: Id<User> }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<User>().await?;
    /// # db.install();
    /// # let user = UserRepo::save(User::default()).await?;
    /// let ids = [user.id, Id::new()];
    /// let users: Vec<Option<User>> = UserRepo::transact_get(&ids).await?;
    /// assert_eq!(users, [Some(user), None]);
    /// # Ok(())
    /// # }
    /// ```
    fn transact_get<I>(keys: I) -> TransactGet<GetList<Self::Entity>>
    where
        I: IntoIterator<Item: IntoKey<<Self::Entity as Entity>::Key>>,
    {
        crate::transact_get(GetList::new(keys.into_iter().map(IntoKey::into_key).collect()))
    }

    /// Reads every entity of the table. This is a scan: the whole table is read, charged for, and held in
    /// memory.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default, PartialEq)]
    /// # struct User { #[entity(id)] id: Id<User>, email: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<User>().await?;
    /// # db.install();
    /// let everyone: Collection<User> = UserRepo::all().await?;
    /// assert!(everyone.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    fn all() -> GetAll<Self::Entity> {
        Query::scan().get_all()
    }

    /// Counts the entities of the table. This is a scan: the whole table is read and charged for.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default, PartialEq)]
    /// # struct User { #[entity(id)] id: Id<User>, email: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<User>().await?;
    /// # db.install();
    /// UserRepo::save(User::default()).await?;
    /// assert_eq!(UserRepo::count().await?, 1);
    /// # Ok(())
    /// # }
    /// ```
    fn count() -> Count<Self::Entity> {
        Query::scan().count()
    }

    /// Creates a query with a condition. It uses the table or the index that serves the condition best. See
    /// [`Query`].
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct User { #[entity(id)] id: Id<User>, #[entity(index = "by_email")] email: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<User>().await?;
    /// # db.install();
    /// let ada: Option<User> = UserRepo::filter(User::EMAIL.eq("ada@example.com")).first().await?;
    /// # assert!(ada.is_none());
    /// # Ok(())
    /// # }
    /// ```
    fn filter(condition: Condition<Self::Entity>) -> Query<Self::Entity> {
        Query::by_conditions().filter(condition)
    }

    /// Creates a scan. It reads the whole table and is charged for it, whatever its conditions leave out. See
    /// [`Query`].
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct User { #[entity(id)] id: Id<User>, age: u32 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<User>().await?;
    /// # db.install();
    /// let minors = UserRepo::scan().filter(User::AGE.lt(18)).segments(4).get_all().await?;
    /// # assert!(minors.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    fn scan() -> Query<Self::Entity> {
        Query::scan()
    }

    /// Creates a query that includes soft-deleted items; see [`SoftDelete`]. It needs conditions that a key
    /// or an index serves, as a query that starts with [`filter`](Self::filter).
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct Note {
    /// #     #[entity(id)] id: Id<Note>,
    /// #     #[entity(index = "by_author")] author: String,
    /// #     #[entity(deleted_at)] deleted_at: Option<Timestamp>,
    /// # }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<Note>().await?;
    /// # db.install();
    /// let note = NoteRepo::save(Note { author: "ada".into(), ..Default::default() }).await?;
    /// NoteRepo::delete(&note).await?;
    /// assert_eq!(NoteRepo::by_author("ada").count().await?, 0);
    /// assert_eq!(NoteRepo::with_trashed().filter(Note::AUTHOR.eq("ada")).count().await?, 1);
    /// assert_eq!(NoteRepo::by_author("ada").only_trashed().count().await?, 1);
    /// # Ok(())
    /// # }
    /// ```
    fn with_trashed() -> Query<Self::Entity>
    where
        Self::Entity: SoftDelete,
    {
        Query::by_conditions().with_trashed()
    }

    /// Creates a query that returns only soft-deleted items; see [`with_trashed`](Self::with_trashed).
    fn only_trashed() -> Query<Self::Entity>
    where
        Self::Entity: SoftDelete,
    {
        Query::by_conditions().only_trashed()
    }

    /// Saves any number of entities, in requests of 25. Accepts a `Vec`, a slice, an array, a
    /// [`Collection`](crate::Collection) or any iterator, of entities, of `&` or of `&mut` to them.
    ///
    /// The entities are stamped as by [`save`](Self::save). Entities passed by value or by reference are
    /// returned in order; entities passed by `&mut` are updated in place, and the statistics are returned.
    /// See [`BatchSave`] for unprocessed items and failures.
    ///
    /// A batch has no conditions, so in a table that several entities share it replaces an item of another
    /// type that has one of the keys. Entities with a version or unique fields are written one by one, and
    /// refuse such an item as a `save` does.
    fn batch_save<'a, I, A>(entities: I) -> BatchSave<'a, Self::Entity, A>
    where
        I: IntoIterator<Item = A>,
        A: SaveArg<'a, Self::Entity>,
    {
        BatchSave::new(entities.into_iter().collect())
    }

    /// Saves any number of entities that must not exist yet. If an item with the key exists, the entity is
    /// [rejected](crate::Fate::Rejected) with an error for which
    /// [`is_condition_failed`](crate::Error::is_condition_failed) is true, and the item stays unchanged.
    ///
    /// DynamoDB accepts no conditions in batches, so each entity is a `PutItem` of its own, many at a time.
    /// Otherwise it works as [`batch_save`](Self::batch_save). Of several entities with the same key, the
    /// first is created and the others are rejected. An entity that was sent without an answer and then found
    /// to exist is [unknown](crate::Fate::Unknown), since the item may be its own.
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
    /// let note = |title: &str, text: &str| Note { title: title.into(), text: text.into() };
    /// NoteRepo::save(note("tea", "old")).await?;
    /// let error = NoteRepo::batch_create([note("tea", "new"), note("milk", "new")]).await.unwrap_err();
    /// assert_eq!(error.failures().len(), 1);
    /// assert!(error.failures()[0].reason.is_condition_failed());
    /// assert_eq!(NoteRepo::get("tea").await?.text, "old");
    /// assert_eq!(NoteRepo::get("milk").await?.text, "new");
    /// # Ok(())
    /// # }
    /// ```
    fn batch_create<'a, I, A>(entities: I) -> BatchSave<'a, Self::Entity, A>
    where
        I: IntoIterator<Item = A>,
        A: SaveArg<'a, Self::Entity>,
    {
        BatchSave::creating(entities.into_iter().collect())
    }

    /// Saves the entities of a `Stream` or an iterator of any length, with a bounded number of them in
    /// memory; see [`BatchSaveStream`].
    fn batch_save_stream<'a, S, M, A>(entities: S) -> BatchSaveStream<'a, Self::Entity, A>
    where
        S: IntoItems<M, Item = A, Items: 'a>,
        A: SaveArg<'a, Self::Entity>,
    {
        BatchSaveStream::new(entities)
    }

    /// Deletes the items of a `Stream` or an iterator of keys, of any length; see [`BatchDeleteStream`].
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct User { #[entity(id)] id: Id<User> }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<User>().await?;
    /// # db.install();
    /// let users = UserRepo::batch_save(vec![User::default(); 60]).await?;
    /// UserRepo::batch_delete_stream(users.iter().map(|user| user.id)).await?;
    /// assert_eq!(UserRepo::count().await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    fn batch_delete_stream<'a, S, M>(keys: S) -> BatchDeleteStream<'a, Self::Entity>
    where
        S: IntoItems<M, Item: IntoKey<<Self::Entity as Entity>::Key> + 'a, Items: 'a>,
    {
        BatchDeleteStream::new(keys.into_items().map(IntoKey::into_key))
    }

    /// Reads the items of a `Stream` or an iterator of keys, of any length, as a `Stream` of entities in
    /// their order; see [`BatchGetStream`].
    fn batch_get_stream<'a, S, M>(keys: S) -> BatchGetStream<'a, Self::Entity>
    where
        S: IntoItems<M, Item: IntoKey<<Self::Entity as Entity>::Key> + 'a, Items: 'a>,
    {
        BatchGetStream::new(keys.into_items().map(IntoKey::into_key))
    }

    /// Reads any number of items by their keys, in requests of 100, in the order of the keys. Missing items
    /// are skipped; [`BatchGet::positional`] returns an `Option` for each key.
    fn batch_get<'a, I>(keys: I) -> BatchGet<'a, Self::Entity>
    where
        I: IntoIterator<Item: IntoKey<<Self::Entity as Entity>::Key>>,
    {
        BatchGet::new(keys.into_iter().map(IntoKey::into_key).collect())
    }

    /// Deletes any number of items by their keys, in requests of 25. Missing items are not an error.
    ///
    /// A batch has no conditions, so in a table that several entities share it deletes an item of another
    /// type that has one of the keys. Soft deletes, and deletes of entities with unique fields, are sent one
    /// by one, and refuse such an item as a `delete_by_id` does.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default, PartialEq)]
    /// # struct User { #[entity(id)] id: Id<User>, email: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<User>().await?;
    /// # db.install();
    /// let users = UserRepo::batch_save(vec![User::default(); 30]).await?;
    /// let ids: Vec<Id<User>> = users.iter().map(|user| user.id).collect();
    /// assert_eq!(UserRepo::batch_delete(&ids).await?.items, 30);
    /// # Ok(())
    /// # }
    /// ```
    fn batch_delete<'a, I>(keys: I) -> BatchDelete<'a, Self::Entity>
    where
        I: IntoIterator<Item: IntoKey<<Self::Entity as Entity>::Key>>,
    {
        BatchDelete::new(keys.into_iter().map(IntoKey::into_key).collect())
    }

    /// Restores any number of soft-deleted items by their keys; see [`BatchRestore`].
    fn batch_restore<'a, I>(keys: I) -> BatchRestore<'a, Self::Entity>
    where
        Self::Entity: SoftDelete,
        I: IntoIterator<Item: IntoKey<<Self::Entity as Entity>::Key>>,
    {
        BatchRestore::new(keys.into_iter().map(IntoKey::into_key).collect())
    }

    /// Deletes the items of any number of entities, in requests of 25. For entities with a version, each
    /// delete is a request of its own, which requires that version and refuses an item of another type. For
    /// others see [`batch_delete`](Self::batch_delete).
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default, PartialEq)]
    /// # struct User { #[entity(id)] id: Id<User>, email: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<User>().await?;
    /// # db.install();
    /// let users = UserRepo::batch_save(vec![User::default(); 30]).await?;
    /// UserRepo::batch_delete_entities(&users).await?;
    /// assert_eq!(UserRepo::count().await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    fn batch_delete_entities<'a, 'e, I>(entities: I) -> BatchDelete<'a, Self::Entity>
    where
        I: IntoIterator<Item = &'e Self::Entity>,
    {
        BatchDelete::of(entities)
    }
}
