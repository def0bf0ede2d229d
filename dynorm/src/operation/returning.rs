//! What the operations give back: the types that say it, and how it is read out of an answer.

use super::find::{found, member};
use crate::codec::{Request, ValueError};
use crate::database::Database;
use crate::entity::{EncodedKey, Entity, decode_entity};
use crate::error::{Doing, Error, Result, Subject};
use crate::rules::Visibility;
use crate::sealed::Sealed;
use crate::transport::{self, Answer, Operation, Repeat};
use crate::write::ReturnValues;

/// An update that gives the entity as it is then.
#[derive(Debug)]
pub enum New {}

/// What a write gives back: [`Nothing`] or [`Old`].
pub trait Returning<E: Entity>: Sealed + 'static {
    /// The type of it.
    type Output;
    #[doc(hidden)]
    const WANTED: ReturnValues;
    #[doc(hidden)]
    fn output(answer: &Answer) -> std::result::Result<Self::Output, ValueError>;
}

/// A write that gives nothing back.
#[derive(Debug)]
pub enum Nothing {}

/// A write that gives back the entity as it was before.
#[derive(Debug)]
pub enum Old {}

impl Sealed for New {}
impl Sealed for Old {}
impl Sealed for Nothing {}

impl<E: Entity> Returning<E> for Nothing {
    type Output = ();
    const WANTED: ReturnValues = ReturnValues::Nothing;

    fn output(_: &Answer) -> std::result::Result<(), ValueError> {
        Ok(())
    }
}

impl<E: Entity> Returning<E> for Old {
    type Output = Option<E>;
    const WANTED: ReturnValues = ReturnValues::Old;

    fn output(answer: &Answer) -> std::result::Result<Option<E>, ValueError> {
        member(answer, "Attributes")?.map_or(Ok(None), |item| decode_entity(&item))
    }
}

/// What an update gives back: [`New`], [`Old`] or [`Nothing`].
pub trait UpdateReturning<E: Entity>: Sealed + 'static {
    /// The type of it.
    type Output;
    #[doc(hidden)]
    const WANTED: ReturnValues;
    #[doc(hidden)]
    const REPEAT: Repeat;
    #[doc(hidden)]
    fn output(answer: &Answer) -> std::result::Result<Self::Output, ValueError>;
    /// What comes back if the update was a transaction, which gives nothing.
    #[doc(hidden)]
    fn read_back(
        database: &Database,
        key: EncodedKey,
        subject: Subject,
    ) -> impl Future<Output = Result<Self::Output>> + Send;
}

macro_rules! returning {
    ($($kind:ident: $output:ty, $repeat:ident, |$answer:ident| $read:expr, $read_back:expr;)*) => {$(
        impl<E: Entity> UpdateReturning<E> for $kind {
            type Output = $output;
            const WANTED: ReturnValues = ReturnValues::$kind;
            const REPEAT: Repeat = Repeat::$repeat;

            fn output($answer: &Answer) -> std::result::Result<$output, ValueError> {
                $read
            }

            async fn read_back(database: &Database, key: EncodedKey, subject: Subject) -> Result<$output> {
                $read_back(database, key, subject).await
            }
        }
    )*};
}

returning! {
    New: E, Any, |answer| attributes(answer), <Self as ReadBack<E>>::read;
    // A second time, the old item would be the new one.
    Old: E, NotApplied, |answer| attributes(answer), no_old;
    Nothing: (), Any, |_answer| Ok(()), <Self as ReadBack<E>>::read;
}

/// A transaction gives nothing back, and it is refused before it is sent.
async fn no_old<T>(_: &Database, _: EncodedKey, subject: Subject) -> Result<T> {
    Err(Error::invalid(subject, &ValueError::new(NO_OLD)))
}

pub(super) const NO_OLD: &str = "it writes unique values, in a transaction, and that gives no old item back: read the item before, and write it with a condition";

/// The entity in the answer of an update that returns one.
pub(super) fn attributes<E: Entity>(answer: &Answer) -> std::result::Result<E, ValueError> {
    let item = member(answer, "Attributes")?.ok_or_else(|| ValueError::new("the answer has no item"))?;
    decode_entity(&item)?
        .ok_or_else(|| ValueError::new(format!("the item is not marked as `{}`", E::INFO.name)))
}

/// What an update that is made [exactly once](crate::operation::Update::exactly_once) can give back: [`New`],
/// by a read, or [`Nothing`].
#[diagnostic::on_unimplemented(
    message = "an update that returns the old item cannot be made exactly once",
    label = "a transaction gives nothing back, so nobody knows what was there before",
    note = "leave `returning_old()` out, or read the item before and update it with a condition"
)]
pub trait ReadBack<E: Entity>: Sealed + 'static {
    /// The type of it.
    type Output;
    #[doc(hidden)]
    fn read(
        database: &Database,
        key: EncodedKey,
        subject: Subject,
    ) -> impl Future<Output = Result<Self::Output>> + Send;
}

impl<E: Entity> ReadBack<E> for New {
    type Output = E;

    async fn read(database: &Database, key: EncodedKey, subject: Subject) -> Result<E> {
        let reading = subject.clone().during(Doing::ReadingBack);
        let answer = read_back(database, key, reading.clone()).await?;
        match found(&answer, Visibility::ALL) {
            Ok(Some(entity)) => Ok(entity),
            Ok(None) => Err(Error::not_found_because(subject, "it was deleted after the update was made")),
            Err(error) => Err(Error::undecodable(reading, &error)),
        }
    }
}

impl<E: Entity> ReadBack<E> for Nothing {
    type Output = ();

    async fn read(_: &Database, _: EncodedKey, _: Subject) -> Result<()> {
        Ok(())
    }
}

async fn read_back(database: &Database, key: EncodedKey, subject: Subject) -> Result<Answer> {
    let mut request = Request::for_table(&subject.table, key.json.len());
    request.json("Key", &key.json);
    request.flag("ConsistentRead", true);
    let (operation, body) = (Operation::GET_ITEM, request.finish());
    let sent = transport::send_write(database, operation, &subject.table, body, Repeat::Any).await;
    sent.map_err(|mut failure| {
        // What was to be done is done, whatever becomes of the read.
        failure.outcome_known = true;
        failure.into_error(subject)
    })
}
