//! The one assembly of writes: what must hold for a write, and what it means when it does not, each decided once.
//!
//! ```text
//! operation/, batch/, transaction/      encode the entity or the key, and say what is wanted: an `Intent`
//!        │ Intent
//!        ▼
//! condition.rs                          existence, version, unique values, the caller's own: one condition
//! claims.rs                             the claims on unique values that change with the item
//!        │ Write: a request by itself, or an operation of a transaction
//!        │ Rule: the same for one item of a batch, beside its bytes
//!        ▼
//! transport                             sends it
//!        │ Failure
//!        ▼
//! meaning.rs                            what the item that was found says of it: an `Error`
//! ```
//!
//! To add a rule, also add its attribute to `EntityInfo`, its condition to `condition.rs`, what its failure means to
//! `meaning.rs`, and the rule to the combinations of `tests.rs`.

mod claims;
mod condition;
mod meaning;
#[cfg(test)]
mod tests;

use std::fmt;

pub(crate) use claims::{Claim, Known, claim_keys, claims_of, owner_of, unsettled};
pub(crate) use meaning::Meaning;

use crate::codec::{Encoder, Request, ValueError};
use crate::encoded::EncodedKey;
use crate::entity::EntityInfo;
use crate::error::{Error, OperationKind, Result, Subject};
use crate::expression::{Change, Expression, Node, Start};
use crate::rules::{Existence, check_version};
use crate::transport::{Failure, Operation};
use crate::unique::Claimed;

/// What a write is to do, and what it needs to find.
pub(crate) struct Intent<'w> {
    pub(crate) info: &'static EntityInfo,
    pub(crate) action: Action<'w>,
    pub(crate) existence: Existence,
    /// The version that it is based on, as the entity says it; 0 for none.
    pub(crate) version: Option<i128>,
    pub(crate) uniques: Option<UniqueValues>,
    /// What the caller asks for.
    pub(crate) condition: Option<&'w Node>,
    /// What is to come back. Puts give nothing, and transactions neither.
    pub(crate) returning: Option<ReturnValues>,
    /// The item as it was to be, for the error of a version that does not match.
    pub(crate) attempted: Option<&'w [u8]>,
}

/// What is done to the item.
#[derive(Clone, Copy)]
pub(crate) enum Action<'w> {
    /// Puts it whole: its JSON.
    Put(&'w [u8]),
    /// Changes some of its attributes; soft deletes and restores are this too.
    Change {
        changes: &'w [Change],
        start: Start<'w>,
    },
    Delete,
    /// Leaves it as it is: a part of a transaction.
    Check,
}

/// The unique values of an item: what they are taken to be, and what they will be.
pub(crate) struct UniqueValues {
    pub(crate) known: Known,
    pub(crate) after: Claimed,
    /// The claims may have been lost meanwhile, so all are made again.
    pub(crate) renew: bool,
}

/// What of the item comes back with the answer of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReturnValues {
    Nothing,
    Old,
    New,
}

impl ReturnValues {
    const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "NONE",
            Self::Old => "ALL_OLD",
            Self::New => "ALL_NEW",
        }
    }
}

impl Action<'_> {
    /// True if it leaves a version that is one higher.
    fn raises_version(&self, info: &'static EntityInfo) -> bool {
        match self {
            Self::Change { changes, .. } => condition::raised_version(info, changes),
            Self::Put(_) | Self::Delete | Self::Check => false,
        }
    }

    const fn operation(&self) -> Operation {
        match self {
            Self::Put(_) => Operation::PUT_ITEM,
            Self::Change { .. } => Operation::UPDATE_ITEM,
            Self::Delete => Operation::DELETE_ITEM,
            // There is no such operation outside of transactions.
            Self::Check => Operation::TRANSACT_WRITE_ITEMS,
        }
    }

    /// Its name in a transaction.
    const fn name(&self) -> &'static str {
        match self {
            Self::Put(_) => "Put",
            Self::Change { .. } => "Update",
            Self::Delete => "Delete",
            Self::Check => "ConditionCheck",
        }
    }
}

