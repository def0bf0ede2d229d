use std::fmt;
use std::marker::PhantomData;

use super::OperationFuture;
use super::returning::{New, Nothing, Old, UpdateReturning};
use super::update_item::update;
use crate::attribute::Attribute;
use crate::database::Database;
use crate::entity::Entity;
use crate::error::Result;
use crate::expression::{
    Action, Addend, Assign, Change, Condition, GrowingAttribute, IntoElement, Node, NumberAttribute,
    Removable, SetAttribute, Target, list_of, set_of,
};

/// Changes an item. Made by [`Repository::update`](crate::Repository::update), [`upsert`](crate::Repository::upsert) and
/// [`update_or_create`](crate::Repository::update_or_create).
///
/// All changes are made at once, or none is. Each reads the item as it was before: two fields can be swapped. No two of them
/// may change one place, or overlap.
///
/// | method | what it does | where |
/// |---|---|---|
/// | [`set`](Self::set) | sets a field to a value, to another field, or to a sum of two | any field |
/// | [`set_if_absent`](Self::set_if_absent) | the same, where there is nothing yet | any field |
/// | [`add`](Self::add), [`subtract`](Self::subtract) | counts from what is there | numbers |
/// | [`append`](Self::append), [`prepend`](Self::prepend) | more elements, behind or before the others | lists |
/// | [`insert`](Self::insert), [`discard`](Self::discard) | puts elements in and takes them out | sets |
/// | [`remove`](Self::remove) | takes it away | what may be absent |
///
/// A field of the key cannot be changed: the key says which item it is. `updated_at` is set to the current time, unless the
/// update sets it.
///
/// # Templates
///
/// If a field stands in the template of an index key, that key is set with it. All other fields of the template must be known
/// for that: because the key of the item is made of them, or because the same update sets them to values. Otherwise the update
/// is refused before anything is sent, with an error that names what must come along.
///
/// # Lost answers
///
/// An update whose answer is lost is sent again. What is only set comes out the same; `add`, `subtract`, `append` and
/// `prepend` may then be applied twice: they are done **at least once**;
/// [`exactly_once`](Self::exactly_once) keeps them from it. A condition that does not hold after a lost
/// attempt may have met what that attempt wrote, so [`outcome_known`](crate::Error::outcome_known) of such an error is false.
/// [`returning_old`](Self::returning_old) is never sent again after a lost answer.
///
/// # Errors
/// [`NotFound`](crate::Error::NotFound) if there is no item with the key. [`ConditionFailed`](crate::Error::ConditionFailed) if there is one,
/// and it does not meet the conditions. [`Invalid`](crate::Error::Invalid), before anything is sent, for an update without changes,
/// for changes that overlap, for index keys that are empty, too long, or not all known, for more than 300 operators and
/// functions, and for expressions of more than 4 KB: with one placeholder of a few bytes for each name and value, some 350
/// fields. [`Rejected`](crate::Error::Rejected) for what only the server can tell: an operand that the item does not have, a
/// place inside something that is not there, an item that becomes larger than 400 KB.
/// [`Undecodable`](crate::Error::Undecodable) if the item that comes back does not fit the struct; then the changes are made.
#[must_use = "an operation does nothing until it is awaited"]
pub struct Update<E: Entity, S = Existing<E>, R = New> {
    pub(crate) subject: S,
    pub(crate) changes: Vec<Change>,
    pub(crate) condition: Option<Node>,
    pub(crate) database: Option<Database>,
    pub(super) returning: PhantomData<fn() -> (E, R)>,
}

/// An update of an item that exists, by its key.
pub struct Existing<E: Entity>(pub(crate) E::Key);

impl<E: Entity> Update<E> {
    pub(crate) fn existing(key: E::Key) -> Self {
        Self::of(Existing(key))
    }
}

impl<E: Entity, S> Update<E, S> {
    pub(super) fn of(subject: S) -> Self {
        Self { subject, changes: Vec::new(), condition: None, database: None, returning: PhantomData }
    }
}

