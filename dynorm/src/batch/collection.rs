//! The batch operations of a [`Collection`].

use super::{BatchDelete, BatchRestore, BatchSave};
use crate::collection::{Chunk, Collection};
use crate::database::Database;
use crate::entity::Entity;
use crate::field::{ChangeableKind, Field};
use crate::rules::SoftDelete;

/// The batch operations of a collection. They use the database that the collection was read from, unless
/// `.on(&db)` sets another.
impl<E: Entity> Collection<E> {
    /// Saves every entity, and updates ids and timestamps in place; see [`BatchSave`].
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct User { #[entity(id)] id: Id<User>, age: u32 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<User>().await?;
    /// # UserRepo::batch_save([User::default(), User::default()]).on(&db).await?;
    /// let mut users = UserRepo::all().on(&db).await?;
    /// users.each(|user| user.age += 1);
    /// assert_eq!(users.save_all().await?.items, 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn save_all(&mut self) -> BatchSave<'_, E, &mut E> {
        save_all(self.parts())
    }

    /// Deletes the item of every entity; see [`BatchDelete`].
    pub fn delete_all<'b>(&self) -> BatchDelete<'b, E> {
        BatchDelete::of(self).with_database(self.database())
    }

    /// Restores the soft-deleted item of every entity; see [`BatchRestore`]. The entities themselves do not
    /// change: read them again to get their new state.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct Note { #[entity(id)] id: Id<Note>, #[entity(deleted_at)] deleted_at: Option<Timestamp> }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<Note>().await?;
    /// # let notes = NoteRepo::batch_save([Note::default(), Note::default()]).on(&db).await?;
    /// notes.delete_all().await?;
    /// let trashed = NoteRepo::scan().only_trashed().get_all().on(&db).await?;
    /// assert_eq!(trashed.restore_all().await?.items, 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn restore_all<'b>(&self) -> BatchRestore<'b, E>
    where
        E: SoftDelete,
    {
        BatchRestore::of(self).with_database(self.database())
    }

    /// Sets one field of every entity, and saves them all. A field of the key cannot be set, since that would
    /// write another item.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct User { #[entity(id)] id: Id<User>, age: u32 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<User>().await?;
    /// # UserRepo::batch_save([User::default(), User::default()]).on(&db).await?;
    /// let mut users = UserRepo::all().on(&db).await?;
    /// users.update_field(User::AGE, 36).await?;
    /// assert!(UserRepo::all().on(&db).await?.iter().all(|user| user.age == 36));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// ```compile_fail
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct User { #[entity(id)] id: Id<User>, age: u32 }
    /// # fn change(mut users: Collection<User>) {
    /// let _ = users.update_field(User::ID, Id::new());
    /// # }
    /// ```
    pub fn update_field<V: Clone, K: ChangeableKind>(
        &mut self,
        field: Field<E, V, K>,
        value: V,
    ) -> BatchSave<'_, E, &mut E> {
        self.update_all(|entity| field.set(entity, value.clone()))
    }

    /// Changes every entity, and saves them all.
    pub fn update_all(&mut self, change: impl FnMut(&mut E)) -> BatchSave<'_, E, &mut E> {
        self.each(change);
        self.save_all()
    }
}

impl<E: Entity> Chunk<'_, E> {
    /// Saves every entity, and updates ids and timestamps in place; see [`BatchSave`].
    pub fn save_all(&mut self) -> BatchSave<'_, E, &mut E> {
        save_all(self.parts())
    }

    /// Deletes the item of every entity; see [`BatchDelete`].
    pub fn delete_all<'b>(&self) -> BatchDelete<'b, E> {
        BatchDelete::of(&**self).with_database(self.database())
    }

    /// Restores the soft-deleted item of every entity; see [`Collection::restore_all`].
    pub fn restore_all<'b>(&self) -> BatchRestore<'b, E>
    where
        E: SoftDelete,
    {
        BatchRestore::of(self).with_database(self.database())
    }

    /// Sets one field of every entity, and saves them all; see [`Collection::update_field`].
    pub fn update_field<V: Clone, K: ChangeableKind>(
        &mut self,
        field: Field<E, V, K>,
        value: V,
    ) -> BatchSave<'_, E, &mut E> {
        self.update_all(|entity| field.set(entity, value.clone()))
    }

    /// Changes every entity, and saves them all.
    pub fn update_all(&mut self, change: impl FnMut(&mut E)) -> BatchSave<'_, E, &mut E> {
        self.each(change);
        self.save_all()
    }
}

fn save_all<'a, E: Entity>(
    (entities, database): (&'a mut [E], Option<&Database>),
) -> BatchSave<'a, E, &'a mut E> {
    BatchSave::new(entities.iter_mut().collect()).with_database(database)
}
