//! The loop behind every batch that writes. It knows bytes and keys, not entities, so it exists once in a program.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::Instant;

use super::{CONCURRENCY, Fate, Fates, MAX_BATCH_WRITE_ITEMS, Retry, Stats, count, take_chunk};
use crate::codec::{Item, Scanner, ValueError};
use crate::database::Database;
use crate::entity::{EncodedItem, EncodedKey, EntityInfo, canonical_key};
use crate::error::{Error, Report, Result, Subject};
use crate::operation::request::Request;
use crate::transport::{self, Failure, FailureKind, Operation};

/// One write, encoded, or the reason why it cannot be sent.
pub(super) type Input = Result<Write>;

pub(super) struct Write {
    /// One spelling for all spellings of its key that DynamoDB takes for equal.
    canonical: Vec<u8>,
    kind: Kind,
    /// The item of a put, the key of a delete.
    json: Vec<u8>,
}

enum Kind {
    Put,
    Delete,
}

impl Write {
    pub(super) fn put(info: &'static EntityInfo, item: EncodedItem) -> Result<Self> {
        let canonical =
            item.canonical_key(info).map_err(|error| Error::invalid(Subject::of(info), &error))?;
        Ok(Self { canonical, kind: Kind::Put, json: item.json })
    }

    pub(super) fn delete(info: &'static EntityInfo, key: EncodedKey) -> Result<Self> {
        let canonical = key.canonical(info).map_err(|error| Error::invalid(Subject::of(info), &error))?;
        Ok(Self { canonical, kind: Kind::Delete, json: key.0 })
    }

