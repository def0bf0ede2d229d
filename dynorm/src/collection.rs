use std::fmt;
use std::ops::{Deref, DerefMut};

use crate::batch::BatchStats;
use crate::database::Database;

/// Entities that were read or written together, in order. It is a slice to look at, iterates like a `Vec`, and knows the
/// database that it came from.
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
    stats: BatchStats,
}

impl<T> Collection<T> {
    pub(crate) fn new(items: Vec<T>, database: Option<Database>) -> Self {
        Self { items, database, stats: BatchStats::default() }
    }

    pub(crate) fn with_stats(mut self, stats: BatchStats) -> Self {
        self.stats = stats;
        self
    }

    /// What the batch that made this collection took; zeros for a collection that came from no batch.
    #[must_use]
    pub fn stats(&self) -> &BatchStats {
        &self.stats
    }

    /// The database that the collection came from.
    #[must_use]
    pub fn database(&self) -> Option<&Database> {
        self.database.as_ref()
    }

    /// The entities as a `Vec`.
    #[must_use]
    pub fn into_vec(self) -> Vec<T> {
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

/// A collection of entities at hand. It has no database of its own, so its operations use that of their scope.
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

/// By their items: where they came from makes no difference.
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
