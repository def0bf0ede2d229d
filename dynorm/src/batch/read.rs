//! The loop behind every batch that reads. It knows bytes and keys, not entities, so it exists once in a program.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::Instant;

use super::{
    CONCURRENCY, Fate, Fates, MAX_BATCH_GET_ITEMS, MAX_BATCH_WRITE_ITEMS, Retry, Stats, count, take_chunk,
};
use crate::codec::{Item, Scanner, ValueError};
use crate::database::Database;
use crate::entity::{EncodedKey, EntityInfo, canonical_key};
use crate::error::{Error, Report, Result, Subject};
use crate::operation::request::Request;
use crate::transport::{self, Failure, FailureKind, Operation};

/// One key that is asked for, and the inputs that it answers.
struct Wanted {
    key: EncodedKey,
    canonical: Vec<u8>,
    inputs: Vec<usize>,
    /// An answer came, or may have been on its way.
    sent: bool,
    cause: Option<Arc<Error>>,
}

/// Given an item and the inputs that it answers.
pub(super) type Visit<'v> =
    &'v mut (dyn FnMut(&[usize], &Item<'_>) -> std::result::Result<(), ValueError> + Send);

/// Reads all keys that can be, gives each item to `visit`, and says what became of each input.
pub(super) async fn read_all(
    database: &Database,
    info: &'static EntityInfo,
    keys: Vec<Result<EncodedKey>>,
    consistent: bool,
    retry: Retry,
    visit: Visit<'_>,
) -> (Fates, Stats) {
    let table = database.table(info);
    let mut batch = Batch {
        database,
        info,
        subject: Subject::of(info).in_table(table.clone()).during("reading"),
        table: &table,
        consistent,
        fates: Vec::with_capacity(keys.len()),
        stats: Stats::default(),
        leftovers: Vec::new(),
        stopped: None,
        refused: 0,
        visit,
    };
    let wanted = batch.admit(keys);
    batch.run(wanted, retry).await;
    (batch.fates, batch.stats)
}

struct Batch<'b, 'v> {
    database: &'b Database,
    info: &'static EntityInfo,
    subject: Subject,
    table: &'b str,
    consistent: bool,
    fates: Fates,
    stats: Stats,
    leftovers: Vec<Wanted>,
    /// The error that makes sending anything else pointless, such as a missing table.
    stopped: Option<Arc<Error>>,
    /// How many were refused one by one, while nothing was done yet.
    refused: usize,
    visit: Visit<'v>,
}

impl Batch<'_, '_> {
    /// Takes the keys in: each is asked for once, however often it is given.
    fn admit(&mut self, keys: Vec<Result<EncodedKey>>) -> VecDeque<Wanted> {
        let mut wanted: Vec<Wanted> = Vec::with_capacity(keys.len());
        let mut known: HashMap<Vec<u8>, usize> = HashMap::with_capacity(keys.len());
        for (index, key) in keys.into_iter().enumerate() {
            self.fates.push((Fate::NotSent, None));
            let admitted = key.and_then(|key| {
                let canonical = key.canonical(self.info);
                Ok((key, canonical.map_err(|error| Error::invalid(self.subject.clone(), &error))?))
            });
            match admitted {
                Ok((key, canonical)) => {
                    let earlier = known.get(&canonical).and_then(|position| wanted.get_mut(*position));
                    if let Some(earlier) = earlier {
                        earlier.inputs.push(index);
                    } else {
                        known.insert(canonical.clone(), wanted.len());
                        wanted.push(Wanted { key, canonical, inputs: vec![index], sent: false, cause: None });
                    }
                }
                Err(error) => self.settle(&[index], Fate::Rejected, Some(&Arc::new(error))),
            }
        }
        wanted.into()
    }

