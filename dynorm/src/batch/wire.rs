//! What batches say to DynamoDB, and what it answers: `BatchWriteItem`, `BatchGetItem`, and for writes with a condition, which
//! batches do not take, a request for each.

use std::collections::HashMap;
use std::sync::Arc;

use hashbrown::HashTable;
use slab::Slab;

use super::body::{Body, hash_of_key};
use super::engine::{Inputs, Job, Table};
use super::work::Work;
use crate::codec::{Encoder, Item, Request, Scanner, ValueError};
use crate::encoded::{describe_key, item_texts};
use crate::error::{Error, Subject};
use crate::transport::{Answer, Operation};

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

    /// The capacity units that a job is reckoned to take, before the answer says so.
    pub(super) fn units(self, body: &Body, table: Option<&Table>) -> f64 {
        match self {
            Self::Write | Self::Each => body.units(),
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
