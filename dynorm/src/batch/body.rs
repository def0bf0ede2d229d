//! One item or key of a batch, encoded, with its condition and its claims on unique values.

use std::hash::{BuildHasher, Hasher};
use std::sync::LazyLock;

use std::fmt;

use bytes::Bytes;

use crate::codec::{Encoder, Request};
use crate::encoded::{KeyRanges, KeyTexts};
use crate::entity::EntityInfo;
use crate::error::{Doing, Error, Result, Subject};
use crate::transport::{Failure, Operation};
use crate::write::{Known, Rule};

/// One item or key, encoded.
pub struct Body {
    pub(super) kind: Kind,
    /// The item of a put, or the key of a delete or a get.
    pub(super) json: Bytes,
    /// The index of its table.
    table: usize,
    texts: KeyTexts,
    /// The hash of its table and its key.
    pub(super) hash: u64,
    /// The condition of its write, and the claims on unique values.
    rule: Option<Box<Rule>>,
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Put,
    Delete,
    /// A soft delete.
    Mark,
    /// The reverse of a soft delete.
    Restore,
    Create,
    Get,
}

impl Kind {
    pub(super) const fn doing(self) -> Doing {
        match self {
            Self::Put => Doing::Saving,
            Self::Delete | Self::Mark => Doing::Deleting,
            Self::Restore => Doing::Restoring,
            Self::Create => Doing::Creating,
            Self::Get => Doing::Reading,
        }
    }
}

impl Body {
    /// Makes the body of an item or a key, from the positions of the key's values in the JSON.
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
        Ok(Self { kind, json, table, texts, hash, rule: None })
    }

    /// True if it has this key.
    pub(super) fn is_of(&self, table: usize, texts: [&[u8]; 2]) -> bool {
        self.table == table && self.texts.of(&self.json) == texts
    }

    /// True if both have the same key, as DynamoDB compares keys.
    pub(super) fn is_of_key(&self, other: &Self) -> bool {
        self.hash == other.hash && other.is_of(self.table, self.texts.of(&self.json))
    }

    /// Adds the condition and the claims.
    pub(super) fn ruled(self, rule: Rule) -> Self {
        Self { rule: Some(Box::new(rule)), ..self }
    }

    /// True if it was made for an assumed state of the item that nobody has read.
    pub(super) fn is_guessed(&self) -> bool {
        self.rule.as_ref().is_some_and(|rule| rule.is_guessed())
    }

    /// True if it is sent as a transaction, whose refusal means that no earlier attempt was applied.
    pub(super) fn is_transaction(&self) -> bool {
        self.rule.as_ref().is_some_and(|rule| rule.is_transaction())
    }

    /// Returns the operation that sends it alone.
    pub(super) fn operation(&self) -> Operation {
        match (&self.rule, self.kind) {
            (Some(rule), _) => rule.operation(),
            (None, Kind::Put | Kind::Create | Kind::Get) => Operation::PUT_ITEM,
            (None, Kind::Delete) => Operation::DELETE_ITEM,
            (None, Kind::Mark | Kind::Restore) => Operation::UPDATE_ITEM,
        }
    }

    /// Returns what a failed request for it alone means: the stored item, if another body may succeed, or the
    /// error.
    pub(super) fn explain(&self, failure: Failure, subject: &Subject) -> std::result::Result<Known, Error> {
        match &self.rule {
            Some(rule) => rule.explain(failure, subject, &self.json),
            None => Err(failure.into_error(subject.clone())),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.json.len()
    }

    /// The estimated capacity units of its write.
    pub(super) fn units(&self) -> f64 {
        let units = self.len().div_ceil(1024).max(1);
        match &self.rule {
            // A transaction consumes twice as much, and each claim is an item of its own.
            Some(rule) if rule.is_transaction() => 2.0 * (units + rule.claims()) as f64,
            _ => units as f64,
        }
    }

    /// Returns its table and its partition key.
    pub(super) fn partition(&self) -> (usize, &[u8]) {
        let [partition, _] = self.texts.of(&self.json);
        (self.table, partition)
    }

    /// Its size in the request of a batch, with a comma; see [`write`](Self::write).
    pub(super) fn wire_size(&self) -> usize {
        let around = match self.kind {
            Kind::Put => r#"{"PutRequest":{"Item":}},"#,
            Kind::Delete => r#"{"DeleteRequest":{"Key":}},"#,
            Kind::Mark | Kind::Restore | Kind::Create | Kind::Get => ",",
        };
        around.len() + self.json.len()
    }

    /// Writes a request for it alone.
    pub(super) fn write_alone(&self, request: &mut Request, table: &str) {
        if let Some(rule) = &self.rule {
            return rule.write(request, table, &self.json);
        }
        request.text("TableName", table);
        request.json(if self.kind == Kind::Put { "Item" } else { "Key" }, &self.json);
    }

    pub(super) fn write(&self, out: &mut Encoder) {
        // Text of a constant length is copied without a loop.
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

/// Returns the hash of a key, from the positions of its values in the JSON.
pub(super) fn hash_of_json(
    table: usize,
    info: &'static EntityInfo,
    json: &[u8],
    keys: &KeyRanges,
) -> Option<u64> {
    Some(hash_of_key(table, KeyTexts::find(info, json, keys).ok()?.of(json)))
}

/// Returns the hash of a key of the table at this index. Equal keys have equal texts; see [`KeyTexts`].
pub(super) fn hash_of_key(table: usize, texts: [&[u8]; 2]) -> u64 {
    /// One seed for the whole process, since a job keeps its hash. The seed is random, so that nobody can
    /// choose keys with equal hashes.
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
