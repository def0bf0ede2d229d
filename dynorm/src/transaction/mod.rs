//! Transactions: writes of several items of which all are applied or none, and reads of several
//! items at the same point in time.
//!
//! [`transaction()`](crate::transaction()) and [`transact_get()`](crate::transact_get()) create them.

// The steps of a transaction of writes:
//
// 1. All entities are stamped with the same time and encoded once, so that every attempt sends the same
//    bytes. `part.rs` has a `Part` for each operation, which makes the same `Write` as the single operation
//    (`write/`). From there on nothing is generic (`request.rs`).
// 2. What DynamoDB would refuse is refused: no operations, more than 100, two on the same item (keys compared
//    as DynamoDB compares them), more than 4 MB. Only the size of what is sent is known: items that are put,
//    keys, and the values in expressions. All operations that cannot be encoded are reported together.
// 3. `transport::send_transaction` sends it with a token, up to eight times within nine minutes, since
//    DynamoDB remembers a token for ten. A refusal after an attempt without an answer proves that this
//    attempt was not applied: otherwise the same token would have returned success.
// 4. DynamoDB reports the reasons of a cancellation in the order of the operations. Each becomes the error
//    that the single operation would return, with the item that failed its condition, in
//    `Error::Transaction`.
// 5. Entities passed by `&mut` are reset if the transaction is known to have failed.
//
// Before step 1, the hooks run, and the stored items of operations with unique values are read. If only the
// assumed state of an item was wrong, its operation is made again for the stored item (`request.rs`).
//
// Reads: `get.rs` collects the keys of a tuple of reads, requests each item once, and returns the entities in
// the order of the reads.

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

/// Creates a transaction: writes of several items, of any entity types, of which all are applied or none.
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

/// Writes of several items of which all are applied or none. Created by [`transaction`](crate::transaction())
/// and by [`Repository::transaction`](crate::Repository::transaction).
///
/// DynamoDB applies all operations at the same time. Errors number them from 1, in the order of the calls. A
/// transaction has at most [100](MAX_TRANSACTION_OPERATIONS) operations, one for each item, and 4 MB of
/// items. Each operation may have a condition: pass a save, an update or a delete with its `.when(…)`, or a
/// [`check`](Self::check) of an item that is not changed.
///
/// Entities get ids and timestamps as in a save, all with the same time. Pass them by `&mut` to see these:
/// they are reset if the transaction is known to have failed; the versions are also reset if the outcome is
/// unknown, or if the future is dropped. The database is the one set by [`on`](Self::on), or else that of the
/// first operation that sets one. A transaction consumes twice the capacity of its single writes.
///
/// # Repetitions
///
/// Every attempt sends the same bytes with the same token, by which DynamoDB recognises a repetition for ten
/// minutes: a transaction whose answer is lost is sent again and applied **once**. Temporary failures are
/// retried up to eight times with growing random waits: conflicts with other transactions, throttling,
/// failures of the server, and lost answers. A failed condition is not retried.
///
/// # Errors
/// [`Transaction`](crate::Error::Transaction) if DynamoDB cancels it, or if an operation cannot be sent:
/// [`failed_operations`](crate::Error::failed_operations) returns the operations and their errors.
/// [`Invalid`](crate::Error::Invalid), before anything is sent, for a transaction that is empty or too large,
/// for two operations on one item, and for an idempotency key that is empty or too long. Other errors as the
/// server returns them.
#[must_use = "an operation does nothing until it is awaited"]
pub struct Transaction<'a, S = AnyEntity> {
    parts: Vec<Box<dyn Part + 'a>>,
    token: Option<String>,
    database: Option<Database>,
    database_of_part: Option<Database>,
    of: PhantomData<fn() -> S>,
}

/// A [`Transaction`] that was created for no specific entity.
#[derive(Debug)]
pub enum AnyEntity {}

/// A [`Transaction`] that was created by the repository of `E`. It accepts operations on other entities as
/// well.
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

    /// Saves an entity: by value, by reference, or by `&mut`, which updates it in place. For conditions, or
    /// for `merge`, pass the save itself.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct Note { #[entity(partition)] title: String, text: String }
    /// # fn main() {
    /// # let mut first = Note { title: "a".into(), text: "b".into() };
    /// # let second = Note { title: "c".into(), text: "d".into() };
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

    /// Saves an entity, and fails if an item with its key exists.
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

    /// Updates an existing item. Index keys and `updated_at` are set as in a single
    /// [update](crate::operation::Update). Nothing is returned.
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

    /// Deletes the item of an entity. A missing item is not an error, unless the entity is soft-deletable.
    /// For conditions, pass the delete itself.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct Note { #[entity(partition)] title: String, done: bool }
    /// # fn main() {
    /// # let first = Note { title: "a".into(), done: true };
    /// # let second = Note { title: "b".into(), done: true };
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

    /// Applies the transaction only if an item, which it does not change, meets a condition.
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

    /// Sets the token by which DynamoDB recognises the transaction, instead of a random one: 1 to 36
    /// characters. A second transaction with the same key and the same content, within ten minutes, changes
    /// nothing and succeeds.
    ///
    /// The content must be identical to the last byte. Values that are set automatically differ between calls
    /// (`updated_at`, a new id, a new `created_at`). DynamoDB then refuses the second transaction with an
    /// `IdempotentParameterMismatchException`, which is an [`Error::Rejected`](crate::Error::Rejected). It is
    /// not applied twice in either case.
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
    /// Deletes an item by its key. A missing item is not an error, unless the entity is soft-deletable. Name
    /// the entity: `delete_by_id::<User>(id)`.
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
    /// Deletes an item by its key. A missing item is not an error, unless the entity is soft-deletable.
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

/// True if the operation must read first: for hooks, or for unique values.
const fn prepares(info: &EntityInfo) -> bool {
    info.hooks || info.unique.is_some()
}

/// Runs the hooks before all operations, so that the error lists every refusal.
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