    /// What stands around the item or key in a request.
    const fn around(&self) -> (&'static [u8], &'static [u8]) {
        match self.kind {
            Kind::Put => (br#"{"PutRequest":{"Item":"#, b"}}"),
            Kind::Delete => (br#"{"DeleteRequest":{"Key":"#, b"}}"),
        }
    }

    /// Its bytes in a request, with a comma.
    const fn size(&self) -> usize {
        let (before, after) = self.around();
        before.len() + self.json.len() + after.len() + 1
    }
}

/// A write on its way.
struct Pending {
    index: usize,
    write: Write,
    sent: bool,
    /// It was sent once without an answer: unless it is done in the end, nobody knows.
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
) -> (Fates, Stats) {
    let table = database.table(info);
    let mut batch = Batch {
        database,
        info,
        subject: Subject::of(info).in_table(table.clone()).during(doing),
        table: &table,
        fates: Vec::with_capacity(inputs.len()),
        stats: Stats::default(),
        leftovers: Vec::new(),
        stopped: None,
        refused: 0,
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
    stats: Stats,
    leftovers: Vec<Pending>,
    /// The error that makes sending anything else pointless, such as a missing table.
    stopped: Option<Arc<Error>>,
    /// How many were refused one by one, while nothing was done yet.
    refused: usize,
}

impl Batch<'_> {
    /// Takes the inputs in. Those that cannot be sent leave first, so that none of them supersedes one that can; then, of
    /// several with one key, the last one stands for all.
    fn admit(&mut self, inputs: Vec<Input>) -> VecDeque<Pending> {
        let mut pending = VecDeque::with_capacity(inputs.len());
        for (index, input) in inputs.into_iter().enumerate() {
            match input {
                Ok(write) => {
                    self.fates.push((Fate::NotSent, None));
                    pending.push_back(Pending { index, write, sent: false, unanswered: false, cause: None });
                }
                Err(error) => self.fates.push((Fate::Rejected, Some(Arc::new(error)))),
            }
        }
        let latest: HashMap<&[u8], usize> =
            pending.iter().map(|pending| (pending.write.canonical.as_slice(), pending.index)).collect();
        if latest.len() < pending.len() {
            let stands_for = |pending: &Pending| latest.get(pending.write.canonical.as_slice()).copied();
            let superseded: Vec<(usize, usize)> = pending
                .iter()
                .filter_map(|pending| Some((pending.index, stands_for(pending)?)))
                .filter(|(index, by)| index != by)
                .collect();
            self.stats.superseded = count(superseded.len());
            for (index, by) in &superseded {
                self.settle(*index, Fate::Superseded { by: *by }, None);
            }
            let superseded: HashSet<usize> = superseded.into_iter().map(|(index, _)| index).collect();
            pending.retain(|pending| !superseded.contains(&pending.index));
        }
        pending
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
            self.stats.retries += count(pending.len());
            sleep(retry.delay(fruitless)).await;
        }
        self.stats.elapsed = start.elapsed();
        // What another input was to stand for is not done when that one is not.
        for index in 0..self.fates.len() {
            if let Some((Fate::Superseded { by }, None)) = self.fates.get(index)
                && let Some((_, Some(reason))) = self.fates.get(*by)
            {
                let (by, reason) = (*by, reason.clone());
                self.settle(index, Fate::Superseded { by }, Some(reason));
            }
        }
    }

    /// Sends each of `pending` once, several requests at a time.
    async fn round(&mut self, mut pending: VecDeque<Pending>) {
        let (database, table) = (self.database, self.table);
        let mut in_flight = FuturesUnordered::new();
        let mut halves = VecDeque::new();
        // Answers in a row that brought nothing: a table that takes nothing more is left alone until the next round.
        let mut fruitless = 0;
        loop {
            while in_flight.len() < CONCURRENCY && fruitless < 2 * CONCURRENCY && self.stopped.is_none() {
                let chunk = halves.pop_front().unwrap_or_else(|| {
                    take_chunk(&mut pending, MAX_BATCH_WRITE_ITEMS, |pending| pending.write.size())
                });
                if chunk.is_empty() {
                    break;
                }
                self.stats.requests += 1;
                in_flight.push(send(database, table, chunk));
            }
            let Some((chunk, answer)) = in_flight.next().await else { break };
            let before = self.stats.items;
            let refused = self.digest(chunk, answer);
            fruitless = if self.stats.items > before || !refused.is_empty() { 0 } else { fruitless + 1 };
            halves.extend(refused);
        }
        self.leftovers.extend(halves.into_iter().flatten());
        self.leftovers.extend(pending);
    }

    /// Takes in the answer to one request. Gives back what is to be sent next: the halves of a request that was refused
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
                    let fate = if pending.unanswered { Fate::Unknown } else { Fate::Rejected };
                    self.settle(pending.index, fate, Some(error.clone()));
                }
                self.stop_if_all_are_refused(MAX_BATCH_WRITE_ITEMS, error);
            }
            FailureKind::Throttled
            | FailureKind::Conflict
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

    /// When one request after the other was refused down to its last item, it is not the items that are wrong.
    fn stop_if_all_are_refused(&mut self, most: usize, error: Arc<Error>) {
        self.refused += 1;
        if self.stats.items == 0 && self.refused >= most {
            self.stopped = Some(error);
        }
    }

    fn settle_answered(&mut self, chunk: Vec<Pending>, unprocessed: &[Vec<u8>]) {
        // An answer that names a key which was not sent says nothing of those that were.
        let understood =
            unprocessed.iter().all(|key| chunk.iter().any(|pending| pending.write.canonical == *key));
        for mut pending in chunk {
            pending.sent = true;
            pending.unanswered |= !understood;
            if understood && !unprocessed.contains(&pending.write.canonical) {
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
                    self.subject.clone(),
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
    let size: usize = chunk.iter().map(|pending| pending.write.size()).sum();
    let mut request = Request::new(size + table.len());
    request.object("RequestItems", |request| {
        request.array(table, &mut chunk.iter(), |pending, out| {
            let (before, after) = pending.write.around();
            for part in [before, &pending.write.json, after] {
                out.raw(part);
            }
        });
    });
    let answer = transport::send(database.once(), Operation::BatchWriteItem, table, request.finish()).await;
    (chunk, answer)
}

/// The keys that an answer hands back.
fn unprocessed(
    info: &'static EntityInfo,
    answer: &transport::Answer,
) -> std::result::Result<Vec<Vec<u8>>, ValueError> {
    let (mut keys, mut item) = (Vec::new(), Item::default());
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
                        let mut key = Vec::new();
                        item.refill(scanner)?;
                        canonical_key(info, &item, &mut key)?;
                        keys.push(key);
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
