//! Updates that are applied exactly once, as transactions of one operation.

use std::fmt;
use std::marker::PhantomData;

use super::OperationFuture;
use super::claiming::{Sending, claiming, read_known};
use super::returning::{Nothing, ReadBack};
use super::update::{Existing, Update};
use super::update_item::update_request;
use crate::database::Database;
use crate::entity::{Entity, Stamp, encode_key};
use crate::error::{Doing, Result, Subject};
use crate::expression::{Condition, Node};
use crate::unique::touches;
use crate::write::Known;

/// The subject of an update of an existing item that is applied [exactly once](Update::exactly_once).
pub struct Once<E: Entity>(pub(super) E::Key);

impl<E: Entity, R> Update<E, Existing<E>, R> {
    /// Applies the changes exactly once, even if answers are lost: as a transaction of one operation, with a
    /// token by which DynamoDB recognises a repetition for ten minutes. It consumes twice the capacity and is
    /// slower than a plain update.
    ///
    /// A transaction returns no item, so the entity is read afterwards, with strong consistency. It may
    /// include changes that others made after the update. If that read fails, the update was applied, and
    /// [`outcome_known`](crate::Error::outcome_known) of the error is true.
    /// [`returning_nothing`](Update::returning_nothing) avoids the read.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct Account { #[entity(partition)] owner: String, cents: i64 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<Account>().await?;
    /// # db.install();
    /// # AccountRepo::save(Account { owner: "ada".into(), cents: 0 }).await?;
    /// let account = AccountRepo::update("ada").add(Account::CENTS, 500).exactly_once().await?;
    /// assert_eq!(account.cents, 500);
    /// AccountRepo::update("ada").add(Account::CENTS, 500).returning_nothing().exactly_once().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The errors of a plain update. [`outcome_known`](crate::Error::outcome_known) is false only if the last
    /// attempt got no answer that settles it.
    pub fn exactly_once(self) -> Update<E, Once<E>, R>
    where
        R: ReadBack<E>,
    {
        let Self { subject: Existing(key), changes, condition, database, returning } = self;
        Update { subject: Once(key), changes, condition, database, returning }
    }
}

impl<E: Entity, R> Update<E, Once<E>, R> {
    /// See [`when`](Update#method.when) of a plain update.
    pub fn when(mut self, condition: Condition<E>) -> Self {
        self.condition = Some(Node::and_also(self.condition, condition.node));
        self
    }

    /// Returns nothing, and avoids the read.
    pub fn returning_nothing(self) -> Update<E, Once<E>, Nothing> {
        let Self { subject, changes, condition, database, .. } = self;
        Update { subject, changes, condition, database, returning: PhantomData }
    }
}

impl<E: Entity, R: ReadBack<E>> IntoFuture for Update<E, Once<E>, R> {
    type Output = Result<R::Output>;
    type IntoFuture = OperationFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { subject: Once(key), changes, condition, database, .. } = self;
        OperationFuture::new(async move {
            let database = Database::of_operation(database)?;
            let table = database.table(E::INFO);
            let (stamp, condition) = (Stamp::now(), condition.as_ref());
            let encoded = encode_key::<E>(&key).map_err(|error| error.in_table(&table))?;
            let subject = Subject::of(E::INFO).in_table(&table).with_key(&encoded).during(Doing::Updating);
            let known = match touches(E::INFO, &changes) {
                true => read_known(&database, E::INFO, &encoded).await?,
                false => Known::nothing(),
            };
            let write = |known: &Known| {
                let (table, changes) = (table.clone(), changes.clone());
                update_request::<E>(table, &key, changes, condition, Some(known), &stamp, None)
            };
            claiming(&database, known, Sending::Once, write).await?;
            R::read(&database, encoded, subject).await
        })
    }
}

impl<E: Entity> fmt::Debug for Once<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Once")
    }
}
