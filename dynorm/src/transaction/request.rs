//! Encodes the operations of a transaction, and maps its failure back to the operations. Nothing here is
//! generic.

use super::part::Part;
use crate::codec::{Scanner, ValueError, item_size};
use crate::database::Database;
use crate::entity::Stamp;
use crate::error::{Doing, Error, FailedOperation, Result, Subject, TransactionReport};
use crate::transport::{Failure, Operation};
use crate::write::{Known, Write, operations_of, send_writes, transaction_body, unsettled};

/// The maximum number of operations in one transaction, and of items that one transaction reads.
pub const MAX_TRANSACTION_OPERATIONS: usize = 100;

/// The maximum size of all items together, in bytes.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
const MAX_BYTES: usize = 4 * 1024 * 1024;
const MAX_TOKEN: usize = 36;

/// A transaction as every attempt sends it.
pub(super) struct TransactionRequest {
    writes: Vec<Write>,
    subject: Subject,
    body: Vec<u8>,
}

/// The maximum number of attempts when the stored items differ from what the operations were made for.
const ATTEMPTS: u32 = 10;

/// Sends the operations, and again for the stored items if those differ.
pub(super) async fn carry_out(
    parts: &mut [Box<dyn Part + '_>],
    database: &Database,
    stamp: &Stamp,
    token: Option<String>,
) -> Result<()> {
    let mut request = prepare(parts, database, stamp, token.clone())?;
    for _ in 1..ATTEMPTS {
        let found = match request.send(database).await? {
            Sent::Done => return Ok(()),
            Sent::Found(found) => found,
        };
        let TransactionRequest { mut writes, subject, .. } = request;
        let mut failures = Vec::new();
        for (index, known) in found {
            let (Some(part), Some(write)) = (parts.get_mut(index), writes.get_mut(index)) else { continue };
            match part.again(&known, std::mem::take(&mut write.subject.table), stamp) {
                Ok(again) => *write = again,
                Err(reason) => failures.push(FailedOperation::new(index, part.kind(), reason)),
            }
        }
        if !failures.is_empty() {
            return Err(TransactionReport { subject, failures, sent: true, outcome_known: true }.into());
        }
        request = TransactionRequest::of(writes, subject, token.clone())?;
    }
    match request.send(database).await? {
        Sent::Done => Ok(()),
        Sent::Found(found) => Err(request.unsettled(&found, true)),
    }
}

/// The result of a transaction.
enum Sent {
    Done,
    /// These operations were made for other items than the stored ones, and nothing else failed.
    Found(Vec<(usize, Known)>),
}

/// Encodes the operations, or returns why they cannot be sent.
fn prepare(
    parts: &mut [Box<dyn Part + '_>],
    database: &Database,
    stamp: &Stamp,
    token: Option<String>,
) -> Result<TransactionRequest> {
    let tables: Vec<String> = parts.iter().map(|part| database.table(part.info())).collect();
    let subject = Subject::transaction(parts.len(), &tables).during(Doing::Writing);
    let refused = |why: String| Error::invalid(subject.clone(), &ValueError::new(why));
    checked_token(token.clone()).map_err(&refused)?;
    if parts.is_empty() {
        return Err(refused(
            "it is empty: add `save`, `create`, `update`, `delete` or `check` before it is awaited"
                .to_owned(),
        ));
    }
    if let Some(first) = parts.get(MAX_TRANSACTION_OPERATIONS) {
        return Err(refused(format!(
            "DynamoDB takes {MAX_TRANSACTION_OPERATIONS} at most; the first beyond is {} ({} of `{}`), so make it several transactions, or a batch",
            MAX_TRANSACTION_OPERATIONS + 1,
            first.kind(),
            first.info().name
        )));
    }
    let (mut writes, mut failures) = (Vec::with_capacity(parts.len()), Vec::new());
    for ((index, part), table) in parts.iter_mut().enumerate().zip(tables) {
        match part.write(table, stamp).and_then(sendable) {
            Ok(write) => writes.push(write),
            Err(reason) => failures.push(FailedOperation::new(index, part.kind(), reason)),
        }
    }
    if !failures.is_empty() {
        return Err(TransactionReport { subject, failures, sent: false, outcome_known: true }.into());
    }
    TransactionRequest::of(writes, subject, token)
}

/// Returns the token of the caller, or a random one.
fn checked_token(token: Option<String>) -> std::result::Result<String, String> {
    let Some(token) = token else { return Ok(ulid::Ulid::generate().to_string()) };
    match token.chars().count() {
        1..=MAX_TOKEN => Ok(token),
        0 => Err("its idempotency key is empty: leave it out to have a fresh one".to_owned()),
        length => Err(format!(
            "its idempotency key has {length} characters, and DynamoDB takes {MAX_TOKEN}: a ULID, a UUID or a hash fits"
        )),
    }
}

/// Refuses an update without changes, which DynamoDB does not accept in a transaction.
fn sendable(write: Write) -> Result<Write> {
    let is_update = write.operation == Operation::UPDATE_ITEM;
    if is_update && memchr::memmem::find(&write.body, b"\"UpdateExpression\":").is_none() {
        let why = "there is nothing to merge beside the key, and a transaction takes no update without a change: save it without `merge()`";
        return Err(Error::invalid(write.subject, &ValueError::new(why)));
    }
    Ok(write)
}

/// Refuses two operations on one item.
fn check_items(writes: &[Write]) -> std::result::Result<(), String> {
    let mut seen = std::collections::HashMap::with_capacity(writes.len());
    for (index, write) in writes.iter().enumerate() {
        let canonical = write.subject.info.map(|info| write.key.canonical(info)).transpose();
        let canonical = canonical.map_err(|error| error.to_string())?;
        if let Some(other) = seen.insert((write.subject.table.as_str(), canonical), index) {
            let named = |index: usize| match writes.get(index) {
                Some(write) => format!("{} ({} of {})", index + 1, write.kind, write.subject),
                None => String::new(),
            };
            return Err(format!(
                "{} and {} are at one item, and DynamoDB takes one operation for each: make them one, such as an update with `.when(…)` in the place of a check and an update",
                named(other),
                named(index)
            ));
        }
    }
    Ok(())
}

/// Refuses two operations on one unique value.
fn check_claims(writes: &[Write]) -> std::result::Result<(), String> {
    let mut seen = std::collections::HashMap::new();
    for (index, write) in writes.iter().enumerate() {
        for claim in &write.claims {
            if let Some(other) = seen.insert((&write.subject.table, &claim.key.json), index) {
                return Err(format!(
                    "{} and {} are about one value of the unique field `{}`, and DynamoDB takes one operation for each: make them one after another",
                    other + 1,
                    index + 1,
                    claim.field()
                ));
            }
        }
    }
    Ok(())
}

/// Refuses transactions that are too large, as far as that is known: puts count with the whole item, other
/// operations with their keys and the values in their expressions. The size of an updated item is known only
/// to the server.
fn check_size(writes: &[Write], on_the_wire: usize) -> std::result::Result<(), String> {
    // JSON is never shorter than the data that it encodes.
    if on_the_wire <= MAX_BYTES {
        return Ok(());
    }
    let (mut total, mut largest) = (0, None);
    for (index, write) in writes.iter().enumerate() {
        let size = size(write).map_err(|error| error.to_string())?;
        total += size;
        if largest.is_none_or(|(most, _, _)| most < size) {
            largest = Some((size, index, write));
        }
    }
    let largest = largest.map(|(size, index, write)| {
        format!("; the largest is {} ({} of {}) with {size} bytes", index + 1, write.kind, write.subject)
    });
    let largest = largest.unwrap_or_default();
    if total > MAX_BYTES {
        return Err(format!(
            "its items have {total} bytes, and DynamoDB takes {MAX_BYTES} (4 MB){largest}; make it several transactions"
        ));
    }
    if on_the_wire > MAX_REQUEST_BYTES {
        return Err(format!(
            "it has {on_the_wire} bytes as JSON, and DynamoDB takes {MAX_REQUEST_BYTES} (16 MB){largest}; make it several transactions"
        ));
    }
    Ok(())
}

/// The maximum size of a request, in bytes.
const MAX_REQUEST_BYTES: usize = 16 * 1024 * 1024;

fn size(write: &Write) -> std::result::Result<usize, ValueError> {
    let text = std::str::from_utf8(&write.body).map_err(|_| ValueError::new("not UTF-8"))?;
    let mut size = 0;
    Scanner::new(text).object(|member, scanner| {
        let json = scanner.skip()?;
        if matches!(member.text, "Item" | "Key" | "ExpressionAttributeValues") {
            size += item_size(json.as_bytes())?;
        }
        Ok(())
    })?;
    Ok(size)
}

impl TransactionRequest {
    fn of(writes: Vec<Write>, subject: Subject, token: Option<String>) -> Result<Self> {
        let refused = |why: String| Error::invalid(subject.clone(), &ValueError::new(why));
        let token = checked_token(token).map_err(&refused)?;
        let operations = operations_of(&writes);
        if operations > MAX_TRANSACTION_OPERATIONS {
            return Err(refused(format!(
                "with the claims of its unique values it has {operations} operations, and DynamoDB takes {MAX_TRANSACTION_OPERATIONS} at most: make it several transactions, or a batch"
            )));
        }
        check_items(&writes).map_err(&refused)?;
        check_claims(&writes).map_err(&refused)?;
        let body = transaction_body(&writes, &token);
        check_size(&writes, body.len()).map_err(&refused)?;
        Ok(Self { writes, subject, body })
    }

    /// Sends it. An error lists its failed operations.
    async fn send(&mut self, database: &Database) -> Result<Sent> {
        let Err(mut failure) = send_writes(database, &self.writes, std::mem::take(&mut self.body)).await
        else {
            return Ok(Sent::Done);
        };
        let outcome_known = failure.outcome_known;
        let reasons = std::mem::take(&mut failure.reasons);
        let (mut found, mut failures) = (Vec::new(), Vec::new());
        let mut reasons = reasons.into_iter();
        for (index, write) in self.writes.iter().enumerate() {
            // The first reason for each: a failure of the item also affects its claims.
            let own = reasons.by_ref().take(write.operations()).enumerate();
            let Some((operation, reason)) =
                own.collect::<Vec<_>>().into_iter().find(|(_, own)| !own.is_none())
            else {
                continue;
            };
            match write.explain_at(operation, reason.into_failure(outcome_known)) {
                Ok(known) => found.push((index, known)),
                Err(reason) => failures.push(FailedOperation::new(index, write.kind, reason)),
            }
        }
        match (failures.is_empty(), found.is_empty()) {
            (true, true) => Err(failure.into_error(self.subject.clone())),
            (true, false) if outcome_known => Ok(Sent::Found(found)),
            (true, false) => Err(self.unsettled(&found, false)),
            (false, _) => {
                let subject = self.subject.clone();
                Err(TransactionReport { subject, failures, sent: true, outcome_known }.into())
            }
        }
    }

    /// Returns the error of a transaction whose items keep changing.
    fn unsettled(&self, found: &[(usize, Known)], outcome_known: bool) -> Error {
        let failures = found.iter().filter_map(|(index, _)| {
            let write = self.writes.get(*index)?;
            Some(FailedOperation::new(*index, write.kind, unsettled(write.subject.clone())))
        });
        let (subject, failures) = (self.subject.clone(), failures.collect());
        TransactionReport { subject, failures, sent: true, outcome_known }.into()
    }
}

/// Maps the failure of a transaction to its operations, as far as DynamoDB does: in their order, each with
/// its position in the calls. `operation` makes the error of the operation at a position of the request.
pub(super) fn explained(
    mut failure: Failure,
    subject: Subject,
    operation: &dyn Fn(usize, Failure) -> Option<FailedOperation>,
) -> Error {
    let (reasons, outcome_known) = (std::mem::take(&mut failure.reasons), failure.outcome_known);
    let reasons = reasons.into_iter().enumerate().filter(|(_, reason)| !reason.is_none());
    let failures: Vec<FailedOperation> = reasons
        .filter_map(|(position, reason)| operation(position, reason.into_failure(outcome_known)))
        .collect();
    if failures.is_empty() {
        return failure.into_error(subject);
    }
    TransactionReport { subject, failures, sent: true, outcome_known }.into()
}
