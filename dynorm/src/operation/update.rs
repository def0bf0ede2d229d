//! Updates of items: the builder of changes.
//!
//! The steps of an update:
//!
//! 1. The methods of [`Update`] take typed targets and values (`expression/target.rs`,
//!    `expression/arithmetic.rs`) and collect untyped changes (`expression/update.rs`): a path and an action
//!    with its encoded value, or the reason why it could not be encoded.
//! 2. `changes.rs` completes them: what depends on the field (a default, sensitivity), overlaps,
//!    `updated_at`, the version, the keys that templates make, and the sizes of index keys. A refusal names
//!    the missing fields.
//! 3. `Expression::set_changes` writes the update expression. An absent number counts as 0 and an absent list
//!    as empty by `if_not_exists`; `ADD` and `DELETE` are used only for sets.
//! 4. `update_item.rs` sends it with the condition that the item exists and belongs to the entity, through
//!    `write/`. The item that DynamoDB returns with a failed condition tells a missing item from one that
//!    does not meet the caller's condition. The SDK does not repeat such a request: `transport/repeat.rs`
//!    does, and remembers whether an attempt got no answer. If the changes touch unique values, `claiming.rs`
//!    sends the update and the claims in one transaction.
//!
//! Variants: `upsert.rs` is the same request without the condition that the item exists, where each unchanged
//! field gets the value of the item or else of the entity. `update_or_create.rs` is an update, followed by a
//! creation if there is no item. `save_tracked.rs` makes the changes by comparing the encoded entity with its
//! original (`snapshot.rs`); they need no completion. `exactly_once.rs` sends the update as a transaction.

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

/// Updates an item. Created by [`Repository::update`](crate::Repository::update),
/// [`upsert`](crate::Repository::upsert) and [`update_or_create`](crate::Repository::update_or_create).
///
/// Either all changes are applied or none. Each sees the item as it was before the update, so two fields can
/// be swapped. No two changes may affect the same attribute, or overlap.
///
/// | method | what it does | where |
/// |---|---|---|
/// | [`set`](Self::set) | sets a field to a value, another field, or a sum of two | any field |
/// | [`set_if_absent`](Self::set_if_absent) | sets a field that is absent | any field |
/// | [`add`](Self::add), [`subtract`](Self::subtract) | adds to a number | numbers |
/// | [`append`](Self::append), [`prepend`](Self::prepend) | adds elements at the end or start | lists |
/// | [`insert`](Self::insert), [`discard`](Self::discard) | inserts and removes elements | sets |
/// | [`remove`](Self::remove) | removes a field | what may be absent |
///
/// A field of the key cannot be changed, since the key identifies the item. `updated_at` is set to the
/// current time, unless the update sets it.
///
/// # Templates
///
/// If a changed field is part of the template of an index key, the update sets that key as well. For that it
/// must know all other fields of the template: because they are part of the item's key, or because the same
/// update sets them to values. Otherwise the update is refused before anything is sent, with an error that
/// names the missing fields.
///
/// # Lost answers
///
/// An update whose answer is lost is sent again. Setting a field twice has the same effect as once, but
/// `add`, `subtract`, `append` and `prepend` may be applied twice: they are applied **at least once**. Use
/// [`exactly_once`](Self::exactly_once) to prevent that. A condition that fails after a lost answer may have
/// seen the result of that attempt, so [`outcome_known`](crate::Error::outcome_known) of such an error is
/// false. [`returning_old`](Self::returning_old) is never sent again after a lost answer.
///
/// # Errors
/// - [`NotFound`](crate::Error::NotFound) if there is no item with the key.
/// - [`ConditionFailed`](crate::Error::ConditionFailed) if the item does not meet the conditions.
/// - [`Invalid`](crate::Error::Invalid), before anything is sent, for an update without changes, for changes
///   that overlap, for index keys that are empty, too long, or not fully known, for more than 300 operators
///   and functions, and for expressions of more than 4 KB, which is some 350 fields.
/// - [`Rejected`](crate::Error::Rejected) for what only the server can tell: an operand that the item does
///   not have, a path into something that does not exist, or an item that would exceed 400 KB.
/// - [`Undecodable`](crate::Error::Undecodable) if the returned item does not fit the struct. The changes are
///   applied then.
#[must_use = "an operation does nothing until it is awaited"]
pub struct Update<E: Entity, S = Existing<E>, R = New> {
    pub(crate) subject: S,
    pub(crate) changes: Vec<Change>,
    pub(crate) condition: Option<Node>,
    pub(crate) database: Option<Database>,
    pub(super) returning: PhantomData<fn() -> (E, R)>,
}