/// The changes.
impl<E: Entity, S, R> Update<E, S, R> {
    /// Sets a field, or a place inside one: to a value, to another field of the entity, or to a sum of two.
    ///
    /// An `Option` is set to what it holds, or to an `Option`; `None` and an empty set take the attribute away, as a save
    /// does.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Attribute, Clone, Debug)] struct Address { city: String }
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct User {
    /// #     #[entity(id)] id: Id<User>, name: String, nick: Option<String>, address: Option<Address>,
    /// #     price: u32, tax: u32, total: u32,
    /// # }
    /// # let id = Id::new();
    /// let update = UserRepo::update(id)
    ///     .set(User::NAME, "Ada")
    ///     .set(User::NICK, None)
    ///     .set(User::ADDRESS.field(Address::CITY), "Paris")
    ///     .set(User::TOTAL, User::PRICE.plus(User::TAX));
    /// ```
    ///
    /// A field that is read and that the item does not have is an [`Error::Rejected`](crate::Error::Rejected), except in sums, where an `Option`
    /// counts as 0 while it is absent.
    pub fn set<F: Target<E>>(self, field: F, value: impl Assign<F::Value, E>) -> Self {
        let action = value.source(field.stored()).map_or_else(Action::Refused, Action::Set);
        self.with(field, action)
    }

    /// Sets a field that the item does not have. One that holds NULL is there.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct User { #[entity(id)] id: Id<User>, nick: Option<String> }
    /// # let id = Id::new();
    /// let update = UserRepo::update(id).set_if_absent(User::NICK, "ada");
    /// ```
    pub fn set_if_absent<F: Target<E>>(self, field: F, value: impl Assign<F::Value, E>) -> Self {
        let action = value.source(field.stored()).map_or_else(Action::Refused, Action::SetIfAbsent);
        self.with(field, action)
    }

    /// Adds to a number: a value, which may be negative where the field may not, or another field. An `Option`, a field with
    /// `default` and an entry of a map start at 0 while they are absent.
    ///
    /// The number that comes out must fit the type of the field: nothing but a condition keeps a `u32` from becoming
    /// negative, and then the item can no longer be read.
    ///
    /// ```
    /// # use std::collections::BTreeMap;
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct User { #[entity(id)] id: Id<User>, age: u32, visits: Option<u64>, scores: BTreeMap<String, i64> }
    /// # let id = Id::new();
    /// let update = UserRepo::update(id)
    ///     .add(User::AGE, -1)
    ///     .add(User::VISITS, 1)
    ///     .add(User::SCORES.key("chess"), 25)
    ///     .when(User::AGE.ge(1));
    /// ```
    ///
    /// At least once: see [lost answers](Update#lost-answers).
    pub fn add<F, N>(self, field: F, number: N) -> Self
    where
        F: Target<E, Value: NumberAttribute>,
        N: Addend<<F::Value as NumberAttribute>::Number, E>,
    {
        self.count(field, number, false)
    }

    /// Subtracts from a number; as [`add`](Self::add) in everything else.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct Stock { #[entity(partition)] sku: String, left: u32 }
    /// let update = StockRepo::update("tea").subtract(Stock::LEFT, 3).when(Stock::LEFT.ge(3));
    /// ```
    pub fn subtract<F, N>(self, field: F, number: N) -> Self
    where
        F: Target<E, Value: NumberAttribute>,
        N: Addend<<F::Value as NumberAttribute>::Number, E>,
    {
        self.count(field, number, true)
    }

    /// Puts elements behind those of a list; an absent `Option`, and an absent entry of a map, become a list of them.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct User { #[entity(id)] id: Id<User>, log: Vec<String> }
    /// # let id = Id::new();
    /// let update = UserRepo::update(id).append(User::LOG, ["came", "saw"]);
    /// ```
    ///
    /// At least once: see [lost answers](Update#lost-answers).
    pub fn append<F, I>(self, field: F, elements: I) -> Self
    where
        F: Target<E, Value: GrowingAttribute>,
        I: IntoIterator<Item: IntoElement<<F::Value as GrowingAttribute>::Element>>,
    {
        self.extend(field, elements, false)
    }

    /// Puts elements before those of a list, in the order in which they are given; as [`append`](Self::append) in everything
    /// else.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct User { #[entity(id)] id: Id<User>, log: Vec<String> }
    /// # let id = Id::new();
    /// let update = UserRepo::update(id).prepend(User::LOG, ["first", "second"]);
    /// ```
    pub fn prepend<F, I>(self, field: F, elements: I) -> Self
    where
        F: Target<E, Value: GrowingAttribute>,
        I: IntoIterator<Item: IntoElement<<F::Value as GrowingAttribute>::Element>>,
    {
        self.extend(field, elements, true)
    }

    /// Puts elements into a set. Those that are there already, and a second one that equals the first, change nothing.
    ///
    /// ```
    /// # use std::collections::BTreeSet;
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct User { #[entity(id)] id: Id<User>, tags: BTreeSet<String> }
    /// # let id = Id::new();
    /// let update = UserRepo::update(id).insert(User::TAGS, ["vip"]);
    /// ```
    pub fn insert<F, I>(self, field: F, elements: I) -> Self
    where
        F: Target<E, Value: SetAttribute>,
        I: IntoIterator<Item: IntoElement<<F::Value as SetAttribute>::Member>>,
    {
        let elements: Vec<_> = elements.into_iter().map(IntoElement::into_element).collect();
        self.with(field, set_of(&elements).map_or_else(Action::Refused, Action::Insert))
    }

    /// Takes elements out of a set. Those that are not there change nothing.
    ///
    /// ```
    /// # use std::collections::BTreeSet;
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct User { #[entity(id)] id: Id<User>, tags: BTreeSet<String> }
    /// # let id = Id::new();
    /// let update = UserRepo::update(id).discard(User::TAGS, ["new", "trial"]);
    /// ```
    pub fn discard<F, I>(self, field: F, elements: I) -> Self
    where
        F: Target<E, Value: SetAttribute>,
        I: IntoIterator<Item: IntoElement<<F::Value as SetAttribute>::Member>>,
    {
        let elements: Vec<_> = elements.into_iter().map(IntoElement::into_element).collect();
        self.with(field, set_of(&elements).map_or_else(Action::Refused, Action::Discard))
    }

    /// Takes away what may be absent: an `Option`, a set, an element of a list (those behind it move up), an entry of a map.
    /// A field with a default of its own is read as that then; to make it `None`, set it to `None`.
    ///
    /// ```
    /// # use std::collections::BTreeMap;
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct User { #[entity(id)] id: Id<User>, nick: Option<String>, log: Vec<String>, scores: BTreeMap<String, u32> }
    /// # let id = Id::new();
    /// let update = UserRepo::update(id).remove(User::NICK).remove(User::LOG.at(0)).remove(User::SCORES.key("chess"));
    /// ```
    pub fn remove<F: Target<E> + Removable>(self, field: F) -> Self {
        self.with(field, Action::Remove)
    }

    /// Uses this database.
    pub fn on(mut self, database: &Database) -> Self {
        self.database = Some(database.clone());
        self
    }

    fn with(mut self, field: impl Target<E>, action: Action) -> Self {
        self.changes.push(field.change(action));
        self
    }

    fn count<F, N>(self, field: F, number: N, minus: bool) -> Self
    where
        F: Target<E, Value: NumberAttribute>,
        N: Addend<<F::Value as NumberAttribute>::Number, E>,
    {
        let action = match number.number() {
            Ok(operand) => Action::Add { operand, minus, starts: F::Value::absent().is_some() },
            Err(error) => Action::Refused(error),
        };
        self.with_start(field, action)
    }

    fn extend<F, I>(self, field: F, elements: I, before: bool) -> Self
    where
        F: Target<E, Value: GrowingAttribute>,
        I: IntoIterator<Item: IntoElement<<F::Value as GrowingAttribute>::Element>>,
    {
        let elements: Vec<_> = elements.into_iter().map(IntoElement::into_element).collect();
        let action = match list_of(&elements) {
            Ok(list) => Action::Extend { list, before, starts: F::Value::absent().is_some() },
            Err(error) => Action::Refused(error),
        };
        self.with_start(field, action)
    }

    /// An entry of a map, and an element behind the end of a list, need not be there either.
    fn with_start(mut self, field: impl Target<E>, action: Action) -> Self {
        let mut change = field.change(action);
        if let Action::Add { starts, .. } | Action::Extend { starts, .. } = &mut change.action {
            *starts |= change.is_entry;
        }
        self.changes.push(change);
        self
    }
}

impl<E: Entity, R> Update<E, Existing<E>, R> {
    /// Makes the changes only if the item meets the condition. If it does not, that is an [`Error::ConditionFailed`](crate::Error::ConditionFailed), whose
    /// [`current`](crate::Error::current) is the item as it is. Several conditions must all hold.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct Job { #[entity(partition)] name: String, owner: Option<String> }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<Job>().await?;
    /// # db.install();
    /// # JobRepo::save(Job { name: "report".into(), owner: None }).await?;
    /// let claim = |owner: &str| JobRepo::update("report").set(Job::OWNER, owner).when(Job::OWNER.not_exists());
    /// assert_eq!(claim("ada").await?.owner.as_deref(), Some("ada"));
    /// let error = claim("bea").await.unwrap_err();
    /// assert_eq!(error.current::<Job>().transpose()?.and_then(|job| job.owner).as_deref(), Some("ada"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn when(mut self, condition: Condition<E>) -> Self {
        self.condition = Some(Node::and_also(self.condition, condition.node));
        self
    }

    /// Gives the entity as it was before.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct Ticket { #[entity(partition)] counter: String, next: u64 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<Ticket>().await?;
    /// # db.install();
    /// # TicketRepo::save(Ticket { counter: "desk".into(), next: 7 }).await?;
    /// let mine = TicketRepo::update("desk").add(Ticket::NEXT, 1).returning_old().await?.next;
    /// assert_eq!(mine, 7);
    /// # Ok(())
    /// # }
    /// ```
    pub fn returning_old(self) -> Update<E, Existing<E>, Old> {
        self.returning()
    }

    /// Gives nothing, for whoever does not need it: it saves the way of the item.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct User { #[entity(id)] id: Id<User>, visits: u64 }
    /// # let id = Id::new();
    /// let update = UserRepo::update(id).add(User::VISITS, 1).returning_nothing();
    /// ```
    pub fn returning_nothing(self) -> Update<E, Existing<E>, Nothing> {
        self.returning()
    }

    fn returning<Q>(self) -> Update<E, Existing<E>, Q> {
        let Self { subject, changes, condition, database, .. } = self;
        Update { subject, changes, condition, database, returning: PhantomData }
    }
}

impl<E: Entity, R: UpdateReturning<E>> IntoFuture for Update<E, Existing<E>, R> {
    type Output = Result<R::Output>;
    type IntoFuture = OperationFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { subject: Existing(key), changes, condition, database, .. } = self;
        OperationFuture::new(async move {
            let database = Database::of_operation(database)?;
            update::<E, R>(&database, &key, changes, condition.as_ref()).await
        })
    }
}

impl<E: Entity, S, R> fmt::Debug for Update<E, S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Update")
            .field("entity", &E::INFO.name)
            .field("changes", &self.changes)
            .finish_non_exhaustive()
    }
}

impl<E: Entity> fmt::Debug for Existing<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Existing")
    }
}
