//! Transactions: writes of several items that are all made or none is, and reads of several items at one
//! moment.
//!
//! [`transaction()`](crate::transaction()) and [`transact_get()`](crate::transact_get()) begin them.

mod get;
mod part;
mod request;

#[doc(no_inline)]
pub use get::transact_get;
pub use get::{GetList, TransactGet, TransactReads};
pub use part::{IntoDelete, IntoSave, IntoUpdate};
#[doc(no_inline)]
pub use request::MAX_TRANSACTION_OPERATIONS;

use std::fmt;
use std::marker::PhantomData;

use crate::database::Database;
use crate::entity::{Entity, EntityInfo, Stamp};
use crate::error::{Doing, FailedOperation, Result, Subject, TransactionReport};
use crate::key::IntoKey;
use crate::operation::{Check, Delete, OperationFuture, Put, SaveArg};
use part::{Deletes, Part, Puts, Updates};

/// Begins a transaction: writes of several items, of several entities, that are all made or none is.
///
/// ```
/// # use dynorm::prelude::*;
/// # #[derive(Attribute, Clone, Debug, PartialEq)] enum Status { Active, Closed }
/// # #[derive(Entity, Clone, Debug)]
/// # struct User { #[entity(id)] id: Id<User>, status: Status, orders: u32 }
/// # #[derive(Entity, Clone, Debug, Default)]
/// # struct Order { #[entity(id)] id: Id<Order>, total: u32 }
/// # #[derive(Entity, Clone, Debug, Default)]
/// # struct Cart { #[entity(id)] id: Id<Cart> }
/// # #[derive(Entity, Clone, Debug)]
/// # struct Shop { #[entity(partition)] name: String, open: bool }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> dynorm::Result<()> {
/// # let db = Database::memory()?;
/// # db.create_table::<User>().await?;
/// # db.create_table::<Order>().await?;
/// # db.create_table::<Cart>().await?;
/// # db.create_table::<Shop>().await?;
/// # db.install();
/// # let user = UserRepo::save(User { id: Id::new(), status: Status::Active, orders: 0 }).await?;
/// # let cart = CartRepo::save(Cart::default()).await?;
/// # ShopRepo::save(Shop { name: "tea".into(), open: false }).await?;
/// let mut order = Order { total: 30, ..Default::default() };
/// let error = dynorm::transaction()
///     .save(&mut order)
///     .update(UserRepo::update(user.id).add(User::ORDERS, 1).when(User::STATUS.eq(Status::Active)))
///     .check(ShopRepo::check("tea", Shop::OPEN.eq(true)))
///     .delete(&cart)
///     .await
///     .unwrap_err();
///
/// // The shop is closed, so nothing was changed.
/// assert!(error.is_condition_failed());
/// assert_eq!(error.failed_operations()[0].number, 3);
/// assert_eq!(UserRepo::get(user.id).await?.orders, 0);
/// assert!(order.id.is_unset());
/// # Ok(())
/// # }
/// ```
pub fn transaction<'a>() -> Transaction<'a> {
    Transaction::new()
}

/// Writes of several items that are all made or none is. Made by [`transaction`](crate::transaction()) and by
/// [`Repository::transaction`](crate::Repository::transaction).
///
/// Of the operations, numbered from 1 in the order of the calls, DynamoDB carries out all at one moment. It takes
/// [100](MAX_TRANSACTION_OPERATIONS), one for each item, and 4 MB of items. Each may have a condition: give a save, an update or a
/// delete with its `.when(…)`, or a [`check`](Self::check) of an item that is not changed.
///
/// Entities are stamped as by a save, all with one time. Pass them by `&mut` to have their ids and timestamps: that is taken
/// back if the transaction is known to have failed, and their versions also if nobody knows, or if its future
/// is dropped. The database is the one of [`on`](Self::on), or else that of the first operation that names
/// one. A transaction costs twice the capacity of its single writes.
///
/// # Repetitions
///
/// Every attempt sends the same bytes with the same token, which DynamoDB knows again for ten minutes: a transaction whose
/// answer is lost is sent again and applied **once**. What may pass is repeated, up to eight times with growing random
/// waits: transactions that meet others at an item, throttling, failures of the server, lost answers. A condition that does
/// not hold is not.
///
/// # Errors
/// [`Transaction`](crate::Error::Transaction) if DynamoDB cancels it, or if some operation cannot be sent:
/// [`failed_operations`](crate::Error::failed_operations) says which, and why.
/// [`Invalid`](crate::Error::Invalid), before anything is sent, for a transaction that is empty or too large, for two operations
/// on one item, and for an idempotency key that is empty or too long; then whatever else the server answers.
#[must_use = "an operation does nothing until it is awaited"]
pub struct Transaction<'a, S = AnyEntity> {
    parts: Vec<Box<dyn Part + 'a>>,
    token: Option<String>,
    database: Option<Database>,
    database_of_part: Option<Database>,
    of: PhantomData<fn() -> S>,
}

