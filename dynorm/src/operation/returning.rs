//! The types that say what an operation returns, and how that is read from an answer.

use super::find::{found, member};
use crate::codec::{Request, ValueError};
use crate::database::Database;
use crate::entity::{EncodedKey, Entity, decode_entity};
use crate::error::{Doing, Error, Result, Subject};
use crate::rules::Visibility;
use crate::sealed::Sealed;
use crate::transport::{self, Answer, Operation, Repeat};
use crate::write::ReturnValues;

/// An update returns the entity after the update.
#[derive(Debug)]
pub enum New {}

/// What a write returns: [`Nothing`] or [`Old`].
pub trait Returning<E: Entity>: Sealed + 'static {
    /// The type of the output.
    type Output;
    #[doc(hidden)]
    const WANTED: ReturnValues;
    #[doc(hidden)]
    fn output(answer: &Answer) -> std::result::Result<Self::Output, ValueError>;
}

/// A write returns nothing.
#[derive(Debug)]
pub enum Nothing {}

/// A write returns the entity as it was before.
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

/// What an update returns: [`New`], [`Old`] or [`Nothing`].
pub trait UpdateReturning<E: Entity>: Sealed + 'static {
    /// The type of the output.
    type Output;
    #[doc(hidden)]
    const WANTED: ReturnValues;
    #[doc(hidden)]
    const REPEAT: Repeat;
    #[doc(hidden)]
    fn output(answer: &Answer) -> std::result::Result<Self::Output, ValueError>;
    /// Reads the output after an update that was sent as a transaction, which returns no item.
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
    // On a second attempt, the old item would be the new one.
    Old: E, NotApplied, |answer| attributes(answer), no_old;
    Nothing: (), Any, |_answer| Ok(()), <Self as ReadBack<E>>::read;
}

/// A transaction returns no old item. Such an update is refused before it is sent.
async fn no_old<T>(_: &Database, _: EncodedKey, subject: Subject) -> Result<T> {
    Err(Error::invalid(subject, &ValueError::new(NO_OLD)))
}

pub(super) const NO_OLD: &str = "it writes unique values, in a transaction, and that gives no old item back: read the item before, and write it with a condition";

/// Decodes the entity in the answer of an update that returns one.
pub(super) fn attributes<E: Entity>(answer: &Answer) -> std::result::Result<E, ValueError> {
    let item = member(answer, "Attributes")?.ok_or_else(|| ValueError::new("the answer has no item"))?;
    decode_entity(&item)?
        .ok_or_else(|| ValueError::new(format!("the item is not marked as `{}`", E::INFO.name)))
}

/// What an update that is applied [exactly once](crate::operation::Update::exactly_once) can return: [`New`],
/// by a read, or [`Nothing`].
#[diagnostic::on_unimplemented(
    message = "an update that returns the old item cannot be made exactly once",
    label = "a transaction gives nothing back, so nobody knows what was there before",
    note = "leave `returning_old()` out, or read the item before and update it with a condition"
)]
pub trait ReadBack<E: Entity>: Sealed + 'static {
    /// The type of the output.
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
        // The update was applied, whether or not the read succeeds.
        failure.outcome_known = true;
        failure.into_error(subject)
    })
}
