use std::fmt;
use std::ops::{Deref, DerefMut};

use crate::attribute::Timestamp;
use crate::collection::Collection;
use crate::database::Database;
use crate::entity::Entity;
use crate::field::Field;
use crate::snapshot::Snapshot;

/// An entity that knows how it was read, so that its changes can be told, and be saved alone.
///
/// [`find(key).tracked()`](crate::operation::Find::tracked) and
/// [`get(key).tracked()`](crate::operation::Find::tracked) give one, [`Collection::into_tracked`] makes one
/// of each entity, and [`new`](Self::new) of one that is known to be stored. It derefs to the entity, to look
/// at and to change it.
///
/// ```
/// # use dynorm::prelude::*;
/// # #[derive(Entity, Clone, Debug, Default)]
/// # struct User { #[entity(id)] id: Id<User>, email: String, age: u32 }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> dynorm::Result<()> {
/// # let db = Database::memory()?;
/// # db.create_table::<User>().await?;
/// # db.install();
/// # let id = UserRepo::save(User { email: "ada@example.com".into(), age: 36, ..Default::default() }).await?.id;
/// let mut user = UserRepo::get(id).tracked().await?;
/// assert!(!user.is_changed());
///
/// user.email = "ada@example.org".into();
/// assert!(user.is_dirty(User::EMAIL) && !user.is_dirty(User::AGE));
/// assert_eq!(user.changes(), ["email"]);
/// assert_eq!(user.original().email, "ada@example.com");
///
/// user.save().await?; // an update of `email` alone
/// assert!(!user.is_changed());
/// # Ok(())
/// # }
/// ```
///
/// Two states of a field are equal if they are stored alike, so no field needs `PartialEq`, and those that are stored through
/// `serde` or `with`, or in a flattened map, are compared as all others are. Each question writes the fields of both states
/// anew; what is not stored (`skip`) is never a change.
///
/// It holds the entity twice, and the database that it was read from.
#[must_use = "changes are sent by `save`"]
pub struct Tracked<E: Entity> {
    pub(crate) entity: E,
    pub(crate) original: E,
    pub(crate) database: Option<Database>,
    /// When it was as the original is.
    pub(crate) then: Timestamp,
}

impl<E: Entity> Tracked<E> {
    /// An entity that is stored as it is here.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct User { #[entity(id)] id: Id<User>, #[entity(index = "by_email")] email: String, age: u32 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<User>().await?;
    /// # db.install();
    /// # UserRepo::save(User { email: "ada@example.com".into(), ..Default::default() }).await?;
    /// use dynorm::Tracked;
    ///
    /// let found = UserRepo::by_email("ada@example.com").first().await?;
    /// if let Some(mut user) = found.map(Tracked::new) {
    ///     user.age = 36;
    ///     user.save().await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(entity: E) -> Self {
        Self::in_database(entity, None)
    }

    pub(crate) fn in_database(entity: E, database: Option<Database>) -> Self {
        Self { original: entity.clone(), entity, database, then: Timestamp::now() }
    }

    /// The entity as it was read, or as the last [`save`](Self::save) left it.
    #[must_use]
    pub fn original(&self) -> &E {
        &self.original
    }

    /// True if anything is to be saved.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        // What cannot even be compared is not as it was read.
        self.differences().is_none_or(|names| !names.is_empty())
    }

    /// True if this field is to be saved.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # use dynorm::Tracked;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct User { #[entity(id)] id: Id<User>, age: u32 }
    /// let mut user = Tracked::new(User::default());
    /// user.age = 36;
    /// assert!(user.is_dirty(User::AGE));
    /// user.age = 0;
    /// assert!(!user.is_dirty(User::AGE));
    /// ```
    #[must_use]
    pub fn is_dirty<T, K>(&self, field: Field<E, T, K>) -> bool {
        self.differences().is_none_or(|names| names.iter().any(|name| name == field.name()))
    }

    /// The names of the attributes that are to be saved, in the order of the fields; those of a flattened map come last.
    ///
    /// What a save sets by itself (`updated_at`, the version, the keys that templates make) is not among them.
    #[must_use]
    pub fn changes(&self) -> Vec<String> {
        let every = || E::INFO.fields.iter().map(|field| field.name.to_owned()).collect();
        self.differences().unwrap_or_else(every)
    }

    /// The old and the new value of a field that is to be saved; `None` for one that is not.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # use dynorm::Tracked;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct User { #[entity(id)] id: Id<User>, age: u32 }
    /// let mut user = Tracked::new(User::default());
    /// assert_eq!(user.change(User::AGE), None);
    /// user.age = 36;
    /// assert_eq!(user.change(User::AGE), Some((&0, &36)));
    /// ```
    #[must_use]
    pub fn change<T, K>(&self, field: Field<E, T, K>) -> Option<(&T, &T)> {
        self.is_dirty(field).then(|| (field.get(&self.original), field.get(&self.entity)))
    }

    /// Takes all changes back.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # use dynorm::Tracked;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct User { #[entity(id)] id: Id<User>, age: u32 }
    /// let mut user = Tracked::new(User::default());
    /// user.age = 36;
    /// user.discard();
    /// assert_eq!(user.age, 0);
    /// ```
    pub fn discard(&mut self) {
        self.entity.clone_from(&self.original);
    }

    /// The entity with its changes, which are then no longer known.
    #[must_use]
    pub fn into_inner(self) -> E {
        self.entity
    }

    fn differences(&self) -> Option<Vec<String>> {
        Snapshot::of(&self.original).differences(E::INFO, &Snapshot::of(&self.entity)).ok()
    }
}

impl<E: Entity> Deref for Tracked<E> {
    type Target = E;

    fn deref(&self) -> &E {
        &self.entity
    }
}

impl<E: Entity> DerefMut for Tracked<E> {
    fn deref_mut(&mut self) -> &mut E {
        &mut self.entity
    }
}

impl<E: Entity> Clone for Tracked<E> {
    fn clone(&self) -> Self {
        Self {
            entity: self.entity.clone(),
            original: self.original.clone(),
            database: self.database.clone(),
            then: self.then,
        }
    }
}

impl<E: Entity + fmt::Debug> fmt::Debug for Tracked<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracked")
            .field("entity", &self.entity)
            .field("changes", &self.changes())
            .finish_non_exhaustive()
    }
}

impl<E: Entity> Collection<E> {
    /// Each entity with its original beside it, so that only what changes is saved: one request for each that did. To save
    /// whole entities in few requests, see [`save_all`](Self::save_all).
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct User { #[entity(id)] id: Id<User>, name: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<User>().await?;
    /// # UserRepo::batch_save([User::default(), User { name: " Ada".into(), ..Default::default() }]).on(&db).await?;
    /// for mut user in UserRepo::all().on(&db).await?.into_tracked() {
    ///     user.name = user.name.trim().to_owned();
    ///     user.save().await?; // of the two, one is sent
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn into_tracked(self) -> Vec<Tracked<E>> {
        let database = self.database().cloned();
        self.into_iter().map(|entity| Tracked::in_database(entity, database.clone())).collect()
    }
}
