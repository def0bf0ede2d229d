//! Collections of entities that were read or written together.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::ops::{Deref, DerefMut};

use crate::batch::Stats;
use crate::database::Database;
use crate::field::Field;
use crate::query::Cursor;

/// Entities that were read or written together, in order. It dereferences to a slice, iterates like a `Vec`,
/// and holds the database that it came from.
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
/// let mut users = UserRepo::batch_save([User::default(), User { age: 36, ..Default::default() }]).await?;
/// assert_eq!(users.len(), 2);
/// for user in &mut users {
///     user.age += 1;
/// }
/// assert_eq!(users.last().map(|user| user.age), Some(37));
/// UserRepo::batch_save(&mut users).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Collection<T> {
    items: Vec<T>,
    database: Option<Database>,
    stats: Stats,
    scanned: u64,
    next: Option<Cursor>,
}

/// The type of a field by which [`Collection::group_by`] and [`Collection::key_by`] can group entities.
#[diagnostic::on_unimplemented(
    message = "entities cannot be grouped by values of the type `{Self}`",
    label = "the key of a `HashMap` needs `Clone`, `Eq` and `Hash`",
    note = "for a type of your own: `#[derive(Clone, PartialEq, Eq, Hash)]` on it",
    note = "a float has no `Eq`: put the entities into a `HashMap` of your own, by a rounded value"
)]
pub trait GroupKey: Clone + Eq + Hash {}

#[diagnostic::do_not_recommend]
impl<T: Clone + Eq + Hash> GroupKey for T {}

impl<T> Collection<T> {
    pub(crate) fn new(items: Vec<T>, database: Option<Database>) -> Self {
        Self { items, database, stats: Stats::default(), scanned: 0, next: None }
    }

    pub(crate) fn with_page(mut self, scanned: u64, next: Option<Cursor>) -> Self {
        (self.scanned, self.next) = (scanned, next);
        self
    }

    pub(crate) fn with_stats(mut self, stats: Stats) -> Self {
        self.stats = stats;
        self
    }

    /// Returns the statistics of the batch, query or scan that made this collection; zeros for a collection
    /// that was made from a `Vec`.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Returns the number of items that the query or scan evaluated, including those that the filter left
    /// out. All of them are charged for.
    #[must_use]
    pub fn scanned(&self) -> u64 {
        self.scanned
    }

    /// Returns the cursor from which the query can continue, if it had a limit or was a page, and there may
    /// be more.
    #[must_use]
    pub fn next(&self) -> Option<&Cursor> {
        self.next.as_ref()
    }

    /// Returns the database that the collection came from.
    #[must_use]
    pub fn database(&self) -> Option<&Database> {
        self.database.as_ref()
    }

    /// Returns the entities as a `Vec`.
    #[must_use]
    pub fn into_vec(self) -> Vec<T> {
        self.items
    }

    /// Returns the entities, and the database that they came from.
    pub(crate) fn parts(&mut self) -> (&mut [T], Option<&Database>) {
        (&mut self.items, self.database.as_ref())
    }
}

impl<E> Collection<E> {
    /// Splits the entities into chunks of `size`; the last one may be smaller. Changes to a chunk are changes
    /// to this collection. For tasks of their own, use [`into_chunks`](Self::into_chunks), which returns
    /// collections.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct User { #[entity(id)] id: Id<User>, age: u32 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<User>().await?;
    /// # let mut users = UserRepo::batch_save(vec![User::default(); 60]).on(&db).await?;
    /// for mut chunk in users.chunk(25) {
    ///     chunk.each(|user| user.age += 1);
    ///     chunk.save_all().await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// A `size` of 0 counts as 1.
    pub fn chunk(&mut self, size: usize) -> impl ExactSizeIterator<Item = Chunk<'_, E>> {
        let database = self.database.as_ref();
        self.items.chunks_mut(size.max(1)).map(move |items| Chunk { items, database })
    }

    /// Splits the entities into collections of `size`, for tasks that run concurrently.
    ///
    /// A `size` of 0 counts as 1.
    #[must_use]
    pub fn into_chunks(self, size: usize) -> Vec<Self> {
        let mut items = self.items.into_iter();
        let mut chunks = Vec::new();
        loop {
            let chunk: Vec<E> = items.by_ref().take(size.max(1)).collect();
            if chunk.is_empty() {
                return chunks;
            }
            chunks.push(Self::new(chunk, self.database.clone()));
        }
    }
}

