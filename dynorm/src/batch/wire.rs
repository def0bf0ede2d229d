//! What batches say to DynamoDB, and what it answers: `BatchWriteItem`, `BatchGetItem`, and for writes with a
//! condition, which batches do not take, a request for each.

use std::collections::HashMap;
use std::sync::Arc;

use hashbrown::HashTable;
use slab::Slab;

use super::body::{Body, hash_of_key};
use super::job::Job;
use super::work::{TableSpec, Work};
use crate::codec::{Encoder, Item, Request, Scanner, ValueError, consumed_capacity};
use crate::encoded::{describe_key, item_texts};
use crate::error::{Error, Subject};
use crate::transport::{Answer, Operation};

/// Is told the item that answers some inputs.
type Found<'f> = &'f mut dyn FnMut(&[usize], &Item<'_>) -> std::result::Result<(), ValueError>;

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

/// An answer of `BatchGetItem` is full at 16 MB, and at 1 MB of one partition: it stops before the item that
/// would be too much. JSON is never shorter than what it stands for, so an answer with less than this had
/// room for another item.
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
    pub(super) fn units(self, body: &Body, table: Option<&TableSpec>) -> f64 {
        match self {
            Self::Write | Self::Each => body.units(),
            Self::Get if table.is_some_and(|table| table.consistent) => 1.0,
            Self::Get => 0.5,
        }
    }

    /// The most capacity units that a request may consume.
    fn most_units(self, chunk: &[usize], jobs: &Slab<Job>) -> f64 {
        /// A transaction takes twice as much; each of 25 indexes may lose one entry and gain another.
        const OF_A_WRITE: f64 = 2.0 * 51.0;
        /// An item of 400 KB, read consistently in a transaction.
        const OF_A_READ: f64 = 200.0;
        match self {
            // What is replaced or deleted may be larger than what is sent, and is not known.
            Self::Write | Self::Each => {
                let largest = (ITEM / 1024) as f64;
                let sent = chunk.iter().filter_map(|id| jobs.get(*id)).map(|job| job.body.units());
                sent.map(|units| units.max(largest) * OF_A_WRITE).sum()
            }
            Self::Get => chunk.len() as f64 * OF_A_READ,
        }
    }

    /// The request for the jobs of `chunk`, which are in the order of their tables.
    pub(super) fn request(self, chunk: &[usize], jobs: &Slab<Job>, tables: &[TableSpec]) -> Vec<u8> {
        let chunk: Vec<&Job> = chunk.iter().filter_map(|id| jobs.get(*id)).collect();
        let size: usize = chunk.iter().map(|job| job.body.wire_size()).sum();
        let mut request = Request::new(size + 256);
        let table_of = |jobs: &[&Job]| jobs.first().and_then(|job| tables.get(job.table));
        if self == Self::Each {
            if let (Some(job), Some(table)) = (chunk.first(), table_of(&chunk)) {
                job.body.write_alone(&mut request, &table.name);
            }
        } else {
            request.object("RequestItems", |request| {
                for jobs in chunk.chunk_by(|one, other| one.table == other.table) {
                    let Some(table) = table_of(jobs) else { continue };
                    let write = |job: &&Job, out: &mut Encoder| job.body.write(out);
                    if self == Self::Write {
                        request.array(&table.name, &mut jobs.iter(), write);
                    } else {
                        request.object(&table.name, |request| {
                            request.array("Keys", &mut jobs.iter(), write);
                            request.flag("ConsistentRead", table.consistent);
                        });
                    }
                }
            });
        }
        request.text("ReturnConsumedCapacity", "TOTAL");
        request.finish()
    }

    /// What the answer says of each job of the chunk; `keys` finds jobs by their keys. Of a read, `found` is
    /// told the items.
    pub(super) fn read(
        self,
        answer: &Answer,
        chunk: &[usize],
        (jobs, keys): (&Slab<Job>, &HashTable<usize>),
        tables: &[TableSpec],
        found: Found<'_>,
    ) -> std::result::Result<Reading, ValueError> {
        let text = answer.text()?;
        let mut reader = Reader {
            chunk,
            jobs,
            keys,
            tables,
            marks: vec![Mark::default(); chunk.len()],
            understood: true,
            answered: vec![false; tables.len()],
            capacity: Vec::new(),
            undecodable: HashMap::new(),
            partitions: (text.len() >= FULL_PARTITION).then(HashMap::new),
            item: Item::default(),
        };
        reader.read(text, found)?;
        if self == Self::Get {
            reader.check()?;
        }
        let most = self.most_units(chunk, jobs);
        // What no such request consumes would stop a batch that is paced.
        reader.capacity.retain(|(_, units)| *units <= most);
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
    tables: &'r [TableSpec],
    marks: Vec<Mark>,
    /// False if the answer names a key that was not sent: it says nothing of those that it does not name.
    understood: bool,
    /// The tables of which a read has an answer.
    answered: Vec<bool>,
    capacity: Vec<(String, f64)>,
    undecodable: HashMap<usize, ValueError>,
    /// The bytes that were found of each partition, if there are so many that one may have filled the answer.
    partitions: Option<HashMap<(usize, &'r [u8]), usize>>,
    item: Item<'r>,
}

impl<'r> Reader<'r> {
    fn read(&mut self, text: &'r str, found: Found<'_>) -> std::result::Result<(), ValueError> {
        Scanner::new(text).object(|member, scanner| match member.text {
            // table → items
            "Responses" => scanner.object(|table, scanner| {
                let table = self.table(&table.unescape()?);
                table
                    .and_then(|table| self.answered.get_mut(table))
                    .into_iter()
                    .for_each(|said| *said = true);
                scanner.array(|scanner| {
                    let start = scanner.position();
                    self.item.refill(scanner)?;
                    self.visit(table, scanner.position() - start, found)
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
                let capacity = &mut self.capacity;
                consumed_capacity(scanner.skip()?, &mut |table, units| {
                    capacity.push((table.to_owned(), units));
                });
                Ok(())
            }
            _ => scanner.skip().map(drop),
        })
    }

    fn table(&self, name: &str) -> Option<usize> {
        self.tables.iter().position(|table| table.name == name)
    }

    /// The job that the current item belongs to, and its position in the request.
    fn job(&self, table: Option<usize>) -> std::result::Result<Option<(usize, &'r Job)>, ValueError> {
        let Some((index, table)) = table.and_then(|index| Some((index, self.tables.get(index)?))) else {
            return Ok(None);
        };
        let texts = item_texts(table.info, &self.item)?;
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
        found: Found<'_>,
    ) -> std::result::Result<(), ValueError> {
        let Some((position, job)) = self.job(table)? else {
            self.understood = false;
            return Ok(());
        };
        if let Some(partitions) = &mut self.partitions {
            *partitions.entry(job.body.partition()).or_default() += bytes;
        }
        if let Some(mark) = self.marks.get_mut(position)
            && std::mem::replace(&mut mark.found, true)
        {
            return Err(ValueError::new("the answer has an item twice"));
        }
        if let Err(error) = job.inputs.with_all(|all| found(all, &self.item)) {
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

    /// Refuses the answer to a read that is one to another question: all of it is asked for again, since what is not named in it
    /// need not be absent.
    fn check(&self) -> std::result::Result<(), ValueError> {
        if !self.understood {
            return Err(ValueError::new("the answer names a key that was not asked for"));
        }
        let mut jobs = self.chunk.iter().filter_map(|id| self.jobs.get(*id)).zip(&self.marks);
        let is_left_out = |(job, mark): (&Job, &Mark)| {
            !(mark.found || mark.handed_back) && self.answered.get(job.table) != Some(&true)
        };
        if jobs.any(is_left_out) { Err(ValueError::new("the answer leaves out a table")) } else { Ok(()) }
    }

    fn verdicts(&mut self, work: Work, is_full: bool) -> Vec<Verdict> {
        let marks = std::mem::take(&mut self.marks);
        let verdict = |(position, mark): (usize, Mark)| {
            let job = self.chunk.get(position).and_then(|id| self.jobs.get(*id));
            if !self.undecodable.is_empty()
                && let Some(error) = self.undecodable.remove(&position)
                && let Some(job) = job
            {
                let table = self.tables.get(job.table).map_or("", |table| &table.name);
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