/// What is left of an intent beside the members of its request.
struct Assembled {
    has_condition: bool,
    meaning: Meaning,
    claims: Vec<Claim>,
}

impl<'w> Intent<'w> {
    /// It needs nothing, until that is said.
    pub(crate) fn new(info: &'static EntityInfo, action: Action<'w>) -> Self {
        Self {
            info,
            action,
            existence: Existence::Any,
            version: None,
            uniques: None,
            condition: None,
            returning: None,
            attempted: None,
        }
    }

    /// The request by itself.
    pub(crate) fn write(self, kind: OperationKind, key: EncodedKey, subject: Subject) -> Result<Write> {
        let mut request;
        if let Action::Put(item) = self.action {
            request = Request::for_table(&subject.table, item.len());
            request.json("Item", item);
        } else {
            request = Request::for_table(&subject.table, key.json.len() + 512);
            request.json("Key", &key.json);
        }
        let (operation, name) = (self.action.operation(), self.action.name());
        let Assembled { has_condition, meaning, claims } = self
            .assemble(Some(&key), &mut request)
            .map_err(|error| Error::invalid(subject.clone(), &error))?;
        let body = request.finish();
        Ok(Write { kind, operation, name, subject, key, body, has_condition, meaning, claims })
    }

    /// The same, for an item of a batch. Its unique values were `guessed` if nobody has asked what the item is.
    pub(crate) fn rule(
        self,
        owner: Option<&EncodedKey>,
        guessed: bool,
    ) -> std::result::Result<Rule, ValueError> {
        let mut request = Request::new(128);
        let (operation, name) = (self.action.operation(), self.action.name());
        let Assembled { meaning, claims, .. } = self.assemble(owner, &mut request)?;
        let token = if claims.is_empty() { String::new() } else { ulid::Ulid::generate().to_string() };
        Ok(Rule { operation, name, members: request.into_members().into(), meaning, claims, guessed, token })
    }

    /// Writes what stands beside the item or the key in the request.
    fn assemble(
        self,
        owner: Option<&EncodedKey>,
        request: &mut Request,
    ) -> std::result::Result<Assembled, ValueError> {
        let info = self.info;
        let raises = self.action.raises_version(info);
        let version = self.version.map(|version| check_version(info, version, raises)).transpose()?;
        let mut expression = Expression::default();
        if let Action::Change { changes, start } = self.action {
            expression.set_changes(changes, start)?;
        }
        if let Some(condition) = condition::of(&self, version)? {
            expression.set_condition(&condition)?;
        }
        expression.write(request);
        let claims = match (&self.uniques, owner) {
            (Some(UniqueValues { known, after, renew }), Some(owner)) => {
                claims_of(info, owner, known, after, *renew)?
            }
            _ => Vec::new(),
        };
        if let Some(returning) = self.returning.filter(|_| claims.is_empty()) {
            request.text("ReturnValues", returning.name());
        }
        let has_condition = expression.has_condition();
        if has_condition {
            return_what_fails(request);
        }
        let known = self.uniques.filter(|_| self.existence != Existence::Absent).map(|uniques| uniques.known);
        let attempted = self.attempted.filter(|_| version.is_some()).map(<[u8]>::to_vec);
        let meaning = Meaning { existence: self.existence, version, raises, attempted, known };
        Ok(Assembled { has_condition, meaning, claims })
    }
}

/// Whoever is refused is told what the item is.
fn return_what_fails(request: &mut Request) {
    request.text("ReturnValuesOnConditionCheckFailure", "ALL_OLD");
}

/// A write as it is sent, by itself or in a transaction, and what its failure means.
#[derive(Debug)]
pub(crate) struct Write {
    pub(crate) kind: OperationKind,
    pub(crate) operation: Operation,
    name: &'static str,
    pub(crate) subject: Subject,
    pub(crate) key: EncodedKey,
    pub(crate) body: Vec<u8>,
    pub(crate) has_condition: bool,
    meaning: Meaning,
    /// What is claimed and released with it; if it is anything, all of it is one transaction.
    pub(crate) claims: Vec<Claim>,
}

