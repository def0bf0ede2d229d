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

/// The operations on the entities of one type. The derive macro makes a type that implements it for each entity:
/// `UserRepo` for `User`.
///
/// Every operation is a builder that ends in `.await`, and finds its database as [`Database`](crate::Database) says.
/// To add operations of your own, write them in an `impl` block of the repository:
///
/// ```
/// # use dynorm::prelude::*;
/// # #[derive(Entity, Clone, Debug, Default)]
/// # pub struct User { #[entity(id)] pub id: Id<User>, #[entity(index = "by_city")] pub city: String, pub age: u32 }
/// impl UserRepo {
///     pub async fn adults_of(city: &str) -> dynorm::Result<Collection<User>> {
///         Self::by_city(city).filter(User::AGE.ge(18)).get_all().await
///     }
/// }
/// ```
pub trait Repository {
    /// The entity.
    type Entity: Entity;

    /// Puts an entity into the table, replacing the item that has its key (DynamoDB's `PutItem`).
    ///
    /// First it is stamped: an id that is not set becomes a fresh one, `created_at` the current time if it is not set,
    /// `updated_at` always. By value and by reference the stamped entity comes back; `&mut` stamps it in place, and if the
    /// write is known to have failed, takes that back.
    ///
    /// A put whose answer was lost may still be carried out later, even after a put that was sent behind it.
    ///
    /// Attributes of a stored item that the struct does not model are lost; [`Save::merge`] leaves them alone, and a
    /// `#[entity(flatten)]` map keeps them in the struct.
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
    /// [`Invalid`](crate::Error::Invalid) before anything is sent, for an item above 400 KB, an empty or too long key
    /// (2,048 bytes for a partition key, 1,024 for a sort key, of the table or of an index), and a value that DynamoDB
    /// does not hold; then whatever the server answers. [`outcome_known`](crate::Error::outcome_known) says whether the
    /// item may have been written all the same.
    fn save<'a, A: SaveArg<'a, Self::Entity>>(entity: A) -> Save<'a, Self::Entity, A> {
        Save::new(entity)
    }

    /// Puts an entity into the table, where no item may have its key: if one has, that is an
    /// [`Error::ConditionFailed`](crate::Error::ConditionFailed), whose [`current`](crate::Error::current) is that item, which
    /// stays as it is.
    ///
    /// The entity is stamped and given back as by [`save`](Self::save); what `&mut` was stamped with is taken back if the
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
    /// Those of [`save`](Self::save). A request whose answer is lost is sent again, and may then find the item that it wrote
    /// itself: of such a failure [`outcome_known`](crate::Error::outcome_known) is false, since nobody can tell the two.
    fn create<'a, A: SaveArg<'a, Self::Entity>>(entity: A) -> Create<'a, Self::Entity, A> {
        Create::new(entity)
    }

    /// Reads an item by its key; `None` if there is none.
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

    /// Reads an item by its key; [`Error::NotFound`](crate::Error::NotFound), which names entity, table and key, if there
    /// is none.
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

    /// Changes some fields of an item that exists, in one request and without reading it first, and gives the entity as it is
    /// then. See [`Update`] for the changes that there are.
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
    /// [`NotFound`](crate::Error::NotFound) if there is no item with the key, [`ConditionFailed`](crate::Error::ConditionFailed)
    /// if there is one and it does not meet the conditions, and the others that [`Update`] lists.
    fn update(key: impl IntoKey<<Self::Entity as Entity>::Key>) -> Update<Self::Entity> {
        Update::existing(key.into_key())
    }

    /// Changes an item, or puts this entity with the same changes where there is none, in one request that no other write
    /// comes between. Gives the entity as it is stored then.
    ///
    /// Each field starts as the item has it or, where the item does not have it, as the entity says; then the changes
    /// are made. So
    ///
    /// - if there is no item, the entity is stored as it is after the changes: a counter that is 0 in the entity and to which 1
    ///   is added is 1;
    /// - if there is one, its fields stay as they are but for the changes, and those that it lacks (an `Option` that is
    ///   `None` there, an empty set) are filled in from the entity. Leave them `None` in the entity if that is not wanted;
    /// - `updated_at` is set in any case; an id that is not set is a fresh one, so there is no item with it.
    ///
    /// Attributes that the struct does not model stay. Without changes it fills in what is missing. If what is to be stored
    /// where there is no item differs from what is to be changed where there is one, use
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
    /// [`Invalid`](crate::Error::Invalid), before anything is sent: for what a [`save`](Self::save) of the entity and an
    /// [`update`](Self::update) refuse; for changes inside a field, since that is not there if the item is not; for
    /// `insert` and `discard` on a set that is not empty in the entity; and for an index key whose template has several
    /// fields some of which may be absent, unless all are set. [`ConditionFailed`](crate::Error::ConditionFailed) if the item
    /// is soft-deleted or has expired, since one request cannot start anew; [`TypeMismatch`](crate::Error::TypeMismatch) if an
    /// item of another entity that shares the table has the key. What is said of lost answers in [`Update`] holds here too.
    fn upsert<'a, A: SaveArg<'a, Self::Entity, Output = Self::Entity>>(
        entity: A,
    ) -> Update<Self::Entity, OrInsert<Self::Entity>> {
        Update::or_insert(entity.hold().into_entity())
    }

    /// Changes the item with the key of this entity as [`update`](Self::update) does; if there is none, creates the entity as
    /// it is, without the changes. Gives the entity as it is stored then.
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
    /// It is one request if there is an item, and two if there is none. If somebody else creates the item in between, that
    /// one is updated.
    ///
    /// # Errors
    /// Those of [`update`](Self::update) but [`NotFound`](crate::Error::NotFound), and those of [`create`](Self::create).
    /// [`ConditionFailed`](crate::Error::ConditionFailed) with an unknown outcome means that an answer to the creation was
    /// lost and that there is an item now, which may be it: the changes are not made then.
    fn update_or_create<'a, A: SaveArg<'a, Self::Entity, Output = Self::Entity>>(
        entity: A,
    ) -> Update<Self::Entity, OrCreate<Self::Entity>> {
        Update::or_create(entity.hold().into_entity())
    }

    /// Reads the item with the key of this entity, and creates the entity if there is none. Gives what is stored then: its
    /// fields may be other than those of the entity.
    ///
    /// The read is consistent. If somebody else creates the item in between, theirs is what comes back.
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
    /// Those of [`find`](Self::find) and of [`create`](Self::create), except that an item which exists is no error. Only one
    /// that is soft-deleted is: [`ConditionFailed`](crate::Error::ConditionFailed); and one of another entity that shares the
    /// table: [`TypeMismatch`](crate::Error::TypeMismatch).
    fn first_or_create<'a, A: SaveArg<'a, Self::Entity, Output = Self::Entity>>(
        entity: A,
    ) -> FirstOrCreate<Self::Entity> {
        FirstOrCreate::new(entity.hold().into_entity())
    }

    /// Deletes the item of an entity. That it is not there is no error, unless the entity is soft-deleted
    /// (`#[entity(deleted_at)]`): then there has to be an item to mark, and without one it is a
    /// [`NotFound`](crate::Error::NotFound).
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

    /// Deletes an item by its key. That it is not there is no error, unless the entity is soft-deleted
    /// (`#[entity(deleted_at)]`): then it is a [`NotFound`](crate::Error::NotFound).
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

    /// Takes the mark away that a [`delete`](Self::delete) has set, and gives the entity back. See [`SoftDelete`].
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound) if there is no such item. One that is not marked stays as it is, but for `updated_at`
    /// and its version.
    fn restore(key: impl IntoKey<<Self::Entity as Entity>::Key>) -> Restore<Self::Entity>
    where
        Self::Entity: SoftDelete,
    {
        Restore::new(key.into_key())
    }

    /// Deletes an item for good, whether or not it is marked as deleted, or there at all. See [`SoftDelete`].
    fn force_delete(entity: &Self::Entity) -> Delete<Self::Entity>
    where
        Self::Entity: SoftDelete,
    {
        Delete::of(entity).force()
    }

    /// The same, by the key.
    fn force_delete_by_id(key: impl IntoKey<<Self::Entity as Entity>::Key>) -> Delete<Self::Entity>
    where
        Self::Entity: SoftDelete,
    {
        Delete::new(key.into_key()).force()
    }

    /// Reads an item, changes it by the closure, and saves it, needing the version that it was read with; if somebody else was
    /// faster, once more from the beginning, up to 100 times with pauses that grow to 5 seconds. It gives
    /// what was saved.
    ///
    /// Each save is a transaction of its own with a token, so it is made once even if answers are lost (at twice the write
    /// capacity). The closure is called for every attempt, so it should do nothing but change the entity.
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
    /// [`NotFound`](crate::Error::NotFound) if there is no item; the error of the last attempt otherwise. If
    /// [`outcome_known`](crate::Error::outcome_known) is false, the change may have been made, once.
    fn retry_on_conflict<'a>(
        key: impl IntoKey<<Self::Entity as Entity>::Key>,
        change: impl FnMut(&mut Self::Entity) + Send + 'a,
    ) -> RetryOnConflict<'a, Self::Entity>
    where
        Self::Entity: Versioned,
    {
        RetryOnConflict::new(key.into_key(), change)
    }

    /// A condition on an item, for a [transaction](crate::transaction()) that does not change it. An item that is not there
    /// meets what asks for absence, and nothing else.
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

    /// Begins a transaction, as [`dynorm::transaction()`](crate::transaction()) does, whose
    /// [`delete_by_id`](Transaction::delete_by_id) is about this entity. Others may take part in it too.
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

    /// Reads up to 100 items by their keys at one moment, with a place for each in the order of the keys. With reads of other
    /// entities: [`dynorm::transact_get`](crate::transact_get()).
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

    /// Reads every entity of the table: a scan, which reads and pays for the whole table and holds it in memory.
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

    /// Counts the entities of the table: a scan, which reads and pays for the whole table.
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

    /// Begins a query with a condition; the table or the index that serves it best is taken. See [`Query`].
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

    /// Begins a scan, which reads, and pays for, the whole table, whatever its conditions leave out. See [`Query`].
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

    /// Begins a query that sees what is marked as deleted as well; see [`SoftDelete`]. It needs conditions that a key or an index
    /// serves, as one that begins with [`filter`](Self::filter).
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct Note { #[entity(id)] id: Id<Note>, #[entity(index = "by_author")] author: String, #[entity(deleted_at)] deleted_at: Option<Timestamp> }
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

    /// Begins a query that sees only what is marked as deleted; see [`with_trashed`](Self::with_trashed).
    fn only_trashed() -> Query<Self::Entity>
    where
        Self::Entity: SoftDelete,
    {
        Query::by_conditions().only_trashed()
    }

    /// Saves any number of entities, in requests of 25: a `Vec`, a slice, an array, a [`Collection`](crate::Collection) or
    /// any iterator, of entities, of `&` or of `&mut` to them.
    ///
    /// They are stamped as by [`save`](Self::save). By value and by reference the stamped entities come back in order;
    /// `&mut` stamps them in place and gives the statistics. See [`BatchSave`] for what happens to those that DynamoDB
    /// leaves unprocessed, and to those that fail.
    ///
    /// A batch takes no conditions, so in a table that several entities share it replaces an item of another type that lies
    /// under one of the keys. Entities with a version or unique fields are written one by one, and refuse it as a `save` does.
    fn batch_save<'a, I, A>(entities: I) -> BatchSave<'a, Self::Entity, A>
    where
        I: IntoIterator<Item = A>,
        A: SaveArg<'a, Self::Entity>,
    {
        BatchSave::new(entities.into_iter().collect())
    }

    /// Saves any number of entities that must not exist yet: where an item with the key exists, that entity fails, as
    /// [rejected](crate::Fate::Rejected) with an error that
    /// [`is_condition_failed`](crate::Error::is_condition_failed), and the item stays as it is.
    ///
    /// DynamoDB takes no conditions in batches, so each entity is a `PutItem` of its own, many at a time; everything else
    /// is as in [`batch_save`](Self::batch_save). Of several entities with one key, the first is created and the others are
    /// rejected. One that was sent without an answer and then found to exist is [unknown](crate::Fate::Unknown): it may be
    /// its own item that it found.
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

    /// Saves the entities of a `Stream` or an iterator of any length, of which a bounded number is in memory at a time; see
    /// [`BatchSaveStream`].
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

    /// Reads the items of a `Stream` or an iterator of keys, of any length, as a `Stream` of entities in their order; see
    /// [`BatchGetStream`].
    fn batch_get_stream<'a, S, M>(keys: S) -> BatchGetStream<'a, Self::Entity>
    where
        S: IntoItems<M, Item: IntoKey<<Self::Entity as Entity>::Key> + 'a, Items: 'a>,
    {
        BatchGetStream::new(keys.into_items().map(IntoKey::into_key))
    }

    /// Reads any number of items by their keys, in requests of 100, in the order of the keys; missing ones are skipped.
    /// [`BatchGet::positional`] keeps a place for each.
    fn batch_get<'a, I>(keys: I) -> BatchGet<'a, Self::Entity>
    where
        I: IntoIterator<Item: IntoKey<<Self::Entity as Entity>::Key>>,
    {
        BatchGet::new(keys.into_iter().map(IntoKey::into_key).collect())
    }

    /// Deletes any number of items by their keys, in requests of 25. Those that are not there are no error.
    ///
    /// A batch takes no conditions, so in a table that several entities share it deletes an item of another type that lies
    /// under one of the keys. Soft deletes, and those of entities with unique fields, are made one by one, and refuse it as a
    /// `delete_by_id` does.
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

    /// Takes the marks away that deletes have set, of any number of items by their keys; see [`BatchRestore`].
    fn batch_restore<'a, I>(keys: I) -> BatchRestore<'a, Self::Entity>
    where
        Self::Entity: SoftDelete,
        I: IntoIterator<Item: IntoKey<<Self::Entity as Entity>::Key>>,
    {
        BatchRestore::new(keys.into_iter().map(IntoKey::into_key).collect())
    }

    /// Deletes the items of any number of entities, in requests of 25. Of entities with a version each is a request of its own,
    /// which needs that version and refuses an item of another type; see [`batch_delete`](Self::batch_delete) for the others.
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
