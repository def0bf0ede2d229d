//! Creations of items that must not exist yet.

use std::fmt;

use super::OperationFuture;
use super::held::SaveArg;
use super::save::{Put, save};
use crate::database::Database;
use crate::entity::Entity;
use crate::error::Result;

/// Creates the item of an entity, and fails if an item with its key exists. Created by
/// [`Repository::create`](crate::Repository::create).
#[must_use = "an operation does nothing until it is awaited"]
pub struct Create<'a, E: Entity, A: SaveArg<'a, E>> {
    arg: A,
    database: Option<Database>,
    of: std::marker::PhantomData<&'a E>,
}

impl<'a, E: Entity, A: SaveArg<'a, E>> Create<'a, E, A> {
    pub(crate) fn new(arg: A) -> Self {
        Self { arg, database: None, of: std::marker::PhantomData }
    }

    /// Uses this database.
    pub fn on(mut self, database: &Database) -> Self {
        self.database = Some(database.clone());
        self
    }
}

impl<'a, E: Entity, A: SaveArg<'a, E>> IntoFuture for Create<'a, E, A> {
    type Output = Result<A::Output>;
    type IntoFuture = OperationFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        OperationFuture::new(save::<E, A>(self.arg.hold(), Put::creating(), self.database))
    }
}

impl<'a, E: Entity, A: SaveArg<'a, E>> fmt::Debug for Create<'a, E, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Create").field("entity", &E::INFO.name).finish_non_exhaustive()
    }
}
