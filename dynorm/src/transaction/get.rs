use std::collections::HashMap;
use std::fmt;

use super::request::{MAX_TRANSACTION_OPERATIONS, explained};
use crate::codec::{Encoder, Item, Request, Scanner, ValueError};
use crate::database::Database;
use crate::entity::{EncodedKey, Entity, encode_key};
use crate::error::{Doing, Error, FailedOperation, OperationKind, Result, Subject, TransactionReport};
use crate::hooks;
use crate::operation::{Find, Get, OperationFuture};
use crate::rules::Visibility;
use crate::sealed::Sealed;
use crate::transport::{self, Answer, Operation};

/// Reads several items, of several entities, at one moment: no write is seen by one read and not by another.
///
/// It takes a tuple, or a `Vec`, of reads. [`find`](crate::Repository::find) gives an `Option`, [`get`](crate::Repository::get) the
/// entity or [`Error::NotFound`]; [`UserRepo::transact_get(&ids)`](crate::Repository::transact_get) and a `Vec` of reads give a
/// `Vec` with a place for each.
///
/// ```
/// # use dynorm::prelude::*;
/// # #[derive(Entity, Clone, Debug, Default, PartialEq)]
/// # struct User { #[entity(id)] id: Id<User>, name: String }
/// # #[derive(Entity, Clone, Debug, Default, PartialEq)]
/// # struct Order { #[entity(id)] id: Id<Order>, total: u32 }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> dynorm::Result<()> {
/// # let db = Database::memory()?;
/// # db.create_table::<User>().await?;
/// # db.create_table::<Order>().await?;
/// # db.install();
/// # let user = UserRepo::save(User::default()).await?;
/// # let orders = [Id::new()];
/// let (found, none, orders) = dynorm::transact_get((
///     UserRepo::get(user.id),
///     OrderRepo::find(Id::new()),
///     OrderRepo::transact_get(&orders),
/// ))
/// .await?;
/// assert_eq!((found, none, orders), (user, None, vec![None]));
/// # Ok(())
/// # }
/// ```
pub fn transact_get<T: TransactReads>(reads: T) -> TransactGet<T> {
    TransactGet { reads, database: None }
}

/// Reads of several items at one moment. Made by [`transact_get`](crate::transact_get()) and by
/// [`Repository::transact_get`](crate::Repository::transact_get).
///
/// DynamoDB reads up to [100](MAX_TRANSACTION_OPERATIONS) items in a transaction, 4 MB together. An item that is asked for several
/// times is read once. The reads are as consistent as they can be, and cost four times as much as plain ones; the database is
/// that of [`on`](Self::on), or else that of the first read that names one. A read that meets a write is
/// repeated, as [`Transaction`](crate::transaction::Transaction) says.
///
/// # Errors
/// [`Invalid`](Error::Invalid), before anything is sent, for more than 100 items;
/// [`Transaction`](Error::Transaction) if DynamoDB cancels it, or if some key cannot be sent;
/// [`NotFound`](Error::NotFound) for a `get` of an item that is not there; [`Undecodable`](Error::Undecodable) for an item that
/// does not fit its struct.
#[must_use = "an operation does nothing until it is awaited"]
pub struct TransactGet<T> {
    reads: T,
    database: Option<Database>,
}

impl<T> TransactGet<T> {
    /// Uses this database.
    pub fn on(mut self, database: &Database) -> Self {
        self.database = Some(database.clone());
        self
    }
}

impl<T: TransactReads> IntoFuture for TransactGet<T> {
    type Output = Result<T::Output>;
    type IntoFuture = OperationFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { reads, database } = self;
        OperationFuture::new(async move {
            let database = Database::of_operation(database.or_else(|| reads.database()))?;
            let mut plan = Plan::default();
            reads.plan(&database, &mut plan);
            let (subjects, positions, answer) = plan.carry_out(&database).await?;
            let Some(answer) = answer else { return reads.output(&mut Found::none(database)).await };
            let items = items(&answer)
                .map_err(|error| Error::undecodable(subjects.first().cloned().unwrap_or_default(), &error))?;
            let places = subjects.into_iter().zip(positions).collect();
            reads.output(&mut Found { items, places, next: 0, database }).await
        })
    }
}

impl<T> fmt::Debug for TransactGet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransactGet").finish_non_exhaustive()
    }
}

/// Reads of several items of one entity, in a [`transact_get`](crate::transact_get()). Made by
/// [`Repository::transact_get`](crate::Repository::transact_get).
pub struct GetList<E: Entity>(Vec<E::Key>);

impl<E: Entity> GetList<E> {
    pub(crate) fn new(keys: Vec<E::Key>) -> Self {
        Self(keys)
    }
}

impl<E: Entity> fmt::Debug for GetList<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GetList").field("entity", &E::INFO.name).field("keys", &self.0.len()).finish()
    }
}

