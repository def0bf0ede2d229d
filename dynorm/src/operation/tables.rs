//! The operations on tables: creating, deleting, and enabling TTL.

use super::create_table::{CreateTable, DeleteTable};
use super::time_to_live::EnableTtl;
use crate::database::Database;
use crate::entity::Entity;
use crate::rules::Expires;

impl Database {
    /// Creates the table of `E` with its indexes, billed on demand, and waits until it is active. An existing
    /// table is compared with `E`, and never changed. See [`CreateTable`].
    pub fn create_table<E: Entity>(&self) -> CreateTable<E> {
        CreateTable::new(self.clone())
    }

    /// Deletes the table of `E` with all of its items, and waits until it is gone.
    pub fn delete_table<E: Entity>(&self) -> DeleteTable<E> {
        DeleteTable::new(self.clone())
    }

    /// Enables TTL for the table of `E`, with the attribute of its field with `#[entity(ttl)]`.
    ///
    /// **From then on DynamoDB deletes every expired item of the table, including those that exist already.**
    /// This cannot be undone, so check the content of the table first. For this reason
    /// [`create_table`](Self::create_table) enables TTL for a table that it creates, but never for an
    /// existing one. See [`EnableTtl`].
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// #[derive(Entity, Clone, Debug)]
    /// struct Session {
    ///     #[entity(id)]
    ///     id: Id<Session>,
    ///     #[entity(ttl)]
    ///     expires_at: Timestamp,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<Session>().await?;
    /// db.enable_ttl::<Session>().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn enable_ttl<E: Expires>(&self) -> EnableTtl<E> {
        EnableTtl::new(self.clone())
    }
}