/// Methods that select entities by their fields. Nothing is sent.
impl<E> Collection<E> {
    /// Returns the values of one field, in order.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct User { #[entity(id)] id: Id<User>, email: String }
    /// # let ada = User { email: "ada@example.com".into(), ..Default::default() };
    /// # let users: Collection<User> = [ada].into_iter().collect();
    /// let emails: Vec<String> = users.pluck(User::EMAIL);
    /// assert_eq!(emails, ["ada@example.com"]);
    /// ```
    #[must_use]
    pub fn pluck<V: Clone, K>(&self, field: Field<E, V, K>) -> Vec<V> {
        self.items.iter().map(|entity| field.get(entity).clone()).collect()
    }

    /// Groups the entities by the value of a field, in order within each group.
    ///
    /// ```
    /// # use std::collections::HashMap;
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct User { #[entity(id)] id: Id<User>, age: u32 }
    /// # let users: Collection<User> = vec![User::default(); 3].into();
    /// let by_age: HashMap<u32, Collection<User>> = users.group_by(User::AGE);
    /// assert_eq!(by_age[&0].len(), 3);
    /// ```
    #[must_use]
    pub fn group_by<V: GroupKey, K>(&self, field: Field<E, V, K>) -> HashMap<V, Self>
    where
        E: Clone,
    {
        let mut groups: HashMap<V, Self> = HashMap::new();
        for entity in &self.items {
            let empty = || Self::new(Vec::new(), self.database.clone());
            groups.entry(field.get(entity).clone()).or_insert_with(empty).items.push(entity.clone());
        }
        groups
    }

    /// Returns the entities by the value of a field. If several have the same value, the last one wins.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct User { #[entity(id)] id: Id<User>, age: u32 }
    /// # let users: Collection<User> = vec![User { id: Id::new(), age: 36 }].into();
    /// let by_id = users.key_by(User::ID);
    /// assert_eq!(by_id[&users[0].id].age, 36);
    /// ```
    #[must_use]
    pub fn key_by<V: GroupKey, K>(&self, field: Field<E, V, K>) -> HashMap<V, E>
    where
        E: Clone,
    {
        self.items.iter().map(|entity| (field.get(entity).clone(), entity.clone())).collect()
    }

    /// Returns the entities in ascending order of a field; equal ones keep their order. Values that cannot be
    /// compared, such as NaN, come last.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct User { #[entity(id)] id: Id<User>, age: u32 }
    /// # let user = |age| User { age, ..Default::default() };
    /// # let users: Collection<User> = vec![user(2), user(1), user(3)].into();
    /// assert_eq!(users.sorted_by(User::AGE).pluck(User::AGE), [1, 2, 3]);
    /// assert_eq!(users.sorted_by_desc(User::AGE).pluck(User::AGE), [3, 2, 1]);
    /// ```
    #[must_use]
    pub fn sorted_by<V: PartialOrd, K>(&self, field: Field<E, V, K>) -> Self
    where
        E: Clone,
    {
        self.sorted(|one, other| compare(field.get(one), field.get(other), false))
    }

    /// Returns the entities in descending order of a field; equal ones keep their order.
    #[must_use]
    pub fn sorted_by_desc<V: PartialOrd, K>(&self, field: Field<E, V, K>) -> Self
    where
        E: Clone,
    {
        self.sorted(|one, other| compare(field.get(one), field.get(other), true))
    }

    /// Returns the entities whose field equals a value.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct User { #[entity(id)] id: Id<User>, age: u32 }
    /// # let users: Collection<User> = vec![User::default(); 3].into();
    /// assert_eq!(users.matching(User::AGE, &0).len(), 3);
    /// assert_eq!(users.reject(|user| user.age < 18).len(), 0);
    /// ```
    #[must_use]
    pub fn matching<V: PartialEq<Q>, Q: ?Sized, K>(&self, field: Field<E, V, K>, value: &Q) -> Self
    where
        E: Clone,
    {
        self.only(|entity| field.get(entity) == value)
    }

    /// Returns the entities for which the function returns false.
    #[must_use]
    pub fn reject(&self, mut is_rejected: impl FnMut(&E) -> bool) -> Self
    where
        E: Clone,
    {
        self.only(|entity| !is_rejected(entity))
    }

    /// Returns the entities for which the function returns true.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct User { #[entity(id)] id: Id<User>, age: u32 }
    /// # let users: Collection<User> = vec![User { age: 36, ..Default::default() }].into();
    /// assert_eq!(users.only(|user| user.age >= 18).len(), 1);
    /// ```
    #[must_use]
    pub fn only(&self, is_wanted: impl FnMut(&E) -> bool) -> Self
    where
        E: Clone,
    {
        let mut is_wanted = is_wanted;
        let items = self.items.iter().filter(|entity| is_wanted(entity)).cloned().collect();
        Self::new(items, self.database.clone())
    }

    fn sorted(&self, compare: impl FnMut(&E, &E) -> Ordering) -> Self
    where
        E: Clone,
    {
        let mut items = self.items.clone();
        items.sort_by(compare);
        Self::new(items, self.database.clone())
    }
}

/// Values that are not equal to themselves come last in both directions.
fn compare<V: PartialOrd>(one: &V, other: &V, descending: bool) -> Ordering {
    let is_odd = |value: &V| value.partial_cmp(value).is_none();
    match one.partial_cmp(other) {
        Some(order) if descending => order.reverse(),
        Some(order) => order,
        None => is_odd(one).cmp(&is_odd(other)),
    }
}

impl<T> Collection<T> {
    /// Calls `change` with each entity. Nothing is sent.
    pub fn each(&mut self, change: impl FnMut(&mut T)) {
        self.items.iter_mut().for_each(change);
    }
}

/// A part of a [`Collection`]; see [`Collection::chunk`].
#[derive(Debug)]
pub struct Chunk<'a, E> {
    items: &'a mut [E],
    database: Option<&'a Database>,
}

