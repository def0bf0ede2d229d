//! One item or key of a batch, as it travels, with what it needs to find and what is claimed with it.

use std::hash::{BuildHasher, Hasher};
use std::sync::LazyLock;

use bytes::Bytes;

use crate::codec::{Encoder, Request};
use crate::encoded::{KeyRanges, KeyTexts};
use crate::entity::EntityInfo;
use crate::error::{Error, Result, Subject};
use crate::expression::Expression;
use crate::operation::explain;
use crate::rules::Existence;
use crate::transport::{Failure, Operation};
use crate::unique::{self, Claim, Known};

/// One item or key, encoded.
pub(super) struct Body {
    pub(super) kind: Kind,
    /// The item of a put, the key of a delete or a get.
    pub(super) json: Bytes,
    /// The position of its table.
    table: usize,
    texts: KeyTexts,
    /// Of its table and its key.
    pub(super) hash: u64,
    rule: Option<Box<Rule>>,
    claiming: Option<Box<Claiming>>,
}

/// What is claimed and released with an item, in one transaction if it is anything.
struct Claiming {
    /// What the item has to be.
    known: Option<Known>,
    claims: Vec<Claim>,
    /// Nobody has asked yet what the item is.
    guessed: bool,
    /// Makes all attempts one.
    token: String,
}

/// What a write needs to find, and what it changes.
struct Rule {
    /// The members of its request beside the item or the key, each behind a comma.
    members: Box<[u8]>,
    /// The version that it was based on.
    version: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Put,
    Delete,
    /// A delete that marks the item.
    Mark,
    /// Its reverse.
    Restore,
    Create,
    Get,
}

impl Kind {
    pub(super) const fn doing(self) -> &'static str {
        match self {
            Self::Put => "saving",
            Self::Delete | Self::Mark => "deleting",
            Self::Restore => "restoring",
            Self::Create => "creating",
            Self::Get => "reading",
        }
    }
}

impl Body {
    /// What is done with an item or a key, given where in it the values of the table's keys lie.
    pub(super) fn new(
        kind: Kind,
        table: usize,
        info: &'static EntityInfo,
        json: Bytes,
        keys: &KeyRanges,
    ) -> Result<Self> {
        let texts = KeyTexts::find(info, &json, keys);
        let texts = texts.map_err(|error| Error::invalid(Subject::of(info), &error))?;
        let hash = hash_of_key(table, texts.of(&json));
        Ok(Self { kind, json, table, texts, hash, rule: None, claiming: None })
    }

    /// True if it is of the item with this key.
    pub(super) fn is_of(&self, table: usize, texts: [&[u8]; 2]) -> bool {
        self.table == table && self.texts.of(&self.json) == texts
    }

    /// True if both are of one item, in DynamoDB's sense of equal keys.
    pub(super) fn is_of_key(&self, other: &Self) -> bool {
        self.hash == other.hash && other.is_of(self.table, self.texts.of(&self.json))
    }

    /// With what it needs to find, and what it changes.
    pub(super) fn ruled(self, expression: &Expression, version: Option<u64>) -> Self {
        let mut request = Request::new(128);
        expression.write(&mut request);
        if expression.has_condition() {
            request.text("ReturnValuesOnConditionCheckFailure", "ALL_OLD");
        }
        Self { rule: Some(Box::new(Rule { members: request.into_members().into(), version })), ..self }
    }

    /// With what is claimed and released with it. Nothing is `known` of an item that may be as it likes.
    pub(super) fn claiming(self, known: Option<Known>, claims: Vec<Claim>, guessed: bool) -> Self {
        let token = ulid::Ulid::generate().to_string();
        Self { claiming: Some(Box::new(Claiming { known, claims, guessed, token })), ..self }
    }

    /// True if it was made for what the item was taken for, and nobody has asked.
    pub(super) fn is_guessed(&self) -> bool {
        self.claiming.as_ref().is_some_and(|claiming| claiming.guessed)
    }

    /// True if a refusal says that no earlier attempt was carried out.
    pub(super) fn is_transaction(&self) -> bool {
        self.claiming.as_ref().is_some_and(|claiming| !claiming.claims.is_empty())
    }

    /// The operation that carries it out by itself.
    pub(super) fn operation(&self) -> Operation {
        match self.kind {
            _ if self.is_transaction() => Operation::TRANSACT_WRITE_ITEMS,
            Kind::Put | Kind::Create | Kind::Get => Operation::PUT_ITEM,
            Kind::Delete => Operation::DELETE_ITEM,
            Kind::Mark | Kind::Restore => Operation::UPDATE_ITEM,
        }
    }