/// What a [`transact_get`](crate::transact_get()) takes: `find`, `get`, and tuples of up to eight and `Vec`s of what it takes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read in a transaction",
    label = "expected `find`s and `get`s, in a tuple of one to eight or in a `Vec`",
    note = "for example `dynorm::transact_get((UserRepo::find(id), OrderRepo::find(key)))`"
)]
pub trait TransactReads: Sealed + Send + 'static {
    /// What it gives.
    type Output: Send;
    #[doc(hidden)]
    fn database(&self) -> Option<Database>;
    #[doc(hidden)]
    fn plan(&self, database: &Database, plan: &mut Plan);
    #[doc(hidden)]
    fn output(self, found: &mut Found<'_>) -> impl Future<Output = Result<Self::Output>> + Send;
}

/// The keys that are asked for.
#[derive(Default)]
pub struct Plan {
    reads: Vec<(Subject, EncodedKey)>,
    failures: Vec<FailedOperation>,
}

/// The items that came, in the order in which they were asked for.
pub struct Found<'a> {
    items: Vec<Option<Item<'a>>>,
    /// Of each read: what it is about, and the position of its item.
    places: Vec<(Subject, usize)>,
    next: usize,
    database: Database,
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan").finish_non_exhaustive()
    }
}

impl fmt::Debug for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Found").finish_non_exhaustive()
    }
}

impl Plan {
    fn push<E: Entity>(&mut self, database: &Database, key: &E::Key) {
        let table = database.table(E::INFO);
        match encode_key::<E>(key) {
            Ok(key) => {
                let subject = Subject::of(E::INFO).in_table(table).with_key(&key).during(Doing::Reading);
                self.reads.push((subject, key));
            }
            Err(reason) => {
                let index = self.reads.len() + self.failures.len();
                let reason = reason.in_table(&table);
                self.failures.push(FailedOperation::new(index, OperationKind::Reading, reason));
            }
        }
    }

    /// The reads, for each the position of its item, and the answer; none if nothing was asked for.
    async fn carry_out(self, database: &Database) -> Result<(Vec<Subject>, Vec<usize>, Option<Answer>)> {
        let Self { reads, failures } = self;
        let tables: Vec<String> = reads.iter().map(|(subject, _)| subject.table.clone()).collect();
        let count = reads.len() + failures.len();
        let subject = Subject::transaction(count, &tables).during(Doing::Reading);
        if !failures.is_empty() {
            return Err(TransactionReport { subject, failures, sent: false, outcome_known: true }.into());
        }
        let invalid = |error: ValueError| Error::invalid(subject.clone(), &error);
        let (distinct, positions) = distinct(&reads).map_err(invalid)?;
        if distinct.is_empty() {
            return Ok((Vec::new(), Vec::new(), None));
        }
        if distinct.len() > MAX_TRANSACTION_OPERATIONS {
            let why = format!(
                "it asks for {} items, and DynamoDB reads {MAX_TRANSACTION_OPERATIONS} at one moment; `batch_get` reads any number, not at one moment",
                distinct.len()
            );
            return Err(invalid(ValueError::new(why)));
        }
        let mut request = Request::new(distinct.iter().map(|(_, key)| key.json.len() + 128).sum());
        request.array("TransactItems", &mut distinct.iter(), |(subject, key), encoder: &mut Encoder| {
            let mut get = Request::for_table(&subject.table, key.json.len());
            get.json("Key", &key.json);
            encoder.raw(b"{\"Get\":");
            encoder.raw(&get.finish());
            encoder.push(b'}');
        });
        let mut tables: Vec<&str> = tables.iter().map(String::as_str).collect();
        tables.sort_unstable();
        tables.dedup();
        let (operation, items) = (Operation::TRANSACT_GET_ITEMS, distinct.len());
        let sent = transport::send_transaction(database, operation, &tables, items, request.finish()).await;
        match sent {
            Ok(answer) => {
                let subjects = reads.into_iter().map(|(subject, _)| subject).collect();
                Ok((subjects, positions, Some(answer)))
            }
            Err(mut failure) => {
                // Nothing was to be changed.
                failure.outcome_known = true;
                Err(explained(failure, subject, &|place, failure| {
                    let (subject, _) = distinct.get(place)?;
                    let first = positions.iter().position(|position| *position == place);
                    let reason = failure.into_error(subject.clone());
                    Some(FailedOperation::new(first.unwrap_or(place), OperationKind::Reading, reason))
                }))
            }
        }
    }
}

type Read = (Subject, EncodedKey);

/// The reads without those of an item that another one asks for, and for each read the position of its item among them.
fn distinct(reads: &[Read]) -> std::result::Result<(Vec<&Read>, Vec<usize>), ValueError> {
    let mut known: HashMap<(&str, Option<Vec<u8>>), usize> = HashMap::with_capacity(reads.len());
    let (mut distinct, mut positions) = (Vec::with_capacity(reads.len()), Vec::with_capacity(reads.len()));
    for read in reads {
        let (subject, key) = read;
        let canonical = subject.info.map(|info| key.canonical(info)).transpose()?;
        let position = *known.entry((&subject.table, canonical)).or_insert_with(|| {
            distinct.push(read);
            distinct.len() - 1
        });
        positions.push(position);
    }
    Ok((distinct, positions))
}

