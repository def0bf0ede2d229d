//! The operations of a transaction, each with its entity: from here on only bytes are left of them.

use std::future::ready;
use std::marker::PhantomData;

use futures_util::future::BoxFuture;

use crate::database::Database;
use crate::entity::{Entity, EntityInfo, Stamp, encode_entity, encode_key};
use crate::error::{OperationKind, Result};
use crate::hooks::{self, Event};
use crate::operation::{
    Check, Delete, Existing, Held, New, Nothing, Put, Save, SaveArg, Update, check_request, put_request,
    read_known, stamped_item, update_request,
};
use crate::sealed::Sealed;
use crate::unique::touches;
use crate::write::{Known, Write};

/// One operation.
pub(super) trait Part: Send {
    fn kind(&self) -> OperationKind;
    fn info(&self) -> &'static EntityInfo;
    /// What is sent; entities are stamped.
    fn write(&mut self, table: String, stamp: &Stamp) -> Result<Write>;
    /// The same once more, for what the item turned out to be.
    fn again(&mut self, known: &Known, table: String, stamp: &Stamp) -> Result<Write>;
    /// It is carried out: what an entity of the caller was stamped with stays.
    fn settle(&mut self) {}
    /// Takes back what was done to an entity of the caller.
    fn revert(&mut self) {}
    /// Runs the hooks before it, and looks up what it has to know of the item.
    fn before<'p>(&'p mut self, _: &'p Database) -> BoxFuture<'p, Result<()>> {
        Box::pin(ready(Ok(())))
    }
    /// Runs the hooks after it.
    fn after<'p>(&'p mut self, _: &'p Database) -> BoxFuture<'p, ()> {
        Box::pin(ready(()))
    }
}

/// An entity that is put.
pub(super) struct Puts<E, H> {
    held: H,
    put: Put,
    event: Event,
    of: PhantomData<fn() -> E>,
}

impl<E: Entity, H: Held<E>> Puts<E, H> {
    pub(super) fn new(held: H, put: Put) -> Self {
        let event = Event::save(held.entity(), put.kind == OperationKind::Creating);
        Self { held, put, event, of: PhantomData }
    }
}

impl<E: Entity, H: Held<E>> Part for Puts<E, H> {
    fn kind(&self) -> OperationKind {
        self.put.kind
    }

    fn info(&self) -> &'static EntityInfo {
        E::INFO
    }

    fn write(&mut self, table: String, stamp: &Stamp) -> Result<Write> {
        self.held.remember();
        match stamped_item(&mut self.held, &mut self.put, stamp) {
            Ok(item) => put_request(table, E::INFO, &item, &self.put),
            Err(error) => Err(error.in_table(&table)),
        }
    }

    fn again(&mut self, known: &Known, table: String, _: &Stamp) -> Result<Write> {
        // It is stamped already.
        let item = encode_entity(self.held.entity()).map_err(|error| error.in_table(&table))?;
        self.put.known = Some(known.clone());
        put_request(table, E::INFO, &item, &self.put)
    }

    fn settle(&mut self) {
        self.held.settle();
    }

    fn revert(&mut self) {
        self.held.revert();
    }

    fn before<'p>(&'p mut self, database: &'p Database) -> BoxFuture<'p, Result<()>> {
        self.held.remember();
        Box::pin(async move {
            hooks::before(database, self.held.entity_mut(), self.event).await?;
            let entity = self.held.entity();
            let is_new = entity.is_new() == Some(true) || self.put.kind == OperationKind::Creating;
            if E::INFO.unique.is_some() && !is_new {
                let table = database.table(E::INFO);
                let key = encode_key::<E>(&entity.entity_key()).map_err(|error| error.in_table(&table))?;
                self.put.known = Some(read_known(database, E::INFO, &key).await?);
            }
            Ok(())
        })
    }

    fn after<'p>(&'p mut self, database: &'p Database) -> BoxFuture<'p, ()> {
        Box::pin(hooks::after(database, self.held.entity_mut(), self.event))
    }
}

/// An update, with what is known of the item if it touches unique values.
pub(super) struct Updates<E: Entity> {
    update: Update<E, Existing<E>, Nothing>,
    known: Option<Known>,
}

impl<E: Entity> Updates<E> {
    pub(super) fn new(update: Update<E, Existing<E>, Nothing>) -> Self {
        Self { update, known: None }
    }
}

impl<E: Entity> Part for Updates<E> {
    fn kind(&self) -> OperationKind {
        OperationKind::Updating
    }

    fn info(&self) -> &'static EntityInfo {
        E::INFO
    }

    fn write(&mut self, table: String, stamp: &Stamp) -> Result<Write> {
        let Self { update, known } = self;
        let (changes, condition) = (update.changes.clone(), update.condition.as_ref());
        update_request::<E>(table, &update.subject.0, changes, condition, known.as_ref(), stamp, None)
    }

    fn again(&mut self, known: &Known, table: String, stamp: &Stamp) -> Result<Write> {
        self.known = Some(known.clone());
        self.write(table, stamp)
    }

    fn before<'p>(&'p mut self, database: &'p Database) -> BoxFuture<'p, Result<()>> {
        Box::pin(async move {
            if touches(E::INFO, &self.update.changes) {
                let table = database.table(E::INFO);
                let key = encode_key::<E>(&self.update.subject.0).map_err(|error| error.in_table(&table))?;
                self.known = Some(read_known(database, E::INFO, &key).await?);
            }
            Ok(())
        })
    }
}

