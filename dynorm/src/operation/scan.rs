use std::fmt;
use std::marker::PhantomData;

use super::OperationFuture;
use crate::collection::Collection;
use crate::database::Database;
use crate::entity::Entity;
use crate::error::Result;
use crate::query::pages::{PagedRequest, Pages};
use crate::transport::Operation;

/// Reads every entity of the table: a scan, which reads and pays for the whole table. Made by
/// [`Repository::all`](crate::Repository::all).
#[must_use = "an operation does nothing until it is awaited"]
pub struct All<E: Entity> {
    consistent: bool,
    database: Option<Database>,
    of: PhantomData<fn() -> E>,
}

impl<E: Entity> All<E> {
    pub(crate) fn new() -> Self {
        Self { consistent: false, database: None, of: PhantomData }
    }

    /// Reads what every write that has succeeded so far has left, at twice the read capacity.
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

impl<E: Entity> IntoFuture for All<E> {
    type Output = Result<Collection<E>>;
    type IntoFuture = OperationFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        OperationFuture::new(async move {
            let database = Database::of_operation(self.database)?;
            let request = PagedRequest::new(Operation::Scan, E::INFO).consistent(self.consistent);
            Pages::new(database, request, "scanning").collect().await
        })
    }
}

impl<E: Entity> fmt::Debug for All<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("All").field("entity", &E::INFO.name).finish_non_exhaustive()
    }
}