fn items(answer: &Answer) -> std::result::Result<Vec<Option<Item<'_>>>, ValueError> {
    let mut items = Vec::new();
    Scanner::new(answer.text()?).object(|member, scanner| {
        if member.text != "Responses" {
            scanner.skip()?;
            return Ok(());
        }
        scanner.array(|scanner| {
            let mut item = None;
            scanner.object(|member, scanner| {
                if member.text == "Item" && scanner.peek() == Some(b'{') {
                    item = Some(Item::next(scanner)?);
                } else {
                    scanner.skip()?;
                }
                Ok(())
            })?;
            items.push(item);
            Ok(())
        })
    })?;
    Ok(items)
}

impl Found<'_> {
    const fn none(database: Database) -> Self {
        Self { items: Vec::new(), places: Vec::new(), next: 0, database }
    }

    /// What the next read has found, and what an error is to say of it.
    async fn take<E: Entity>(&mut self, visible: Visibility) -> Result<(Option<E>, Subject)> {
        let (subject, position) = self.places.get(self.next).cloned().unwrap_or_default();
        self.next += 1;
        let found = match self.items.get(position) {
            Some(Some(item)) => visible.read(item),
            Some(None) => Ok(None),
            None => Err(ValueError::new("the answer has no place for it")),
        };
        match found {
            Ok(mut found) => {
                if let Some(entity) = &mut found {
                    hooks::retrieved(&self.database, entity).await;
                }
                Ok((found, subject))
            }
            Err(error) => Err(Error::undecodable(subject, &error)),
        }
    }
}

impl<E: Entity> Sealed for Find<E> {}
impl<E: Entity> Sealed for Get<E> {}
impl<E: Entity> Sealed for GetList<E> {}
impl<T> Sealed for TransactGet<T> {}

impl<E: Entity> TransactReads for Find<E> {
    type Output = Option<E>;

    fn database(&self) -> Option<Database> {
        self.database.clone()
    }

    fn plan(&self, database: &Database, plan: &mut Plan) {
        plan.push::<E>(database, &self.key);
    }

    async fn output(self, found: &mut Found<'_>) -> Result<Option<E>> {
        Ok(found.take(self.visible).await?.0)
    }
}

impl<E: Entity> TransactReads for Get<E> {
    type Output = E;

    fn database(&self) -> Option<Database> {
        self.0.database.clone()
    }

    fn plan(&self, database: &Database, plan: &mut Plan) {
        self.0.plan(database, plan);
    }

    async fn output(self, found: &mut Found<'_>) -> Result<E> {
        let (found, subject) = found.take(self.0.visible).await?;
        found.ok_or_else(|| Error::not_found(subject))
    }
}

impl<E: Entity> TransactReads for GetList<E> {
    type Output = Vec<Option<E>>;

    fn database(&self) -> Option<Database> {
        None
    }

    fn plan(&self, database: &Database, plan: &mut Plan) {
        self.0.iter().for_each(|key| plan.push::<E>(database, key));
    }

    async fn output(self, found: &mut Found<'_>) -> Result<Vec<Option<E>>> {
        let mut entities = Vec::with_capacity(self.0.len());
        for _ in &self.0 {
            entities.push(found.take(Visibility::default()).await?.0);
        }
        Ok(entities)
    }
}

/// As a part of a larger one.
impl<T: TransactReads> TransactReads for TransactGet<T> {
    type Output = T::Output;

    fn database(&self) -> Option<Database> {
        self.database.clone().or_else(|| self.reads.database())
    }

    fn plan(&self, database: &Database, plan: &mut Plan) {
        self.reads.plan(database, plan);
    }

    async fn output(self, found: &mut Found<'_>) -> Result<T::Output> {
        self.reads.output(found).await
    }
}

impl<T: TransactReads> TransactReads for Vec<T> {
    type Output = Vec<T::Output>;

    fn database(&self) -> Option<Database> {
        self.iter().find_map(TransactReads::database)
    }

    fn plan(&self, database: &Database, plan: &mut Plan) {
        self.iter().for_each(|read| read.plan(database, plan));
    }

    async fn output(self, found: &mut Found<'_>) -> Result<Vec<T::Output>> {
        let mut outputs = Vec::with_capacity(self.len());
        for read in self {
            outputs.push(read.output(found).await?);
        }
        Ok(outputs)
    }
}

macro_rules! tuples {
    ($(($($read:ident $position:tt),*);)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($read: TransactReads),*> TransactReads for ($($read,)*) {
            type Output = ($($read::Output,)*);

            fn database(&self) -> Option<Database> {
                None$(.or_else(|| self.$position.database()))*
            }

            fn plan(&self, database: &Database, plan: &mut Plan) {
                $(self.$position.plan(database, plan);)*
            }

            async fn output(self, found: &mut Found<'_>) -> Result<Self::Output> {
                Ok(($(self.$position.output(found).await?,)*))
            }
        }
    )*};
}

tuples! {
    (A 0);
    (A 0, B 1);
    (A 0, B 1, C 2);
    (A 0, B 1, C 2, D 3);
    (A 0, B 1, C 2, D 3, E 4);
    (A 0, B 1, C 2, D 3, E 4, F 5);
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6);
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
}
