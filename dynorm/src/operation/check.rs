use std::fmt;

use super::write::{Meaning, OperationKind, Write};
use crate::codec::Request;
use crate::entity::{EncodedKey, Entity, EntityInfo};
use crate::error::{Error, Result, Subject};
use crate::expression::{Condition, Expression, Node};
use crate::rules::Existence;
use crate::transport::Operation;

/// A condition on an item that a [transaction](crate::transaction()) does not change. Made by
/// [`Repository::check`](crate::Repository::check).
///
/// It is no operation by itself: give it to [`Transaction::check`](crate::Transaction::check).
#[must_use = "a check does nothing until a transaction makes it: `dynorm::transaction().check(…)`"]
pub struct Check<E: Entity> {
    pub(crate) key: E::Key,
    pub(crate) condition: Node,
}

impl<E: Entity> Check<E> {
    pub(crate) fn new(key: E::Key, condition: Condition<E>) -> Self {
        Self { key, condition: condition.node }
    }
}

impl<E: Entity> fmt::Debug for Check<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check").field("entity", &E::INFO.name).finish_non_exhaustive()
    }
}

/// The part of a transaction that asks for a condition.
pub(crate) fn check_request(
    table: String,
    info: &'static EntityInfo,
    key: EncodedKey,
    condition: &Node,
) -> Result<Write> {
    let kind = OperationKind::Checking;
    let subject = Subject::of(info).in_table(table).with_key(&key).during(kind.doing());
    let mut expression = Expression::default();
    expression
        .set_condition(info, Existence::Any, Some(condition))
        .map_err(|error| Error::invalid(subject.clone(), &error))?;
    let mut request = Request::for_table(&subject.table, key.json.len() + 256);
    request.json("Key", &key.json);
    expression.write(&mut request);
    request.text("ReturnValuesOnConditionCheckFailure", "ALL_OLD");
    // There is no such operation outside of transactions.
    let operation = Operation::TRANSACT_WRITE_ITEMS;
    Ok(Write {
        kind,
        operation,
        key,
        body: request.finish(),
        has_condition: true,
        subject,
        claims: Vec::new(),
        meaning: Meaning::default(),
    })
}
