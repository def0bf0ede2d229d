//! Sends one `UpdateItem`: its request, its answer, and the meaning of its failure.

use super::changes::complete;
use super::claiming::{claiming, read_known};
use super::returning::{NO_OLD, UpdateReturning};
use crate::codec::ValueError;
use crate::database::Database;
use crate::entity::{Entity, Stamp, encode_key, part_of_key};
use crate::error::{Doing, Error, OperationKind, Result, Subject};
use crate::expression::{Change, Node};
use crate::rules::Existence;
use crate::transport::{self, Answer, Repeat};
use crate::unique::touches;
use crate::write::{Action, Intent, Known, ReturnValues, UniqueValues, Write};

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
        let subject = Subject::of(E::INFO).in_table(&table).with_key(&encoded).during(Doing::Updating);
        if R::WANTED == ReturnValues::Old {
            return Err(Error::invalid(subject, &ValueError::new(NO_OLD)));
        }
        let known = read_known(database, E::INFO, &encoded).await?;
        let write = |known: &Known| {
            let (table, changes) = (table.clone(), changes.clone());
            update_request::<E>(table, key, changes, condition, Some(known), &stamp, Some(R::WANTED))
        };
        return match claiming(database, known, false, write).await? {
            Some(answer) => R::output(&answer).map_err(|error| Error::undecodable(subject, &error)),
            None => R::read_back(database, encoded, subject).await,
        };
    }
    let write = update_request::<E>(table, key, changes, condition, None, &stamp, Some(R::WANTED))?;
    let subject = write.subject.clone();
    let answer = send_update(database, write, R::REPEAT).await?;
    R::output(&answer).map_err(|error| Error::undecodable(subject, &error))
}

/// Makes the request of an update. `wanted` says what to return, which is nothing in a transaction. If the
/// changes touch unique values, `known` is the state of the item.
pub(crate) fn update_request<E: Entity>(
    table: String,
    key: &E::Key,
    changes: Vec<Change>,
    condition: Option<&Node>,
    known: Option<&Known>,
    stamp: &Stamp,
    returning: Option<ReturnValues>,
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
    let uniques = match known {
        Some(known) => {
            let after = known.before.after(E::INFO, &changes);
            let after = after.map_err(|error| Error::invalid(subject.clone(), &error))?;
            Some(UniqueValues { known: known.clone(), after, renew: false })
        }
        None => None,
    };
    let action = Action::Change { changes: &changes, start: &|_| None };
    let intent = Intent::new(E::INFO, action);
    Intent { existence: Existence::Present, uniques, condition, returning, ..intent }
        .write(kind, encoded, subject)
}

/// Sends the update of one item.
pub(super) async fn send_update(database: &Database, mut write: Write, repeat: Repeat) -> Result<Answer> {
    let body = std::mem::take(&mut write.body);
    let sent = transport::send_write(database, write.operation, &write.subject.table, body, repeat);
    sent.await.map_err(|failure| write.error(failure))
}