    async fn run(&mut self, mut wanted: VecDeque<Wanted>, retry: Retry) {
        let start = Instant::now();
        let mut fruitless = 0;
        while !wanted.is_empty() {
            let before = self.stats.items;
            self.round(wanted).await;
            wanted = std::mem::take(&mut self.leftovers).into();
            if wanted.is_empty() {
                break;
            }
            let progress = self.stats.items > before;
            fruitless = if progress { 0 } else { fruitless + 1 };
            if self.stopped.is_some() || fruitless > retry.rounds || retry.rounds == 0 {
                self.give_up(wanted);
                break;
            }
            self.stats.retries += count(wanted.len());
            // Keys come back for want of capacity, and when an answer would be too large. The latter need no wait, and
            // bring something every time.
            if !progress {
                tokio::time::sleep(retry.delay(fruitless)).await;
            }
        }
        self.stats.elapsed = start.elapsed();
    }

    /// Asks for each of `wanted` once, several requests at a time.
    async fn round(&mut self, mut wanted: VecDeque<Wanted>) {
        let (database, table, consistent) = (self.database, self.table, self.consistent);
        let mut in_flight = FuturesUnordered::new();
        let mut halves = VecDeque::new();
        // Answers in a row that brought nothing: a table that takes nothing more is left alone until the next round.
        let mut fruitless = 0;
        loop {
            while in_flight.len() < CONCURRENCY && fruitless < 2 * CONCURRENCY && self.stopped.is_none() {
                let chunk = halves.pop_front().unwrap_or_else(|| {
                    take_chunk(&mut wanted, MAX_BATCH_GET_ITEMS, |wanted| wanted.key.0.len())
                });
                if chunk.is_empty() {
                    break;
                }
                self.stats.requests += 1;
                in_flight.push(send(database, table, consistent, chunk));
            }
            let Some((chunk, answer)) = in_flight.next().await else { break };
            let before = self.stats.items;
            let refused = self.digest(chunk, answer);
            fruitless = if self.stats.items > before || !refused.is_empty() { 0 } else { fruitless + 1 };
            halves.extend(refused);
        }
        self.leftovers.extend(halves.into_iter().flatten());
        self.leftovers.extend(wanted);
    }

    /// Takes in the answer to one request. Gives back what is to be sent next: the halves of a request that was refused
    /// for one of its keys, until that key is found.
    fn digest(&mut self, chunk: Vec<Wanted>, answer: Result<transport::Answer, Failure>) -> Vec<Vec<Wanted>> {
        let failure = match answer {
            Ok(answer) => {
                self.take_items(chunk, &answer);
                return Vec::new();
            }
            Err(failure) => failure,
        };
        let kind = failure.kind;
        if kind == FailureKind::Rejected && chunk.len() > 1 {
            let mut first = chunk;
            let second = first.split_off(first.len() / 2);
            return vec![first, second];
        }
        let error = Arc::new(failure.into_error(self.subject.clone()));
        match kind {
            FailureKind::Rejected => {
                for wanted in chunk {
                    self.settle(&wanted.inputs, Fate::Rejected, Some(&error));
                }
                self.refused += 1;
                if self.stats.items == 0 && self.refused >= MAX_BATCH_WRITE_ITEMS {
                    self.stopped = Some(error);
                }
            }
            FailureKind::Throttled
            | FailureKind::Conflict
            | FailureKind::Server
            | FailureKind::Timeout
            | FailureKind::Unreachable => self.leave(chunk, &error),
            FailureKind::TableNotFound
            | FailureKind::AccessDenied
            | FailureKind::Credentials
            | FailureKind::ConditionFailed => {
                self.leave(chunk, &error);
                self.stopped = Some(error);
            }
        }
        Vec::new()
    }

    fn leave(&mut self, chunk: Vec<Wanted>, error: &Arc<Error>) {
        let sent = matches!(**error, Error::Throttled(_) | Error::Conflict(_) | Error::Server(_))
            || !error.outcome_known();
        let left =
            |wanted: Wanted| Wanted { sent: wanted.sent || sent, cause: Some(error.clone()), ..wanted };
        self.leftovers.extend(chunk.into_iter().map(left));
    }