impl<E> Chunk<'_, E> {
    /// Returns the entities, and the database that they came from.
    pub(crate) fn parts(&mut self) -> (&mut [E], Option<&Database>) {
        (self.items, self.database)
    }

    pub(crate) const fn database(&self) -> Option<&Database> {
        self.database
    }

    /// Calls `change` with each entity. Nothing is sent.
    pub fn each(&mut self, change: impl FnMut(&mut E)) {
        self.items.iter_mut().for_each(change);
    }
}

impl<E> Deref for Chunk<'_, E> {
    type Target = [E];

    fn deref(&self) -> &[E] {
        self.items
    }
}

impl<E> DerefMut for Chunk<'_, E> {
    fn deref_mut(&mut self) -> &mut [E] {
        self.items
    }
}

impl<T> Deref for Collection<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.items
    }
}

impl<T> DerefMut for Collection<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.items
    }
}

impl<T> IntoIterator for Collection<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a Collection<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}

impl<'a, T> IntoIterator for &'a mut Collection<T> {
    type Item = &'a mut T;
    type IntoIter = std::slice::IterMut<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter_mut()
    }
}

/// A collection without a database of its own: its operations use the database of their scope.
impl<T> From<Vec<T>> for Collection<T> {
    fn from(items: Vec<T>) -> Self {
        Self::new(items, None)
    }
}

impl<T> From<Collection<T>> for Vec<T> {
    fn from(collection: Collection<T>) -> Self {
        collection.items
    }
}

impl<T> FromIterator<T> for Collection<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self::from(Vec::from_iter(items))
    }
}

impl<T> Default for Collection<T> {
    fn default() -> Self {
        Self::from(Vec::new())
    }
}

/// Compares the entities only, not the database or the statistics.
impl<T: PartialEq> PartialEq for Collection<T> {
    fn eq(&self, other: &Self) -> bool {
        self.items == other.items
    }
}

impl<T: PartialEq> PartialEq<Vec<T>> for Collection<T> {
    fn eq(&self, other: &Vec<T>) -> bool {
        self.items == *other
    }
}

impl<T: PartialEq, const N: usize> PartialEq<[T; N]> for Collection<T> {
    fn eq(&self, other: &[T; N]) -> bool {
        self.items == *other
    }
}

impl<T: PartialEq> PartialEq<[T]> for Collection<T> {
    fn eq(&self, other: &[T]) -> bool {
        self.items == *other
    }
}

impl<T: fmt::Debug> fmt::Debug for Collection<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.items.fmt(f)
    }
}

impl<T: serde::Serialize> serde::Serialize for Collection<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.items.serialize(serializer)
    }
}
