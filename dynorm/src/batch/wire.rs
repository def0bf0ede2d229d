//! What batches say to DynamoDB, and what it answers: `BatchWriteItem`, `BatchGetItem`, and for writes with a condition, which
//! batches do not take, a request for each.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use hashbrown::HashTable;
use slab::Slab;

use super::engine::{Inputs, Job, Table};
use super::{MAX_BATCH_GET_ITEMS, MAX_BATCH_WRITE_ITEMS};
use crate::codec::{Encoder, Item, Scanner, ValueError};
use crate::encoded::{KeyRanges, KeyTexts, describe_key, item_texts};
use crate::entity::EntityInfo;
use crate::error::{Error, Result, Subject};
use crate::expression::{Existence, Expression};
use crate::operation::explain;
use crate::operation::request::Request;
use crate::transport::{Answer, Failure, Operation};
use crate::unique::{self, Claim, Known};

/// What a batch does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    Write,
    /// One request for each: some of the writes have a condition.
    Each,
    Get,
}

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

    /// Its table and the partition key.
    fn partition(&self) -> (usize, &[u8]) {
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
    fn write_alone(&self, request: &mut Request, table: &str) {
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

    fn write(&self, out: &mut Encoder) {
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
fn hash_of_key(table: usize, texts: [&[u8]; 2]) -> u64 {
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

/// What an answer says.
pub(super) struct Reading {
    /// Of each job of the request, in order.
    pub(super) verdicts: Vec<Verdict>,
    /// The capacity units that were consumed, by table.
    pub(super) capacity: Vec<(String, f64)>,
}

pub(super) enum Verdict {
    Done,
    Rejected(Arc<Error>),
    HandedBack {
        /// It may have been done all the same.
        unanswered: bool,
    },
    /// The answer had no room for it.
    NoRoom,
}

/// What an item may have.
const ITEM: usize = 400 * 1024;

/// An answer of `BatchGetItem` is full at 16 MB, and at 1 MB of one partition: it stops before the item that would be too
/// much. JSON is never shorter than what it stands for, so an answer with less than this had room for another item.
const FULL_ANSWER: usize = 16 * 1024 * 1024 - ITEM;
const FULL_PARTITION: usize = 1024 * 1024 - ITEM;

impl Work {
    /// The operation that carries out the jobs of a request.
    pub(super) fn operation(self, chunk: &[usize], jobs: &Slab<Job>) -> Operation {
        let first = || chunk.first().and_then(|id| jobs.get(*id));
        match self {
            Self::Write => Operation::BATCH_WRITE_ITEM,
            Self::Each => first().map_or(Operation::PUT_ITEM, |job| job.body.operation()),
            Self::Get => Operation::BATCH_GET_ITEM,
        }
    }

    pub(super) const fn doing(self) -> &'static str {
        match self {
            Self::Write | Self::Each => "writing",
            Self::Get => "reading",
        }
    }

    pub(super) const fn most_items(self) -> usize {
        match self {
            Self::Write => MAX_BATCH_WRITE_ITEMS,
            Self::Each => 1,
            Self::Get => MAX_BATCH_GET_ITEMS,
        }
    }

    /// The most requests that are under way at a time, if the caller does not say. The answers of so many are in memory.
    pub(super) const fn most_under_way(self) -> usize {
        match self {
            Self::Write | Self::Each => 32,
            Self::Get => 16,
        }
    }

    /// The capacity units that a job is reckoned to take, before the answer says so.
    pub(super) fn units(self, body: &Body, table: Option<&Table>) -> f64 {
        match self {
            // A transaction takes twice as much, and each claim is an item of its own.
            Self::Write | Self::Each => match &body.claiming {
                Some(claiming) if !claiming.claims.is_empty() => {
                    2.0 * (body.len().div_ceil(1024).max(1) + claiming.claims.len()) as f64
                }
                _ => body.len().div_ceil(1024).max(1) as f64,
            },
            Self::Get if table.is_some_and(|table| table.spec.consistent) => 1.0,
            Self::Get => 0.5,
        }
    }

    /// The request for the jobs of `chunk`, which are in the order of their tables.
    pub(super) fn request(self, chunk: &[usize], jobs: &Slab<Job>, tables: &[Table]) -> Vec<u8> {
        let chunk: Vec<&Job> = chunk.iter().filter_map(|id| jobs.get(*id)).collect();
        let size: usize = chunk.iter().map(|job| job.body.wire_size()).sum();
        let mut request = Request::new(size + 256);
        let table_of = |jobs: &[&Job]| jobs.first().and_then(|job| tables.get(job.table));
        if self == Self::Each {
            if let (Some(job), Some(table)) = (chunk.first(), table_of(&chunk)) {
                job.body.write_alone(&mut request, &table.spec.name);
            }
        } else {
            request.object("RequestItems", |request| {
                for jobs in chunk.chunk_by(|one, other| one.table == other.table) {
                    let Some(table) = table_of(jobs) else { continue };
                    let write = |job: &&Job, out: &mut Encoder| job.body.write(out);
                    if self == Self::Write {
                        request.array(&table.spec.name, &mut jobs.iter(), write);
                    } else {
                        request.object(&table.spec.name, |request| {
                            request.array("Keys", &mut jobs.iter(), write);
                            request.flag("ConsistentRead", table.spec.consistent);
                        });
                    }
                }
            });
        }
        request.text("ReturnConsumedCapacity", "TOTAL");
        request.finish()
    }

    /// What the answer says of each job of the chunk; `keys` finds jobs by their keys. Of a read, the items that were found go
    /// to `inputs`.
    pub(super) fn read(
        self,
        answer: &Answer,
        chunk: &[usize],
        (jobs, keys): (&Slab<Job>, &HashTable<usize>),
        tables: &[Table],
        inputs: &mut dyn Inputs,
    ) -> std::result::Result<Reading, ValueError> {
        let text = answer.text()?;
        let mut reader = Reader {
            chunk,
            jobs,
            keys,
            tables,
            marks: vec![Mark::default(); chunk.len()],
            understood: true,
            capacity: Vec::new(),
            undecodable: HashMap::new(),
            partitions: (text.len() >= FULL_PARTITION).then(HashMap::new),
            item: Item::default(),
        };
        reader.read(text, inputs)?;
        let is_full = text.len() >= FULL_ANSWER;
        Ok(Reading { verdicts: reader.verdicts(self, is_full), capacity: reader.capacity })
    }
}

/// What an answer said of a job.
#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    found: bool,
    handed_back: bool,
}

struct Reader<'r> {
    chunk: &'r [usize],
    jobs: &'r Slab<Job>,
    keys: &'r HashTable<usize>,
    tables: &'r [Table],
    marks: Vec<Mark>,
    /// False if the answer names a key that was not sent: it says nothing of those that it does not name.
    understood: bool,
    capacity: Vec<(String, f64)>,
    undecodable: HashMap<usize, ValueError>,
    /// The bytes that were found of each partition, if there are so many that one may have filled the answer.
    partitions: Option<HashMap<(usize, &'r [u8]), usize>>,
    item: Item<'r>,
}

impl<'r> Reader<'r> {
    fn read(&mut self, text: &'r str, inputs: &mut dyn Inputs) -> std::result::Result<(), ValueError> {
        Scanner::new(text).object(|member, scanner| match member.text {
            // table → items
            "Responses" => scanner.object(|table, scanner| {
                let table = self.table(&table.unescape()?);
                scanner.array(|scanner| {
                    let start = scanner.position();
                    self.item.refill(scanner)?;
                    self.visit(table, scanner.position() - start, inputs)
                })
            }),
            // table → list of writes → kind of write → `Item` or `Key` → attributes
            "UnprocessedItems" => scanner.object(|table, scanner| {
                let table = self.table(&table.unescape()?);
                scanner.array(|scanner| {
                    scanner.object(|_, scanner| {
                        scanner.object(|_, scanner| {
                            self.item.refill(scanner)?;
                            self.hand_back(table)
                        })
                    })
                })
            }),
            // table → `Keys` → attributes
            "UnprocessedKeys" => scanner.object(|table, scanner| {
                let table = self.table(&table.unescape()?);
                scanner.object(|member, scanner| {
                    if member.text != "Keys" {
                        return scanner.skip().map(drop);
                    }
                    scanner.array(|scanner| {
                        self.item.refill(scanner)?;
                        self.hand_back(table)
                    })
                })
            }),
            "ConsumedCapacity" => {
                let json = scanner.skip()?;
                self.capacity = consumed_capacity(json);
                Ok(())
            }
            _ => scanner.skip().map(drop),
        })
    }

    fn table(&self, name: &str) -> Option<usize> {
        self.tables.iter().position(|table| table.spec.name == name)
    }

    /// The job that the current item belongs to, and its position in the request.
    fn job(&self, table: Option<usize>) -> std::result::Result<Option<(usize, &'r Job)>, ValueError> {
        let Some((index, table)) = table.and_then(|index| Some((index, self.tables.get(index)?))) else {
            return Ok(None);
        };
        let texts = item_texts(table.spec.info, &self.item)?;
        let texts = texts.each_ref().map(|text| text.as_bytes());
        let is_its = |id: &usize| self.jobs.get(*id).is_some_and(|job| job.body.is_of(index, texts));
        let id = self.keys.find(hash_of_key(index, texts), is_its);
        let job = id.and_then(|id| self.jobs.get(*id));
        // What waits for another request was not asked for here.
        Ok(job.filter(|job| self.chunk.get(job.place) == id).map(|job| (job.place, job)))
    }

    fn visit(
        &mut self,
        table: Option<usize>,
        bytes: usize,
        inputs: &mut dyn Inputs,
    ) -> std::result::Result<(), ValueError> {
        let Some((position, job)) = self.job(table)? else { return Ok(()) };
        if let Some(partitions) = &mut self.partitions {
            *partitions.entry(job.body.partition()).or_default() += bytes;
        }
        self.marks.get_mut(position).into_iter().for_each(|mark| mark.found = true);
        if let Err(error) = job.inputs.with_all(|all| inputs.found(all, &self.item)) {
            self.undecodable.insert(position, error);
        }
        Ok(())
    }

    fn hand_back(&mut self, table: Option<usize>) -> std::result::Result<(), ValueError> {
        let job = self.job(table)?;
        match job.and_then(|(position, _)| self.marks.get_mut(position)) {
            Some(mark) => mark.handed_back = true,
            None => self.understood = false,
        }
        Ok(())
    }

    fn verdicts(&mut self, work: Work, is_full: bool) -> Vec<Verdict> {
        let marks = std::mem::take(&mut self.marks);
        let verdict = |(position, mark): (usize, Mark)| {
            let job = self.chunk.get(position).and_then(|id| self.jobs.get(*id));
            if !self.undecodable.is_empty()
                && let Some(error) = self.undecodable.remove(&position)
                && let Some(job) = job
            {
                let table = self.tables.get(job.table).map_or("", |table| &table.spec.name);
                let subject = Subject::of(job.info).in_table(table).during(job.body.kind.doing());
                let subject = subject.with_key_text(describe_key(job.info, &job.body.json));
                return Verdict::Rejected(Arc::new(Error::undecodable(subject, &error)));
            }
            if mark.handed_back && work == Work::Get {
                let partitions = self.partitions.as_ref();
                let found = partitions.and_then(|partitions| partitions.get(&job?.body.partition()));
                if is_full || found.is_some_and(|bytes| *bytes >= FULL_PARTITION) {
                    return Verdict::NoRoom;
                }
            }
            if mark.handed_back || !(mark.found || self.understood) {
                let unanswered = work != Work::Get && !self.understood;
                return Verdict::HandedBack { unanswered };
            }
            Verdict::Done
        };
        marks.into_iter().enumerate().map(verdict).collect()
    }
}

/// The units that an answer says were consumed, by table: it has a list of them, or one of a single item. What cannot be read
/// counts as nothing, since what the answer says of the items is worth more.
fn consumed_capacity(json: &str) -> Vec<(String, f64)> {
    let mut tables = Vec::new();
    let mut one = |scanner: &mut Scanner<'_>| {
        let (mut table, mut units) = (String::new(), 0.0);
        scanner.object(|member, scanner| {
            match member.text {
                "TableName" => table = scanner.string()?.unescape()?.into_owned(),
                "CapacityUnits" => units = scanner.skip()?.parse().unwrap_or(0.0),
                _ => drop(scanner.skip()?),
            }
            Ok(())
        })?;
        tables.push((table, units));
        Ok(())
    };
    let mut scanner = Scanner::new(json);
    let read = if scanner.peek() == Some(b'[') { scanner.array(one) } else { one(&mut scanner) };
    if read.is_err() {
        tables.clear();
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::consumed_capacity;

    #[test]
    fn the_consumed_capacity_is_read_of_lists_and_of_single_answers() {
        let list =
            r#"[{"TableName":"a","CapacityUnits":2.5},{"CapacityUnits":1,"TableName":"b","Table":{}}]"#;
        assert_eq!(consumed_capacity(list), [("a".to_owned(), 2.5), ("b".to_owned(), 1.0)]);
        assert_eq!(consumed_capacity(r#"{"TableName":"a","CapacityUnits":3.0}"#), [("a".to_owned(), 3.0)]);
        for broken in ["", "null", "[1]", r#"[{"TableName":1}]"#, r#"{"TableName":"a""#] {
            assert_eq!(consumed_capacity(broken), [], "{broken}");
        }
    }
}
