//! One item or key of a batch, as it travels, with what it needs to find and what is claimed with it.

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
    /// The item of a put, the key of a delete or a get.
    pub(super) json: Bytes,
    /// The position of its table.
    table: usize,
    texts: KeyTexts,
    /// Of its table and its key.
    pub(super) hash: u64,
    /// What it needs to find, and what is claimed with it.
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
    /// A delete that marks the item.
    Mark,
    /// Its reverse.
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
        Ok(Self { kind, json, table, texts, hash, rule: None })
    }

    /// True if it is of the item with this key.
    pub(super) fn is_of(&self, table: usize, texts: [&[u8]; 2]) -> bool {
        self.table == table && self.texts.of(&self.json) == texts
    }

    /// True if both are of one item, in DynamoDB's sense of equal keys.
    pub(super) fn is_of_key(&self, other: &Self) -> bool {
        self.hash == other.hash && other.is_of(self.table, self.texts.of(&self.json))
    }

    /// With what it needs to find, and what is claimed with it.
    pub(super) fn ruled(self, rule: Rule) -> Self {
        Self { rule: Some(Box::new(rule)), ..self }
    }

    /// True if it was made for what the item was taken for, and nobody has asked.
    pub(super) fn is_guessed(&self) -> bool {
        self.rule.as_ref().is_some_and(|rule| rule.is_guessed())
    }

    /// True if a refusal says that no earlier attempt was carried out.
    pub(super) fn is_transaction(&self) -> bool {
        self.rule.as_ref().is_some_and(|rule| rule.is_transaction())
    }

    /// The operation that carries it out by itself.
    pub(super) fn operation(&self) -> Operation {
        match (&self.rule, self.kind) {
            (Some(rule), _) => rule.operation(),
            (None, Kind::Put | Kind::Create | Kind::Get) => Operation::PUT_ITEM,
            (None, Kind::Delete) => Operation::DELETE_ITEM,
            (None, Kind::Mark | Kind::Restore) => Operation::UPDATE_ITEM,
        }
    }

    /// What a failed request for it alone means: what is known of the item by now, if another body may succeed.
    pub(super) fn explain(&self, failure: Failure, subject: &Subject) -> std::result::Result<Known, Error> {
        match &self.rule {
            Some(rule) => rule.explain(failure, subject, &self.json),
            None => Err(failure.into_error(subject.clone())),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.json.len()
    }

    /// The capacity units that its write is reckoned to take.
    pub(super) fn units(&self) -> f64 {
        let units = self.len().div_ceil(1024).max(1);
        match &self.rule {
            // A transaction takes twice as much, and each claim is an item of its own.
            Some(rule) if rule.is_transaction() => 2.0 * (units + rule.claims()) as f64,
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
        if let Some(rule) = &self.rule {
            return rule.write(request, table, &self.json);
        }
        request.text("TableName", table);
        request.json(if self.kind == Kind::Put { "Item" } else { "Key" }, &self.json);
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