/// A delete, with what is known of the item if it has unique values.
pub(super) struct Deletes<E: Entity> {
    delete: Delete<E>,
    known: Option<Known>,
}

impl<E: Entity> Deletes<E> {
    pub(super) fn new(delete: Delete<E>) -> Self {
        Self { delete, known: None }
    }
}

impl<E: Entity> Part for Deletes<E> {
    fn kind(&self) -> OperationKind {
        OperationKind::Deleting
    }

    fn info(&self) -> &'static EntityInfo {
        E::INFO
    }

    fn write(&mut self, table: String, _: &Stamp) -> Result<Write> {
        self.delete.request(table, None, self.known.as_ref())
    }

    fn again(&mut self, known: &Known, table: String, stamp: &Stamp) -> Result<Write> {
        self.known = Some(known.clone());
        self.write(table, stamp)
    }

    fn before<'p>(&'p mut self, database: &'p Database) -> BoxFuture<'p, Result<()>> {
        Box::pin(async move {
            self.delete.before(database).await?;
            self.known = self.delete.known(database).await?;
            Ok(())
        })
    }

    fn after<'p>(&'p mut self, database: &'p Database) -> BoxFuture<'p, ()> {
        Box::pin(self.delete.after(database))
    }
}

impl<E: Entity> Part for Check<E> {
    fn kind(&self) -> OperationKind {
        OperationKind::Checking
    }

    fn info(&self) -> &'static EntityInfo {
        E::INFO
    }

    fn write(&mut self, table: String, _: &Stamp) -> Result<Write> {
        let key = encode_key::<E>(&self.key).map_err(|error| error.in_table(&table))?;
        check_request(table, E::INFO, key, &self.condition)
    }

    fn again(&mut self, _: &Known, table: String, stamp: &Stamp) -> Result<Write> {
        self.write(table, stamp)
    }
}

/// What [`Transaction::save`](crate::transaction::Transaction::save) takes: an entity by value, by reference
/// or by `&mut`, or a [`Save`] of one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be saved in a transaction",
    label = "expected an entity, `&entity`, `&mut entity`, or a save such as `UserRepo::save(&mut user).when(…)`",
    note = "of several entities, save each: a transaction numbers its operations",
    note = "a variable of the type `&mut User` is moved by the call; pass `&mut *variable` to keep it"
)]
pub trait IntoSave<'a, E: Entity>: 'a {
    #[doc(hidden)]
    type Arg: SaveArg<'a, E>;

    #[doc(hidden)]
    fn into_save(self) -> Save<'a, E, Self::Arg>;
}

macro_rules! entities {
    ($($type:ty),*) => {$(
        #[diagnostic::do_not_recommend]
        impl<'a, E: Entity> IntoSave<'a, E> for $type {
            type Arg = Self;

            fn into_save(self) -> Save<'a, E, Self> {
                Save::new(self)
            }
        }
    )*};
}

entities!(E, &'a E, &'a &'a E, &'a mut E);

#[diagnostic::do_not_recommend]
impl<'a, E: Entity, A: SaveArg<'a, E>> IntoSave<'a, E> for Save<'a, E, A> {
    type Arg = A;

    fn into_save(self) -> Self {
        self
    }
}

/// What [`Transaction::update`](crate::transaction::Transaction::update) takes: an [`Update`] of an item that
/// exists.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be made in a transaction",
    label = "expected an update such as `UserRepo::update(id).set(…)`",
    note = "a transaction gives nothing back, so the update cannot return the old item; and it is applied once by itself, without `exactly_once()`"
)]
pub trait IntoUpdate<E: Entity>: Sealed {
    #[doc(hidden)]
    fn into_update(self) -> Update<E, Existing<E>, Nothing>;
}

impl<E: Entity, S, R> Sealed for Update<E, S, R> {}

#[diagnostic::do_not_recommend]
impl<E: Entity> IntoUpdate<E> for Update<E, Existing<E>, New> {
    fn into_update(self) -> Update<E, Existing<E>, Nothing> {
        self.returning_nothing()
    }
}

#[diagnostic::do_not_recommend]
impl<E: Entity> IntoUpdate<E> for Update<E, Existing<E>, Nothing> {
    fn into_update(self) -> Self {
        self
    }
}

/// What [`Transaction::delete`](crate::transaction::Transaction::delete) takes: an entity by reference, or a
/// [`Delete`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be deleted in a transaction",
    label = "expected `&entity`, or a delete such as `UserRepo::delete(&user).when(…)`",
    note = "to delete by a key: `.delete_by_id::<User>(id)`",
    note = "a transaction gives nothing back, so the delete cannot return the old item"
)]
pub trait IntoDelete<E: Entity> {
    #[doc(hidden)]
    fn into_delete(self) -> Delete<E>;
}

#[diagnostic::do_not_recommend]
impl<E: Entity> IntoDelete<E> for &E {
    fn into_delete(self) -> Delete<E> {
        Delete::of(self)
    }
}

#[diagnostic::do_not_recommend]
impl<E: Entity> IntoDelete<E> for &&E {
    fn into_delete(self) -> Delete<E> {
        Delete::of(self)
    }
}

#[diagnostic::do_not_recommend]
impl<E: Entity> IntoDelete<E> for &mut E {
    fn into_delete(self) -> Delete<E> {
        Delete::of(self)
    }
}

#[diagnostic::do_not_recommend]
impl<E: Entity> IntoDelete<E> for Delete<E> {
    fn into_delete(self) -> Self {
        self
    }
}