/// A [`Transaction`] that was begun for no entity in particular.
#[derive(Debug)]
pub enum AnyEntity {}

/// A [`Transaction`] that was begun by the repository of `E`. It takes operations on other entities as well.
pub struct OfEntity<E>(PhantomData<fn() -> E>);

impl<E> fmt::Debug for OfEntity<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OfEntity")
    }
}

impl<'a, S> Transaction<'a, S> {
    pub(crate) fn new() -> Self {
        Self { parts: Vec::new(), token: None, database: None, database_of_part: None, of: PhantomData }
    }

    /// Saves an entity: by value, by reference, or by `&mut`, which stamps it in place. With conditions, or with `merge`, give
    /// the save itself.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct Note { #[entity(partition)] title: String, text: String }
    /// # fn main() {
    /// # let (mut first, second) = (Note { title: "a".into(), text: "b".into() }, Note { title: "c".into(), text: "d".into() });
    /// let transaction = dynorm::transaction()
    ///     .save(&mut first)
    ///     .save(NoteRepo::save(&second).when(Note::TEXT.eq("draft")));
    /// # let _ = transaction;
    /// # }
    /// ```
    pub fn save<E: Entity>(mut self, entity: impl IntoSave<'a, E>) -> Self {
        let save = entity.into_save();
        self.adopt(save.database);
        let put = Put::save(save.merge, save.condition);
        self.parts.push(Box::new(Puts::<E, _>::new(save.arg.hold(), put)));
        self
    }

    /// Saves an entity whose key no item may have.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct Seat { #[entity(partition)] number: String, guest: String }
    /// # fn main() {
    /// # let seat = Seat { number: "12A".into(), guest: "Ada".into() };
    /// let transaction = dynorm::transaction().create(&seat);
    /// # let _ = transaction;
    /// # }
    /// ```
    pub fn create<E: Entity, A: SaveArg<'a, E>>(mut self, entity: A) -> Self {
        self.parts.push(Box::new(Puts::<E, _>::new(entity.hold(), Put::creating())));
        self
    }

    /// Changes some fields of an item that exists. Index keys and `updated_at` follow as in the
    /// [update](crate::operation::Update) by itself; what it would give back is not given.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct Account { #[entity(partition)] owner: String, cents: i64 }
    /// let transfer = dynorm::transaction()
    ///     .update(AccountRepo::update("ada").subtract(Account::CENTS, 500).when(Account::CENTS.ge(500)))
    ///     .update(AccountRepo::update("bea").add(Account::CENTS, 500));
    /// ```
    pub fn update<E: Entity>(mut self, update: impl IntoUpdate<E>) -> Self {
        let mut update = update.into_update();
        self.adopt(update.database.take());
        self.parts.push(Box::new(Updates::new(update)));
        self
    }

    /// Deletes the item of an entity; that it is not there is no error, unless the entity is soft-deleted.
    /// With conditions, give the delete itself.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct Note { #[entity(partition)] title: String, done: bool }
    /// # fn main() {
    /// # let (first, second) = (Note { title: "a".into(), done: true }, Note { title: "b".into(), done: true });
    /// let transaction = dynorm::transaction()
    ///     .delete(&first)
    ///     .delete(NoteRepo::delete(&second).when(Note::DONE.eq(true)));
    /// # let _ = transaction;
    /// # }
    /// ```
    pub fn delete<E: Entity>(mut self, entity: impl IntoDelete<E>) -> Self {
        let mut delete = entity.into_delete();
        self.adopt(delete.database.take());
        self.parts.push(Box::new(Deletes::new(delete)));
        self
    }

    /// Lets the transaction through only if an item that it does not change meets a condition.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct Shop { #[entity(partition)] name: String, open: bool }
    /// let transaction = dynorm::transaction().check(ShopRepo::check("tea", Shop::OPEN.eq(true)));
    /// ```
    pub fn check<E: Entity>(mut self, check: Check<E>) -> Self {
        self.parts.push(Box::new(check));
        self
    }

    /// The token by which DynamoDB knows the transaction again, instead of a fresh one: 1 to 36 characters. A second transaction
    /// with the same key and the same content, within ten minutes, changes nothing and succeeds.
    ///
    /// The same content is every byte of it. What is stamped differs from one call to the next (`updated_at`, a fresh id, a fresh
    /// `created_at`); with the same key DynamoDB then refuses the second as an `IdempotentParameterMismatchException`, an
    /// [`Error::Rejected`](crate::Error::Rejected): it is not applied twice either way.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct Account { #[entity(partition)] owner: String, cents: i64 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<Account>().await?;
    /// # db.install();
    /// # AccountRepo::save(Account { owner: "ada".into(), cents: 0 }).await?;
    /// for _ in 0..2 {
    ///     let deposit = AccountRepo::update("ada").add(Account::CENTS, 500);
    ///     dynorm::transaction().update(deposit).idempotency_key("deposit-123").await?;
    /// }
    /// assert_eq!(AccountRepo::get("ada").await?.cents, 500);
    /// # Ok(())
    /// # }
    /// ```
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.token = Some(key.into());
        self
    }

    /// Uses this database.
    pub fn on(mut self, database: &Database) -> Self {
        self.database = Some(database.clone());
        self
    }

    fn adopt(&mut self, database: Option<Database>) {
        if self.database_of_part.is_none() {
            self.database_of_part = database;
        }
    }

    fn delete_of<E: Entity>(mut self, key: E::Key) -> Self {
        self.parts.push(Box::new(Deletes::new(Delete::<E>::new(key))));
        self
    }
}

