//! One `UpdateItem`: its request, its answer, and what its failure means.

use super::changes::complete;
use super::claiming::{claiming, read_known};
use super::delete::{Nothing, Old};
use super::exactly_once::ReadBack;
use super::find::member;
use super::update::New;
use super::write::{Meaning, OperationKind, Write};
use crate::codec::{Item, Request, Scanner, ValueError};
use crate::database::Database;
use crate::entity::{
    EncodedKey, Entity, EntityInfo, Stamp, decode_entity, encode_key, is_of_type, part_of_key,
};
use crate::error::{Error, Report, Result, Subject};
use crate::expression::{Change, Expression, Node, Start};
use crate::rules::{Existence, Visibility};
use crate::transport::{self, Answer, Failure, FailureKind, Operation, Repeat};
use crate::unique::{Known, claims_of, touches};

/// What an update gives back: [`New`], [`Old`] or [`Nothing`].
pub trait UpdateReturning<E: Entity>: 'static {
    /// The type of it.
    type Output;
    #[doc(hidden)]
    const WANTED: &'static str;
    #[doc(hidden)]
    #[allow(private_interfaces, reason = "called by the operation alone")]
    const REPEAT: Repeat;
    #[doc(hidden)]
    #[allow(private_interfaces, reason = "called by the operation alone")]
    fn output(answer: &Answer) -> std::result::Result<Self::Output, ValueError>;
    /// What comes back if the update was a transaction, which gives nothing.
    #[doc(hidden)]
    #[allow(private_interfaces, reason = "called by the operation alone")]
    fn read_back(
        database: &Database,
        key: EncodedKey,
        subject: Subject,
    ) -> impl Future<Output = Result<Self::Output>> + Send;
}

macro_rules! returning {
    ($($kind:ident: $output:ty, $wanted:literal, $repeat:ident, |$answer:ident| $read:expr, $read_back:expr;)*) => {$(
        impl<E: Entity> UpdateReturning<E> for $kind {
            type Output = $output;
            const WANTED: &'static str = $wanted;
            #[allow(private_interfaces, reason = "called by the operation alone")]
            const REPEAT: Repeat = Repeat::$repeat;

            #[allow(private_interfaces, reason = "called by the operation alone")]
            fn output($answer: &Answer) -> std::result::Result<$output, ValueError> {
                $read
            }

            #[allow(private_interfaces, reason = "called by the operation alone")]
            async fn read_back(database: &Database, key: EncodedKey, subject: Subject) -> Result<$output> {
                $read_back(database, key, subject).await
            }
        }
    )*};
}

