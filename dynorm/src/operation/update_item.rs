//! Sends one `UpdateItem`: its request, its answer, and the meaning of its failure.

use super::changes::complete;
use super::claiming::{Sending, claiming, read_known};
use super::returning::{NO_OLD, UpdateReturning};
use crate::codec::ValueError;
use crate::database::Database;
use crate::entity::{Entity, Stamp, encode_key, part_of_key};
use crate::error::{Doing, Error, OperationKind, Result, Subject};
use crate::expression::{Change, Node};
use crate::rules::Existence;
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
    let encoded = encode_key::<E>(key).map_err(|error| error.in_table(&table))?;
    let subject = Subject::of(E::INFO).in_table(&table).with_key(&encoded).during(Doing::Updating);
    let known = if touches(E::INFO, &changes) {
        if R::WANTED == ReturnValues::Old {
            return Err(Error::invalid(subject, &ValueError::new(NO_OLD)));
        }
        read_known(database, E::INFO, &encoded).await?
    } else {
        Known::nothing()
    };
    let write = |known: &Known| {
        let (table, changes) = (table.clone(), changes.clone());
        update_request::<E>(table, key, changes, condition, Some(known), &stamp, Some(R::WANTED))
    };
    match claiming(database, known, Sending::Alone(R::REPEAT), write).await? {
        Some(answer) => R::output(&answer).map_err(|error| Error::undecodable(subject, &error)),
        None => R::read_back(database, encoded, subject).await,
    }
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
        Some(known) if touches(E::INFO, &changes) => {
            let after = known.before.after(E::INFO, &changes);
            let after = after.map_err(|error| Error::invalid(subject.clone(), &error))?;
            Some(UniqueValues { known: known.clone(), after, renew: false })
        }
        _ => None,
    };
    let action = Action::Change { changes: &changes, start: &|_| None };
    let intent = Intent::new(E::INFO, action);
    let nulls = known.map(|known| known.nulls).unwrap_or_default();
    Intent { existence: Existence::Present, uniques, nulls, condition, returning, ..intent }
        .write(kind, encoded, subject)
}
