use std::fmt;
use std::marker::PhantomData;

use super::OperationFuture;
use super::find::member;
use super::request::Request;
use super::write::{OperationKind, Write};
use crate::database::Database;
use crate::entity::{EncodedKey, Entity, EntityInfo, decode_entity, encode_key};
use crate::error::{Error, Result, Subject};
use crate::expression::{Condition, Existence, Expression, Node};
use crate::transport::{self, Answer, Operation, Repeat};

/// Deletes an item by its key; one that is not there is fine. Made by [`Repository::delete`](crate::Repository::delete)
/// and [`delete_by_id`](crate::Repository::delete_by_id).
#[must_use = "an operation does nothing until it is awaited"]
pub struct Delete<E: Entity, R = Nothing> {
    pub(crate) key: E::Key,
    pub(crate) condition: Option<Node>,
    pub(crate) database: Option<Database>,
    returning: PhantomData<fn() -> R>,
}

impl<E: Entity> Delete<E> {
    pub(crate) fn new(key: E::Key) -> Self {
        Self { key, condition: None, database: None, returning: PhantomData }
    }

    /// Gives back the entity as it was, or `None` if there was none.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, PartialEq)]
    /// # struct Note { #[entity(partition)] title: String, text: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<Note>().await?;
    /// let note = NoteRepo::save(Note { title: "Shopping".into(), text: "tea".into() }).on(&db).await?;
    /// assert_eq!(NoteRepo::delete(&note).returning_old().on(&db).await?, Some(note));
    /// # Ok(())
    /// # }
    /// ```
    pub fn returning_old(self) -> Delete<E, Old> {
        let Self { key, condition, database, .. } = self;
        Delete { key, condition, database, returning: PhantomData }
    }
}

impl<E: Entity, R> Delete<E, R> {
    /// Deletes only if the stored item meets the condition. If it does not, and if there is none that could, that is an
    /// [`Error::ConditionFailed`], whose [`current`](Error::current) is the item as it is. Several conditions must all hold.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, PartialEq)]
    /// # struct Note { #[entity(partition)] title: String, done: bool }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<Note>().await?;
    /// # db.install();
    /// let note = NoteRepo::save(Note { title: "Shopping".into(), done: false }).await?;
    /// let error = NoteRepo::delete(&note).when(Note::DONE.eq(true)).await.unwrap_err();
    /// assert!(error.is_condition_failed());
    /// assert_eq!(error.current::<Note>().transpose()?, Some(note));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Invalid`](Error::Invalid) for a condition of more than 300 operators or 4 KB, before anything is sent.
    ///
    /// A delete whose answer is lost is sent again, and may then find that it has deleted the item itself: of such a
    /// failure [`outcome_known`](Error::outcome_known) is false.
    pub fn when(mut self, condition: Condition<E>) -> Self {
        self.condition = Some(Node::and_also(self.condition, condition.node));
        self
    }

    /// Uses this database.
    pub fn on(mut self, database: &Database) -> Self {
        self.database = Some(database.clone());
        self
    }
}

impl<E: Entity, R: Returning<E>> IntoFuture for Delete<E, R> {
    type Output = Result<R::Output>;
    type IntoFuture = OperationFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { key, condition, database, .. } = self;
        OperationFuture::new(async move {
            let database = Database::of_operation(database)?;
            let table = database.table(E::INFO);
            let key = encode_key::<E>(&key).map_err(|error| error.in_table(&table))?;
            let write = delete_request(table, E::INFO, key, condition.as_ref(), R::WANTED)?;
            let subject = write.subject.clone();
            let answer = delete_item(&database, write, R::WANTED).await?;
            R::output(&answer).map_err(|error| Error::undecodable(subject, &error))
        })
    }
}

impl<E: Entity, R> fmt::Debug for Delete<E, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delete").field("entity", &E::INFO.name).finish_non_exhaustive()
    }
}

async fn delete_item(database: &Database, write: Write, return_values: &str) -> Result<Answer> {
    let Write { operation, subject, body, has_condition, .. } = write;
    let wants_old = return_values != Nothing::NAME;
    let sent = if wants_old || has_condition {
        // Deleting twice is deleting once, but the second answer has no old item.
        let repeat = if wants_old { Repeat::NotApplied } else { Repeat::Any };
        transport::send_write(database, operation, &subject.table, body, repeat).await
    } else {
        transport::send(database.client(), operation, &subject.table, body).await
    };
    sent.map_err(|failure| failure.into_error(subject))
}

/// The request that deletes an item; in a transaction there are no `return_values`.
pub(crate) fn delete_request(
    table: String,
    info: &'static EntityInfo,
    key: EncodedKey,
    condition: Option<&Node>,
    return_values: &str,
) -> Result<Write> {
    let kind = OperationKind::Deleting;
    let subject = Subject::of(info).in_table(table).with_key(&key).during(kind.doing());
    let mut request = Request::for_table(&subject.table, key.0.len());
    request.json("Key", &key.0);
    if !return_values.is_empty() {
        request.text("ReturnValues", return_values);
    }
    let mut expression = Expression::default();
    expression
        .set_condition(info, Existence::Any, condition)
        .map_err(|error| Error::invalid(subject.clone(), &error))?;
    expression.write(&mut request);
    let has_condition = expression.has_condition();
    if has_condition {
        request.text("ReturnValuesOnConditionCheckFailure", "ALL_OLD");
    }
    let operation = Operation::DeleteItem;
    Ok(Write { kind, operation, key, body: request.finish(), has_condition, subject })
}

/// What a write gives back: [`Nothing`] or [`Old`].
pub trait Returning<E: Entity>: 'static {
    /// The type of it.
    type Output;
    #[doc(hidden)]
    const WANTED: &'static str;
    #[doc(hidden)]
    #[allow(private_interfaces, reason = "called by the operation alone")]
    fn output(answer: &Answer) -> std::result::Result<Self::Output, crate::ValueError>;
}

/// A write that gives nothing back.
#[derive(Debug)]
pub enum Nothing {}

/// A write that gives back the entity as it was before.
#[derive(Debug)]
pub enum Old {}

impl Nothing {
    const NAME: &'static str = "NONE";
}

impl<E: Entity> Returning<E> for Nothing {
    type Output = ();
    const WANTED: &'static str = Self::NAME;

    #[allow(private_interfaces, reason = "called by the operation alone")]
    fn output(_: &Answer) -> std::result::Result<(), crate::ValueError> {
        Ok(())
    }
}

impl<E: Entity> Returning<E> for Old {
    type Output = Option<E>;
    const WANTED: &'static str = "ALL_OLD";

    #[allow(private_interfaces, reason = "called by the operation alone")]
    fn output(answer: &Answer) -> std::result::Result<Option<E>, crate::ValueError> {
        member(answer, "Attributes")?.map_or(Ok(None), |item| decode_entity(&item))
    }
}
