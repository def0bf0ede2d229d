//! From an intent to the request: by itself, as an operation of a transaction, or for one item of a batch.

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

/// What is left of an intent beside the members of its request.
struct Assembled {
    has_condition: bool,
    meaning: Meaning,
    claims: Vec<Claim>,
}

impl Intent<'_> {
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

    /// The same, for an item of a batch. Its unique values were `guessed` if nobody has asked what the item
    /// is.
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
    /// What its failure means: what is known of the item by now, if the write may succeed when it is made for
    /// that.
    pub(crate) fn explain(&self, failure: Failure) -> Result<Known, Error> {
        self.meaning.explain(&self.claims, failure, &self.subject, None)
    }

    /// The same of a write that is not made again.
    pub(crate) fn error(&self, failure: Failure) -> Error {
        self.explain(failure).err().unwrap_or_else(|| unsettled(self.subject.clone()))
    }

    /// The same of a transaction that fails at one of its operations: itself, or one of the claims behind it.
    pub(crate) fn explain_at(&self, operation: usize, failure: Failure) -> Result<Known, Error> {
        self.meaning.explain_at(operation, &self.claims, failure, &self.subject, None)
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
    pub(super) members: Box<[u8]>,
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