/// The subject of an update of an existing item: its key.
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
    /// Sets a field, or a path inside one: to a value, to another field of the entity, or to a sum of two.
    ///
    /// An `Option` accepts an `Option` or its inner value. `None` and an empty set remove the attribute, as
    /// in a save.
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
    /// If another field is read and the item does not have it, the error is
    /// [`Error::Rejected`](crate::Error::Rejected), except in sums, where an absent `Option` counts as 0.
    pub fn set<F: Target<E>>(self, field: F, value: impl Assign<F::Value, E>) -> Self {
        let action = value.source(field.stored()).map_or_else(Action::Refused, Action::Set);
        self.with(field, action)
    }

    /// Sets a field only if the item does not have it. A field that holds NULL exists.
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

    /// Adds a value or another field to a number. The value may be negative even if the field is unsigned. An
    /// absent `Option`, a field with `default` and an absent entry of a map start at 0.
    ///
    /// The result must fit the type of the field: only a condition prevents a `u32` from becoming negative,
    /// after which the item can no longer be read.
    ///
    /// ```
    /// # use std::collections::BTreeMap;
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct User {
    /// #     #[entity(id)] id: Id<User>, age: u32, visits: Option<u64>, scores: BTreeMap<String, i64>,
    /// # }
    /// # let id = Id::new();
    /// let update = UserRepo::update(id)
    ///     .add(User::AGE, -1)
    ///     .add(User::VISITS, 1)
    ///     .add(User::SCORES.key("chess"), 25)
    ///     .when(User::AGE.ge(1));
    /// ```
    ///
    /// Applied at least once: see [lost answers](Update#lost-answers).
    pub fn add<F, N>(self, field: F, number: N) -> Self
    where
        F: Target<E, Value: NumberAttribute>,
        N: Addend<<F::Value as NumberAttribute>::Number, E>,
    {
        self.count(field, number, false)
    }

    /// Subtracts from a number. Otherwise works as [`add`](Self::add).
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

    /// Appends elements to a list. An absent `Option`, and an absent entry of a map, become a list of them.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct User { #[entity(id)] id: Id<User>, log: Vec<String> }
    /// # let id = Id::new();
    /// let update = UserRepo::update(id).append(User::LOG, ["came", "saw"]);
    /// ```
    ///
    /// Applied at least once: see [lost answers](Update#lost-answers).
    pub fn append<F, I>(self, field: F, elements: I) -> Self
    where
        F: Target<E, Value: GrowingAttribute>,
        I: IntoIterator<Item: IntoElement<<F::Value as GrowingAttribute>::Element>>,
    {
        self.extend(field, elements, false)
    }

    /// Inserts elements at the start of a list, in the given order. Otherwise works as
    /// [`append`](Self::append).
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

    /// Inserts elements into a set. Elements that it already contains, and repeated ones, change nothing.
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

    /// Removes elements from a set. Elements that it does not contain change nothing.
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

    /// Removes what may be absent: an `Option`, a set, an element of a list (later elements move up), or an
    /// entry of a map. A removed field with a default of its own is read as that default; to make it `None`,
    /// set it to `None`.
    ///
    /// ```
    /// # use std::collections::BTreeMap;
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct User {
    /// #     #[entity(id)] id: Id<User>, nick: Option<String>, log: Vec<String>,
    /// #     scores: BTreeMap<String, u32>,
    /// # }
    /// # let id = Id::new();
    /// let update = UserRepo::update(id)
    ///     .remove(User::NICK)
    ///     .remove(User::LOG.at(0))
    ///     .remove(User::SCORES.key("chess"));
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

    /// Lets an absent entry of a map, or an element after the end of a list, start as empty too.
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
    /// Applies the changes only if the item meets the condition. Otherwise the error is
    /// [`Error::ConditionFailed`](crate::Error::ConditionFailed), whose [`current`](crate::Error::current)
    /// returns the stored item. If it is called several times, all conditions must hold.
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
    /// let is_free = Job::OWNER.not_exists();
    /// let claim = |owner: &str| JobRepo::update("report").set(Job::OWNER, owner).when(is_free.clone());
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

    /// Returns the entity as it was before the update.
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

    /// Returns nothing, so that the item is not transferred.
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