impl Transaction<'_> {
    /// Deletes an item by its key; that it is not there is no error, unless the entity is soft-deleted. Say
    /// of which entity: `delete_by_id::<User>(id)`.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct Note { #[entity(partition)] title: String }
    /// let transaction = dynorm::transaction().delete_by_id::<Note>("Shopping");
    /// ```
    pub fn delete_by_id<E: Entity>(self, key: impl IntoKey<E::Key>) -> Self {
        self.delete_of::<E>(key.into_key())
    }
}

impl<E: Entity> Transaction<'_, OfEntity<E>> {
    /// Deletes an item by its key; that it is not there is no error, unless the entity is soft-deleted.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct Note { #[entity(partition)] title: String }
    /// let transaction = NoteRepo::transaction().delete_by_id("Shopping");
    /// ```
    pub fn delete_by_id(self, key: impl IntoKey<E::Key>) -> Self {
        self.delete_of::<E>(key.into_key())
    }
}

impl<'a, S> IntoFuture for Transaction<'a, S> {
    type Output = Result<()>;
    type IntoFuture = OperationFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { parts, token, database, database_of_part, .. } = self;
        OperationFuture::new(run(parts, token, database.or(database_of_part)))
    }
}

async fn run(
    mut parts: Vec<Box<dyn Part + '_>>,
    token: Option<String>,
    database: Option<Database>,
) -> Result<()> {
    let database = Database::of_operation(database)?;
    let result = match run_hooks(&mut parts, &database).await {
        Ok(()) => request::carry_out(&mut parts, &database, &Stamp::now(), token).await,
        Err(error) => Err(error),
    };
    if result.is_ok() {
        parts.iter_mut().for_each(|part| part.settle());
        for part in parts.iter_mut().filter(|part| part.info().hooks) {
            part.after(&database).await;
        }
    }
    if result.as_ref().is_err_and(crate::Error::outcome_known) {
        parts.iter_mut().for_each(|part| part.revert());
    }
    result
}

/// Unique values are looked up as well.
const fn prepares(info: &EntityInfo) -> bool {
    info.hooks || info.unique.is_some()
}

/// Runs the hooks before the operations, all of them, so that the error tells all that refuse.
async fn run_hooks(parts: &mut [Box<dyn Part + '_>], database: &Database) -> Result<()> {
    let mut failures = Vec::new();
    for (index, part) in parts.iter_mut().enumerate().filter(|(_, part)| prepares(part.info())) {
        if let Err(reason) = part.before(database).await {
            failures.push(FailedOperation::new(index, part.kind(), reason));
        }
    }
    if failures.is_empty() {
        return Ok(());
    }
    let tables: Vec<String> = parts.iter().map(|part| database.table(part.info())).collect();
    let subject = Subject::transaction(parts.len(), &tables).during(Doing::Writing);
    Err(TransactionReport { subject, failures, sent: false, outcome_known: true }.into())
}

impl<S> fmt::Debug for Transaction<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operations = self.parts.iter().map(|part| (part.kind(), part.info().name));
        f.debug_struct("Transaction")
            .field("operations", &operations.collect::<Vec<_>>())
            .field("idempotency_key", &self.token)
            .finish_non_exhaustive()
    }
}
