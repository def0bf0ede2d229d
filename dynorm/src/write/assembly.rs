//! Turns an intent into a request: a single write, an operation of a transaction, or one item of a batch.

use std::fmt;

use super::claims::{Claim, Known, claims_of, return_what_fails, unsettled};
use super::condition;
use super::intent::{Action, Intent, UniqueValues};
use super::meaning::Meaning;
use super::nulls::Nulls;
use crate::codec::{Encoder, Request, ValueError};
use crate::encoded::EncodedKey;
use crate::error::{Error, OperationKind, Result, Subject};
use crate::expression::Expression;
use crate::rules::{Existence, check_version};
use crate::transport::{Failure, Operation};

/// The parts of an intent that are not in the request.
struct Assembled {
    has_condition: bool,
    meaning: Meaning,
    claims: Vec<Claim>,
}

impl Intent<'_> {
    /// Makes the request of a single write.
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

    /// Makes the rule of an item of a batch. `guessed` is true if its unique values are assumed and were not
    /// read.
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

    /// Writes the members of the request other than the item or the key.
    fn assemble(
        self,
        owner: Option<&EncodedKey>,
        request: &mut Request,
    ) -> std::result::Result<Assembled, ValueError> {
        let info = self.info;
        let raises = self.action.raises_version(info);
        let version = self.version.map(|version| check_version(info, version, raises)).transpose()?;
        let mut expression = Expression::default();
        let mut under = Nulls::default();
        if let Action::Change { changes, start } = self.action {
            under = Nulls::under(info, changes, self.existence);
            let nulls = under.and(self.nulls);
            expression.set_changes(&nulls.start_over(info, changes, start), start)?;
        }
        if let Some(condition) = condition::of(&self, version, under)? {
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
        let meaning = Meaning {
            existence: self.existence,
            deletes: matches!(self.action, Action::Delete),
            version,
            raises,
            attempted,
            known,
            under,
            nulls: under.and(self.nulls),
        };
        Ok(Assembled { has_condition, meaning, claims })
    }
}

/// A write as it is sent, alone or in a transaction, with the meaning of its failure.
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
    /// The claims that are taken and released with it. If there are any, everything is one transaction.
    pub(crate) claims: Vec<Claim>,
}

impl Write {
    /// Returns what its failure means: the stored item, if the write may succeed when it is made anew for
    /// that item, or the error.
    pub(crate) fn explain(&self, failure: Failure) -> Result<Known, Error> {
        self.meaning.explain(&self.claims, failure, &self.subject, None)
    }

    /// Returns the error of a write that is not made anew.
    pub(crate) fn error(&self, failure: Failure) -> Error {
        self.explain(failure).err().unwrap_or_else(|| unsettled(self.subject.clone()))
    }

    /// Like [`explain`](Self::explain), for a transaction that fails at one of its operations: the write
    /// itself, or one of its claims.
    pub(crate) fn explain_at(&self, operation: usize, failure: Failure) -> Result<Known, Error> {
        self.meaning.explain_at(operation, &self.claims, failure, &self.subject, None)
    }

    /// Returns the number of its operations in a transaction: the write and its claims.
    pub(crate) fn operations(&self) -> usize {
        1 + self.claims.len()
    }

    /// Writes its operations in a transaction, each but the first after a comma.
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

/// The condition and the claims of an item of a batch, which is sent in a request of its own.
pub(crate) struct Rule {
    operation: Operation,
    name: &'static str,
    /// The members of its request other than the item or the key, each after a comma.
    pub(super) members: Box<[u8]>,
    meaning: Meaning,
    claims: Vec<Claim>,
    guessed: bool,
    /// The idempotency token of all attempts at a transaction.
    token: String,
}

impl Rule {
    /// True if it was made for an assumed state of the item that nobody has read.
    pub(crate) const fn is_guessed(&self) -> bool {
        self.guessed
    }

    /// True if it is sent as a transaction, whose refusal means that no earlier attempt was applied.
    pub(crate) const fn is_transaction(&self) -> bool {
        !self.claims.is_empty()
    }

    pub(crate) const fn operation(&self) -> Operation {
        if self.is_transaction() { Operation::TRANSACT_WRITE_ITEMS } else { self.operation }
    }

    /// Returns the number of claims that are written with it.
    pub(crate) const fn claims(&self) -> usize {
        self.claims.len()
    }

    /// Returns what its failure means; see [`Write::explain`].
    pub(crate) fn explain(
        &self,
        failure: Failure,
        subject: &Subject,
        attempted: &[u8],
    ) -> Result<Known, Error> {
        self.meaning.explain(&self.claims, failure, subject, Some(attempted))
    }

    /// Writes its request, from the item of a put, or from the key.
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
