use std::fmt;
use std::marker::PhantomData;

use super::OperationFuture;
use crate::database::Database;
use crate::entity::Entity;
use crate::error::Result;
use crate::query::pages::{PagedRequest, Pages};
use crate::transport::Operation;

/// Counts the entities of the table: a scan, which reads and pays for the whole table, though it sends back numbers only.
/// Made by [`Repository::count`](crate::Repository::count).
#[must_use = "an operation does nothing until it is awaited"]
pub struct Count<E: Entity> {
    consistent: bool,
    database: Option<Database>,
    of: PhantomData<fn() -> E>,
}

impl<E: Entity> Count<E> {
    pub(crate) fn new() -> Self {
        Self { consistent: false, database: None, of: PhantomData }
    }

    /// Counts what every write that has succeeded so far has left, at twice the read capacity.
    pub fn consistent(mut self) -> Self {
        self.consistent = true;
        self
    }

    /// Uses this database.
    pub fn on(mut self, database: &Database) -> Self {
        self.database = Some(database.clone());
        self
    }
}

impl<E: Entity> IntoFuture for Count<E> {
    type Output = Result<u64>;
    type IntoFuture = OperationFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        OperationFuture::new(async move {
            let database = Database::of_operation(self.database)?;
            let request = PagedRequest::new(Operation::Scan, E::INFO).consistent(self.consistent).counting();
            Pages::new(database, request, "counting").count().await
        })
    }
}

impl<E: Entity> fmt::Debug for Count<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Count").field("entity", &E::INFO.name).finish_non_exhaustive()
    }
}
