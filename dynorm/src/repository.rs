use futures_util::StreamExt;

use crate::batch::{
    BatchDelete, BatchDeleteStream, BatchGet, BatchGetStream, BatchSave, BatchSaveStream, IntoItems,
};
use crate::entity::Entity;
use crate::expression::Condition;
use crate::key::IntoKey;
use crate::operation::{Check, Create, Delete, Find, Get, Save, SaveArg, Update};
use crate::query::{Count, GetAll, Query};
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

    /// Deletes the item of an entity. That it is not there is no error.
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
        Delete::new(entity.entity_key())
    }

    /// Deletes an item by its key. That it is not there is no error.
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

    /// Saves any number of entities, in requests of 25: a `Vec`, a slice, an array, a [`Collection`](crate::Collection) or
    /// any iterator, of entities, of `&` or of `&mut` to them.
    ///
    /// They are stamped as by [`save`](Self::save). By value and by reference the stamped entities come back in order;
    /// `&mut` stamps them in place and gives the statistics. See [`BatchSave`] for what happens to those that DynamoDB
    /// leaves unprocessed, and to those that fail.
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

    /// Deletes the items of any number of entities, in requests of 25.
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
        BatchDelete::new(entities.into_iter().map(Entity::entity_key).collect())
    }
}