    /// Gives the items of an answer out, and keeps the keys that it hands back.
    fn take_items(&mut self, chunk: Vec<Wanted>, answer: &transport::Answer) {
        let positions: HashMap<&[u8], usize> = chunk
            .iter()
            .enumerate()
            .map(|(position, wanted)| (wanted.canonical.as_slice(), position))
            .collect();
        let (mut found, mut handed_back) = (vec![false; chunk.len()], vec![false; chunk.len()]);
        // An answer that hands back a key which was not sent says nothing of those that it does not name.
        let mut understood = true;
        let mut undecodable: HashMap<usize, ValueError> = HashMap::new();
        let (info, visit) = (self.info, &mut self.visit);
        let (mut item, mut key) = (Item::default(), Vec::new());
        let result = answer.text().and_then(|text| {
            Scanner::new(text).object(|member, scanner| match member.text {
                "Responses" => scanner.object(|_, scanner| {
                    scanner.array(|scanner| {
                        item.refill(scanner)?;
                        canonical_key(info, &item, &mut key)?;
                        let position = positions.get(key.as_slice()).copied();
                        if let Some(position) = position
                            && let Some(wanted) = chunk.get(position)
                        {
                            found.get_mut(position).into_iter().for_each(|found| *found = true);
                            if let Err(error) = visit(&wanted.inputs, &item) {
                                undecodable.insert(position, error);
                            }
                        }
                        Ok(())
                    })
                }),
                "UnprocessedKeys" => scanner.object(|_, scanner| {
                    scanner.object(|member, scanner| {
                        if member.text != "Keys" {
                            scanner.skip()?;
                            return Ok(());
                        }
                        scanner.array(|scanner| {
                            item.refill(scanner)?;
                            canonical_key(info, &item, &mut key)?;
                            let position = positions.get(key.as_slice());
                            match position.and_then(|position| handed_back.get_mut(*position)) {
                                Some(handed_back) => *handed_back = true,
                                None => understood = false,
                            }
                            Ok(())
                        })
                    })
                }),
                _ => scanner.skip().map(drop),
            })
        });
        drop(positions);
        let problem = result.err().map(|error| Arc::new(Error::undecodable(self.subject.clone(), &error)));
        let flags = found.into_iter().zip(handed_back);
        for (position, (wanted, (found, handed_back))) in chunk.into_iter().zip(flags).enumerate() {
            if let Some(error) = undecodable.remove(&position) {
                let subject = self.subject.clone().with_key(&wanted.key);
                let error = Arc::new(Error::undecodable(subject, &error));
                self.settle(&wanted.inputs, Fate::Rejected, Some(&error));
            } else if handed_back || problem.is_some() || !(found || understood) {
                self.leftovers.push(Wanted { sent: true, cause: problem.clone(), ..wanted });
            } else {
                self.settle(&wanted.inputs, Fate::Done, None);
                self.stats.items += count(wanted.inputs.len());
            }
        }
    }

    fn give_up(&mut self, leftovers: VecDeque<Wanted>) {
        for wanted in leftovers {
            let cause = wanted.cause.or_else(|| self.stopped.clone()).unwrap_or_else(|| {
                Arc::new(Error::Throttled(Report::new(
                    self.subject.clone().with_key(&wanted.key),
                    "DynamoDB handed the key back in every round",
                    None,
                )))
            });
            let fate = if wanted.sent { Fate::Unprocessed } else { Fate::NotSent };
            self.settle(&wanted.inputs, fate, Some(&cause));
        }
    }

    fn settle(&mut self, inputs: &[usize], fate: Fate, reason: Option<&Arc<Error>>) {
        for index in inputs {
            if let Some(slot) = self.fates.get_mut(*index) {
                *slot = (fate, reason.cloned());
            }
        }
    }
}

async fn send(
    database: &Database,
    table: &str,
    consistent: bool,
    chunk: Vec<Wanted>,
) -> (Vec<Wanted>, Result<transport::Answer, Failure>) {
    let size: usize = chunk.iter().map(|wanted| wanted.key.0.len() + 1).sum();
    let mut request = Request::new(size + table.len());
    request.object("RequestItems", |request| {
        request.object(table, |request| {
            request.array("Keys", &mut chunk.iter(), |wanted, out| out.raw(&wanted.key.0));
            request.flag("ConsistentRead", consistent);
        });
    });
    let answer = transport::send(database.once(), Operation::BatchGetItem, table, request.finish()).await;
    (chunk, answer)
}
