//! The tables of a database: how they are created, deleted, and given an expiry.

use super::create_table::{CreateTable, DeleteTable};
use super::time_to_live::EnableTtl;
use crate::database::Database;
use crate::entity::Entity;
use crate::rules::Expires;

impl Database {
    /// Creates the table of `E`, with its indexes, on demand, and waits until all of it is active. A table
    /// that exists is compared with what `E` says, and never changed. See [`CreateTable`].
    pub fn create_table<E: Entity>(&self) -> CreateTable<E> {
        CreateTable::new(self.clone())
    }

    /// Deletes the table of `E` with everything in it, and waits until it is gone.
    pub fn delete_table<E: Entity>(&self) -> DeleteTable<E> {
        DeleteTable::new(self.clone())
    }

    /// Switches TTL on for the table of `E`, by the attribute of its field with `#[entity(ttl)]`.
    ///
    /// **From then on DynamoDB deletes every item of the table whose end has passed, those that are there
    /// already included.** Nothing brings them back, so look at what the table holds first. That is why
    /// [`create_table`](Self::create_table) does it for a table that it creates, and never for one that
    /// exists. See [`EnableTtl`].
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