returning! {
    New: E, "ALL_NEW", Any, |answer| attributes(answer), <Self as ReadBack<E>>::read;
    // A second time, the old item would be the new one.
    Old: E, "ALL_OLD", NotApplied, |answer| attributes(answer), no_old;
    Nothing: (), "NONE", Any, |_answer| Ok(()), <Self as ReadBack<E>>::read;
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

pub(super) async fn update<E: Entity, R: UpdateReturning<E>>(
    database: &Database,
    key: &E::Key,
    changes: Vec<Change>,
    condition: Option<&Node>,
) -> Result<R::Output> {
    let table = database.table(E::INFO);
    let stamp = Stamp::now();
    if touches(E::INFO, &changes) {
        let encoded = encode_key::<E>(key).map_err(|error| error.in_table(&table))?;
        let subject = Subject::of(E::INFO).in_table(&table).with_key(&encoded).during("updating");
        if R::WANTED == <Old as UpdateReturning<E>>::WANTED {
            return Err(Error::invalid(subject, &ValueError::new(NO_OLD)));
        }
        let known = read_known(database, E::INFO, &encoded).await?;
        let write = |known: &Known| {
            let (table, changes) = (table.clone(), changes.clone());
            update_request::<E>(table, key, changes, condition, Some(known), &stamp, R::WANTED)
        };
        return match claiming(database, known, false, write).await? {
            Some(answer) => R::output(&answer).map_err(|error| Error::undecodable(subject, &error)),
            None => R::read_back(database, encoded, subject).await,
        };
    }
    let Write { subject, body, meaning, .. } =
        update_request::<E>(table, key, changes, condition, None, &stamp, R::WANTED)?;
    let answer = match send_update(database, &subject, body, R::REPEAT).await {
        Ok(answer) => answer,
        Err(failure) => return Err(meaning.error(failure, subject)),
    };
    R::output(&answer).map_err(|error| Error::undecodable(subject, &error))
}

/// The request that changes an item; in a transaction there is nothing `wanted` of it. Of changes that touch unique values it has
/// to be `known` what the item is.
pub(crate) fn update_request<E: Entity>(
    table: String,
    key: &E::Key,
    changes: Vec<Change>,
    condition: Option<&Node>,
    known: Option<&Known>,
    stamp: &Stamp,
    wanted: &'static str,
) -> Result<Write> {
    let kind = OperationKind::Updating;
    let encoded = encode_key::<E>(key).map_err(|error| error.in_table(&table))?;
    let subject = Subject::of(E::INFO).in_table(table).with_key(&encoded).during(kind.doing());
    let part = |field: usize| part_of_key::<E>(key, field);
    let changes = if changes.is_empty() {
        Err(ValueError::new("the update changes nothing: call `set`, `add` or another of its methods"))
    } else {
        complete(E::INFO, changes, &part, stamp)
    };
    let changes = changes.map_err(|error| Error::invalid(subject.clone(), &error))?;
    let existence = Existence::Present;
    let claims = match known {
        Some(known) => known
            .before
            .after(E::INFO, &changes)
            .and_then(|after| claims_of(E::INFO, &encoded, known, &after, false)),
        None => Ok(Vec::new()),
    };
    let claims = claims.map_err(|error| Error::invalid(subject.clone(), &error))?;
    let condition = match known {
        Some(known) => Some(Node::and_also(condition.cloned(), known.before.condition(E::INFO))),
        None => condition.cloned(),
    };
    let wanted = if claims.is_empty() { wanted } else { "" };
    let request = UpdateRequest {
        info: E::INFO,
        key: &encoded,
        changes: &changes,
        start: &|_| None,
        existence,
        condition: condition.as_ref(),
        wanted,
    };
    let body = request.body(&subject.table).map_err(|error| Error::invalid(subject.clone(), &error))?;
    let meaning = Meaning { existence: Some(existence), known: known.cloned(), ..Meaning::default() };
    // That the item exists is a condition too.
    let (operation, has_condition) = (Operation::UPDATE_ITEM, true);
    Ok(Write { kind, operation, key: encoded, body, has_condition, subject, meaning, claims })
}

pub(super) async fn send_update(
    database: &Database,
    subject: &Subject,
    body: Vec<u8>,
    repeat: Repeat,
) -> std::result::Result<Answer, Failure> {
    transport::send_write(database, Operation::UPDATE_ITEM, &subject.table, body, repeat).await
}

/// A condition that fails where there is no item has failed for that. An item that is deleted or has expired counts as none, unless
/// the write is for those, too.
pub(crate) fn explain(
    info: &'static EntityInfo,
    failure: Failure,
    subject: Subject,
    existence: Existence,
) -> Error {
    let visible = if existence == Existence::Present { Visibility::default() } else { Visibility::ALL };
    let is_own = |json: &str| -> std::result::Result<bool, ValueError> {
        let item = Item::next(&mut Scanner::new(json))?;
        Ok(is_of_type(&item, info)? && visible.sees(info, &item)?)
    };
    // What cannot be read is not said to be absent.
    let is_own = |json: &str| is_own(json).unwrap_or(true);
    let is_there = failure.item.as_ref().is_some_and(|item| is_own(item.json()));
    if failure.kind != FailureKind::ConditionFailed || is_there {
        return failure.into_error(subject);
    }
    let mut report = Report::new(subject, "", None);
    report.outcome_known = failure.outcome_known;
    Error::NotFound(report)
}

/// An `UpdateItem`.
pub(super) struct UpdateRequest<'r> {
    pub(super) info: &'static EntityInfo,
    pub(super) key: &'r EncodedKey,
    pub(super) changes: &'r [Change],
    pub(super) start: Start<'r>,
    pub(super) existence: Existence,
    pub(super) condition: Option<&'r Node>,
    pub(super) wanted: &'static str,
}

impl UpdateRequest<'_> {
    pub(super) fn body(self, table: &str) -> std::result::Result<Vec<u8>, ValueError> {
        let mut expression = Expression::default();
        expression.set_changes(self.changes, self.start)?;
        expression.set_condition(self.info, self.existence, self.condition)?;
        Ok(request_by_key(table, self.key, &expression, self.wanted))
    }
}

pub(super) fn request_by_key(
    table: &str,
    key: &EncodedKey,
    expression: &Expression,
    wanted: &str,
) -> Vec<u8> {
    let mut request = Request::for_table(table, key.json.len() + 512);
    request.json("Key", &key.json);
    expression.write(&mut request);
    if !wanted.is_empty() {
        request.text("ReturnValues", wanted);
    }
    if expression.has_condition() {
        request.text("ReturnValuesOnConditionCheckFailure", "ALL_OLD");
    }
    request.finish()
}