    /// What a failed request for it alone means: what is known of the item by now, if another body may succeed.
    pub(super) fn explain(
        &self,
        info: &'static EntityInfo,
        failure: Failure,
        subject: &Subject,
    ) -> std::result::Result<Known, Error> {
        let (known, claims) = match &self.claiming {
            Some(claiming) => (claiming.known.as_ref(), claiming.claims.as_slice()),
            None => (None, [].as_slice()),
        };
        unique::explain(known, claims, failure, subject, |failure, subject| {
            self.error(info, failure, subject)
        })
    }

    fn error(&self, info: &'static EntityInfo, failure: Failure, subject: Subject) -> Error {
        if matches!(self.kind, Kind::Mark | Kind::Restore) {
            return explain(info, failure, subject, Existence::Stored);
        }
        let version = self.rule.as_ref().and_then(|rule| rule.version);
        let attempted = (self.kind == Kind::Put).then_some(&*self.json);
        failure.into_error(subject).or_version_conflict(info, version, attempted)
    }

    pub(super) fn len(&self) -> usize {
        self.json.len()
    }

    /// The capacity units that its write is reckoned to take.
    pub(super) fn units(&self) -> f64 {
        let units = self.len().div_ceil(1024).max(1);
        match &self.claiming {
            // A transaction takes twice as much, and each claim is an item of its own.
            Some(claiming) if !claiming.claims.is_empty() => 2.0 * (units + claiming.claims.len()) as f64,
            _ => units as f64,
        }
    }

    /// Its table and the partition key.
    pub(super) fn partition(&self) -> (usize, &[u8]) {
        let [partition, _] = self.texts.of(&self.json);
        (self.table, partition)
    }

    /// Its bytes in the request of a batch, with a comma; see [`write`](Self::write).
    pub(super) fn wire_size(&self) -> usize {
        let around = match self.kind {
            Kind::Put => r#"{"PutRequest":{"Item":}},"#,
            Kind::Delete => r#"{"DeleteRequest":{"Key":}},"#,
            Kind::Mark | Kind::Restore | Kind::Create | Kind::Get => ",",
        };
        around.len() + self.json.len()
    }

    /// A request for it alone.
    pub(super) fn write_alone(&self, request: &mut Request, table: &str) {
        let Some(claiming) = self.claiming.as_ref().filter(|claiming| !claiming.claims.is_empty()) else {
            return self.write_members(request, table);
        };
        let mut members = Request::new(self.json.len() + 512);
        self.write_members(&mut members, table);
        let name = match self.kind {
            Kind::Delete => "Delete",
            Kind::Mark | Kind::Restore => "Update",
            Kind::Put | Kind::Create | Kind::Get => "Put",
        };
        let own = std::iter::once((name, members.finish()));
        let claims = claiming.claims.iter().map(|claim| (claim.name(), claim.body(table)));
        request.array("TransactItems", &mut own.chain(claims), |(name, body), encoder: &mut Encoder| {
            encoder.push(b'{');
            encoder.json_string(name);
            encoder.push(b':');
            encoder.raw(&body);
            encoder.push(b'}');
        });
        request.text("ClientRequestToken", &claiming.token);
    }

    fn write_members(&self, request: &mut Request, table: &str) {
        request.text("TableName", table);
        let is_put = matches!(self.kind, Kind::Put | Kind::Create);
        request.json(if is_put { "Item" } else { "Key" }, &self.json);
        if let Some(rule) = &self.rule {
            request.members(&rule.members);
        }
    }

    pub(super) fn write(&self, out: &mut Encoder) {
        // What has a known length is copied without a loop.
        match self.kind {
            Kind::Put => {
                out.raw(br#"{"PutRequest":{"Item":"#);
                out.raw(&self.json);
                out.raw(b"}}");
            }
            Kind::Delete => {
                out.raw(br#"{"DeleteRequest":{"Key":"#);
                out.raw(&self.json);
                out.raw(b"}}");
            }
            Kind::Mark | Kind::Restore | Kind::Create | Kind::Get => out.raw(&self.json),
        }
    }
}

/// The hash of the key whose values lie in this JSON.
pub(super) fn hash_of_json(
    table: usize,
    info: &'static EntityInfo,
    json: &[u8],
    keys: &KeyRanges,
) -> Option<u64> {
    Some(hash_of_key(table, KeyTexts::find(info, json, keys).ok()?.of(json)))
}

/// The hash of a key in the table at a position. Equal keys are equal texts; see [`KeyTexts`].
pub(super) fn hash_of_key(table: usize, texts: [&[u8]; 2]) -> u64 {
    /// Of one seed for the whole process, since a job keeps its hash. It is not known outside, so nobody can choose keys that
    /// have one hash.
    static STATE: LazyLock<foldhash::fast::RandomState> = LazyLock::new(foldhash::fast::RandomState::default);
    let [partition, sort] = texts;
    let mut hasher = STATE.build_hasher();
    hasher.write(partition);
    if !sort.is_empty() {
        hasher.write(sort);
    }
    hasher.write_usize(table);
    hasher.finish()
}