impl Write {
    /// What its failure means: what is known of the item by now, if the write may succeed when it is made for that.
    pub(crate) fn explain(&self, failure: Failure) -> Result<Known, Error> {
        self.meaning.explain(&self.claims, failure, &self.subject, None)
    }

    /// The same of a write that is not made again.
    pub(crate) fn error(&self, failure: Failure) -> Error {
        self.explain(failure).err().unwrap_or_else(|| unsettled(self.subject.clone()))
    }

    /// The error of a transaction that fails at one of its operations: itself, or one of the claims behind it.
    pub(crate) fn error_at(&self, operation: usize, failure: Failure) -> Error {
        match operation.checked_sub(1).and_then(|claim| self.claims.get(claim)) {
            Some(claim) => claim.error(failure, self.subject.clone()),
            None => self.meaning.error(failure, self.subject.clone(), None),
        }
    }

    /// The number of its operations in a transaction: itself, and its claims.
    pub(crate) fn operations(&self) -> usize {
        1 + self.claims.len()
    }

    /// Its operations in a transaction, each behind a comma but the first.
    pub(crate) fn write_operations(&self, encoder: &mut Encoder) {
        write_operations(self.name, &self.body, &self.claims, &self.subject.table, encoder);
    }
}

fn write_operations(name: &str, body: &[u8], claims: &[Claim], table: &str, encoder: &mut Encoder) {
    fn write(name: &str, body: &[u8], encoder: &mut Encoder) {
        encoder.push(b'{');
        encoder.json_string(name);
        encoder.push(b':');
        encoder.raw(body);
        encoder.push(b'}');
    }
    write(name, body, encoder);
    for claim in claims {
        encoder.push(b',');
        write(claim.name(), &claim.body(table), encoder);
    }
}

/// What an item of a batch needs to find and what is claimed with it, beside its bytes. It is sent by itself.
pub(crate) struct Rule {
    operation: Operation,
    name: &'static str,
    /// The members of its request beside the item or the key, each behind a comma.
    members: Box<[u8]>,
    meaning: Meaning,
    claims: Vec<Claim>,
    guessed: bool,
    /// Makes all attempts at a transaction one.
    token: String,
}

impl Rule {
    /// True if it was made for what the item was taken for, and nobody has asked.
    pub(crate) const fn is_guessed(&self) -> bool {
        self.guessed
    }

    /// True if it is sent as a transaction, so that a refusal says that no earlier attempt was carried out.
    pub(crate) const fn is_transaction(&self) -> bool {
        !self.claims.is_empty()
    }

    pub(crate) const fn operation(&self) -> Operation {
        if self.is_transaction() { Operation::TRANSACT_WRITE_ITEMS } else { self.operation }
    }

    /// How many items beside its own are written with it.
    pub(crate) const fn claims(&self) -> usize {
        self.claims.len()
    }

    /// What its failure means; see [`Write::explain`].
    pub(crate) fn explain(
        &self,
        failure: Failure,
        subject: &Subject,
        attempted: &[u8],
    ) -> Result<Known, Error> {
        self.meaning.explain(&self.claims, failure, subject, Some(attempted))
    }

    /// Writes its request: of the item of a put, or of the key.
    pub(crate) fn write(&self, request: &mut Request, table: &str, json: &[u8]) {
        let write_single = |request: &mut Request| {
            request.text("TableName", table);
            request.json(if self.operation == Operation::PUT_ITEM { "Item" } else { "Key" }, json);
            request.members(&self.members);
        };
        if !self.is_transaction() {
            return write_single(request);
        }
        let mut single = Request::new(json.len() + 512);
        write_single(&mut single);
        let body = single.finish();
        request.array("TransactItems", &mut std::iter::once(()), |(), encoder: &mut Encoder| {
            write_operations(self.name, &body, &self.claims, table, encoder);
        });
        request.text("ClientRequestToken", &self.token);
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule").field("operation", &self.operation).finish_non_exhaustive()
    }
}
