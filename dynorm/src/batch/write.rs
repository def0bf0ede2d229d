//! The loop behind every batch that writes. It knows bytes and keys, not entities, so it exists once in a program.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::Instant;

use super::{BatchStats, CONCURRENCY, Fate, Fates, MAX_BATCH_WRITE_ITEMS, Retry, take_chunk};
use crate::codec::{Scanner, Value, ValueError};
use crate::database::Database;
use crate::entity::{EncodedKey, EntityInfo};
use crate::error::{Error, Report, Result, Subject};
use crate::operation::request::Request;
use crate::transport::{self, Failure, FailureKind, Operation};

/// One write, encoded, or the reason why it cannot be sent.
pub(super) type Input = Result<Write>;

pub(super) struct Write {
    pub(super) key: EncodedKey,
    /// `{"PutRequest":…}` or `{"DeleteRequest":…}`.
    pub(super) json: Vec<u8>,
}

impl Write {
    pub(super) fn put(key: EncodedKey, item: &[u8]) -> Self {
        Self { key, json: [br#"{"PutRequest":{"Item":"#.as_slice(), item, b"}}"].concat() }
    }

    pub(super) fn delete(key: EncodedKey) -> Self {
        let json = [br#"{"DeleteRequest":{"Key":"#.as_slice(), &key.0, b"}}"].concat();
        Self { key, json }
    }
}

/// A write on its way.
struct Pending {
    index: usize,
    canonical: Vec<String>,
    write: Write,
    sent: bool,
    /// It was sent, and the last attempt got no answer.
    unanswered: bool,
    /// Why it is not done yet.
    cause: Option<Arc<Error>>,
}

/// Carries out all writes that can be, and says what became of each.
pub(super) async fn write_all(
    database: &Database,
    info: &'static EntityInfo,
    doing: &'static str,
    inputs: Vec<Input>,
    retry: Retry,
) -> (Fates, BatchStats) {
    let table = database.table(info);
    let mut batch = Batch {
        database,
        info,
        subject: Subject::of(info).in_table(table.clone()).during(doing),
        table: &table,
        fates: Vec::with_capacity(inputs.len()),
        stats: BatchStats::default(),
        leftovers: Vec::new(),
        stopped: None,
    };
    let pending = batch.admit(inputs);
    batch.run(pending, retry).await;
    (batch.fates, batch.stats)
}

struct Batch<'b> {
    database: &'b Database,
    info: &'static EntityInfo,
    subject: Subject,
    table: &'b str,
    fates: Fates,
    stats: BatchStats,
    leftovers: Vec<Pending>,
    /// The error that makes sending anything else pointless, such as a missing table.
    stopped: Option<Arc<Error>>,
}

impl Batch<'_> {
    /// Takes the inputs in. Those that cannot be sent leave first, so that none of them supersedes one that can; then, of
    /// several with one key, the last one stands for all.
    fn admit(&mut self, inputs: Vec<Input>) -> VecDeque<Pending> {
        let mut pending: Vec<Option<Pending>> = Vec::with_capacity(inputs.len());
        let mut latest: HashMap<Vec<String>, usize> = HashMap::with_capacity(inputs.len());
        for (index, input) in inputs.into_iter().enumerate() {
            let admitted = input.and_then(|write| {
                let canonical = write.key.canonical(self.info);
                let canonical = canonical.map_err(|error| Error::invalid(self.subject.clone(), &error))?;
                Ok((write, canonical))
            });
            match admitted {
                Ok((write, canonical)) => {
                    self.fates.push((Fate::NotSent, None));
                    if let Some(earlier) = latest.insert(canonical.clone(), index) {
                        if let Some(slot) = pending.get_mut(earlier) {
                            *slot = None;
                        }
                        self.settle(earlier, Fate::Superseded { by: index }, None);
                    }
                    pending.push(Some(Pending {
                        index,
                        canonical,
                        write,
                        sent: false,
                        unanswered: false,
                        cause: None,
                    }));
                }
                Err(error) => {
                    self.fates.push((Fate::Rejected, Some(Arc::new(error))));
                    pending.push(None);
                }
            }
        }
        pending.into_iter().flatten().collect()
    }

    /// Sends everything once, then what is left over again, in rounds, until nothing is left or the rounds are used up.
    async fn run(&mut self, mut pending: VecDeque<Pending>, retry: Retry) {
        let start = Instant::now();
        let mut fruitless = 0;
        while !pending.is_empty() {
            let before = self.stats.items;
            self.round(pending).await;
            pending = std::mem::take(&mut self.leftovers).into();
            if pending.is_empty() {
                break;
            }
            if self.stats.items == before {
                fruitless += 1;
            } else {
                fruitless = 0;
            }
            if self.stopped.is_some() || fruitless > retry.rounds || retry.rounds == 0 {
                self.give_up(pending);
                break;
            }
            self.stats.retries += pending.len();
            sleep(retry.delay(fruitless)).await;
        }
        self.stats.elapsed = start.elapsed();
    }

    /// Sends each of `pending` once, several requests at a time.
    async fn round(&mut self, mut pending: VecDeque<Pending>) {
        let (database, table) = (self.database, self.table);
        let mut in_flight = FuturesUnordered::new();
        loop {
            while in_flight.len() < CONCURRENCY && !pending.is_empty() && self.stopped.is_none() {
                let chunk =
                    take_chunk(&mut pending, MAX_BATCH_WRITE_ITEMS, |pending| pending.write.json.len());
                self.stats.requests += 1;
                in_flight.push(send(database, table, chunk));
            }
            let Some((chunk, answer)) = in_flight.next().await else { break };
            for pending in self.digest(chunk, answer) {
                in_flight.push(send(database, table, pending));
                self.stats.requests += 1;
            }
        }
        self.leftovers.extend(pending);
    }

    /// Takes in the answer to one request. Gives back what is to be sent at once: the halves of a request that was refused
    /// for one of its items, until that item is found.
    fn digest(
        &mut self,
        chunk: Vec<Pending>,
        answer: Result<transport::Answer, Failure>,
    ) -> Vec<Vec<Pending>> {
        let failure = match answer {
            Ok(answer) => match unprocessed(self.info, &answer) {
                Ok(unprocessed) => {
                    self.settle_answered(chunk, &unprocessed);
                    return Vec::new();
                }
                Err(error) => {
                    // Something was written, and we cannot say what: as good as no answer.
                    let error = Arc::new(Error::undecodable(self.subject.clone(), &error));
                    self.leave(chunk, &error, true);
                    return Vec::new();
                }
            },
            Err(failure) => failure,
        };
        let (kind, answered) = (failure.kind, failure.outcome_known);
        if kind == FailureKind::Rejected && chunk.len() > 1 {
            let mut first = chunk;
            let second = first.split_off(first.len() / 2);
            return vec![first, second];
        }
        let error = Arc::new(failure.into_error(self.subject.clone()));
        match kind {
            FailureKind::Rejected => {
                for pending in chunk {
                    self.settle(pending.index, Fate::Rejected, Some(error.clone()));
                }
            }
            FailureKind::Throttled
            | FailureKind::Server
            | FailureKind::Timeout
            | FailureKind::Unreachable => self.leave(chunk, &error, !answered),
            FailureKind::TableNotFound
            | FailureKind::AccessDenied
            | FailureKind::Credentials
            | FailureKind::ConditionFailed => {
                self.leave(chunk, &error, false);
                self.stopped = Some(error);
            }
        }
        Vec::new()
    }

    fn settle_answered(&mut self, chunk: Vec<Pending>, unprocessed: &[Vec<String>]) {
        // An answer that names a key which was not sent says nothing of those that were.
        let understood = unprocessed.iter().all(|key| chunk.iter().any(|pending| pending.canonical == *key));
        for mut pending in chunk {
            pending.sent = true;
            pending.unanswered = !understood;
            if understood && !unprocessed.contains(&pending.canonical) {
                self.settle(pending.index, Fate::Done, None);
                self.stats.items += 1;
            } else {
                pending.cause = None;
                self.leftovers.push(pending);
            }
        }
    }

    /// Keeps the items of a failed request for another round.
    fn leave(&mut self, chunk: Vec<Pending>, error: &Arc<Error>, unanswered: bool) {
        for mut pending in chunk {
            // What was sent without an answer once stays unknown when a later attempt does not even reach the server.
            pending.unanswered |= unanswered;
            pending.sent |= matches!(**error, Error::Throttled(_) | Error::Server(_)) || unanswered;
            pending.cause = Some(error.clone());
            self.leftovers.push(pending);
        }
    }

    fn give_up(&mut self, pending: VecDeque<Pending>) {
        for pending in pending {
            let fate = match (pending.unanswered, pending.sent) {
                (true, _) => Fate::Unknown,
                (false, true) => Fate::Unprocessed,
                (false, false) => Fate::NotSent,
            };
            let cause = pending.cause.or_else(|| self.stopped.clone()).unwrap_or_else(|| {
                Arc::new(Error::Throttled(Report::new(
                    self.subject.clone().with_key(&pending.write.key),
                    "DynamoDB left the item unprocessed in every round",
                    None,
                )))
            });
            self.settle(pending.index, fate, Some(cause));
        }
    }

    fn settle(&mut self, index: usize, fate: Fate, reason: Option<Arc<Error>>) {
        if let Some(slot) = self.fates.get_mut(index) {
            *slot = (fate, reason);
        }
    }
}

async fn send(
    database: &Database,
    table: &str,
    chunk: Vec<Pending>,
) -> (Vec<Pending>, Result<transport::Answer, Failure>) {
    let size = chunk.iter().map(|pending| pending.write.json.len() + 1).sum();
    let mut writes = Vec::with_capacity(size);
    for (position, pending) in chunk.iter().enumerate() {
        writes.push(if position == 0 { b'[' } else { b',' });
        writes.extend_from_slice(&pending.write.json);
    }
    writes.push(b']');
    let mut tables = Request::new(writes.len());
    tables.json(table, &writes);
    let mut request = Request::new(writes.len() + table.len());
    request.json("RequestItems", &tables.finish());
    let answer = transport::send(database.once(), Operation::BatchWriteItem, table, request.finish()).await;
    (chunk, answer)
}

/// The keys that an answer hands back.
fn unprocessed(
    info: &'static EntityInfo,
    answer: &transport::Answer,
) -> std::result::Result<Vec<Vec<String>>, ValueError> {
    let mut keys = Vec::new();
    Scanner::new(answer.text()?).object(|member, scanner| {
        if member.text != "UnprocessedItems" {
            scanner.skip()?;
            return Ok(());
        }
        // table → list of writes → kind of write → `Item` or `Key` → attributes
        scanner.object(|_, scanner| {
            scanner.array(|scanner| {
                scanner.object(|_, scanner| {
                    scanner.object(|_, scanner| {
                        keys.push(EncodedKey::of_item(info, Value::item(scanner)?)?.canonical(info)?);
                        Ok(())
                    })
                })
            })
        })
    })?;
    Ok(keys)
}

async fn sleep(delay: Duration) {
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
}
