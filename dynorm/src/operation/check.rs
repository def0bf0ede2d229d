use std::fmt;

use crate::entity::{EncodedKey, Entity, EntityInfo};
use crate::error::{OperationKind, Result, Subject};
use crate::expression::{Condition, Node};
use crate::write::{Action, Intent, Write};

/// A condition on an item that a [transaction](crate::transaction()) does not change. Made by
/// [`Repository::check`](crate::Repository::check).
///
/// It is no operation by itself: give it to [`Transaction::check`](crate::transaction::Transaction::check).
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
    Intent { condition: Some(condition), ..Intent::new(info, Action::Check) }.write(kind, key, subject)
}
