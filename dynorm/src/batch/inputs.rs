//! Inputs that are all at hand.

use std::collections::{HashMap, HashSet};
use std::future::ready;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;

use super::body::{Body, Kind, hash_of_json};
use super::buffer::Buffer;
use super::deadline::Deadline;
use super::engine::{Input, Inputs, Origin, Outcome, Unsent, room, run};
use super::progress::Checkpoint;
use super::settings::Settings;
use super::stats::{Fates, count};
use super::work::{TableSpec, Work};
use super::{Fate, Stats};
use crate::codec::{Item, ValueError};
use crate::database::Database;
use crate::entity::{Entity, EntityInfo, Stamp, encode_key, encode_key_into};
use crate::error::{Doing, Error, Result, Subject};
use crate::write::Known;

/// Inputs of one entity.
pub trait Group: Send {
    fn info(&self) -> &'static EntityInfo;

    fn len(&self) -> usize;

    /// Encodes an input, for the table at a position of the tables of the batch. It is kept in `buffer`.
    fn body(&mut self, index: usize, table: usize, buffer: &mut Buffer) -> Result<Body>;

    /// The hash of the key of an input, if it has one that can be encoded. Equal keys have equal hashes.
    fn key_hash(&self, index: usize, table: usize, buffer: &mut Buffer) -> Option<u64>;

    /// The key of an input, as an error shows it.
    fn describe(&self, index: usize) -> Option<String>;

    /// The item that answers these inputs.
    fn found(&mut self, _: &[usize], _: &Item<'_>) -> std::result::Result<(), ValueError> {
        Ok(())
    }

    /// How its inputs are sent.
    fn work(&self) -> Work;

    /// An input once more, with what is known of its item by now.
    fn again(&mut self, _: usize, _: usize, _: &Known, _: &mut Buffer) -> Option<Result<Body>> {
        None
    }

    /// Reads are consistent.
    fn consistent(&self) -> bool {
        false
    }

    /// An input is done.
    fn settle(&mut self, _: usize) {}

    /// The inputs that are not done are made again as they are, or not at all: takes back that their versions
    /// were raised.
    fn lower(&mut self, _: &dyn Fn(usize) -> bool) {}

    /// Runs the hooks before it that have not run yet: before anything is sent.
    fn before<'g>(&'g mut self, _: &'g Database) -> BoxFuture<'g, Result<()>> {
        Box::pin(ready(Ok(())))
    }

    /// Stamps what is to be saved, unless that is done.
    fn stamp(&mut self, _: &Stamp) {}

    /// Runs the hooks after it, of these inputs. `ran` counts those whose hooks have all run.
    fn after<'g>(&'g mut self, _: &'g Database, _: &'g [usize], _: &'g mut usize) -> BoxFuture<'g, ()> {
        Box::pin(ready(()))
    }

    /// The hooks after these inputs have not all run. True if they have to be read again for that.
    fn forget(&mut self, _: &[usize]) -> bool {
        false
    }
}

/// What is done by a key.
pub(super) fn by_key<E: Entity>(key: &E::Key, kind: Kind, table: usize, buffer: &mut Buffer) -> Result<Body> {
    let values = encode_key_into::<E>(key, buffer.encoder())?;
    Body::new(kind, table, E::INFO, buffer.keep(), &values)
}

/// The hash of a key, for the table at a position.
pub(super) fn hash_of<E: Entity>(key: &E::Key, table: usize, buffer: &mut Buffer) -> Option<u64> {
    let values = encode_key_into::<E>(key, buffer.encoder()).ok()?;
    hash_of_json(table, E::INFO, buffer.written(), &values)
}

/// What was refused, of which there is hardly ever anything: then there is nothing to be hashed.
pub(super) fn take_refusal(refused: &mut HashMap<usize, Error>, index: usize) -> Option<Error> {
    if refused.is_empty() { None } else { refused.remove(&index) }
}

/// A key as an error shows it.
pub(super) fn describe<E: Entity>(key: &E::Key) -> Option<String> {
    encode_key::<E>(key).ok().map(|key| key.describe(E::INFO))
}

/// The fates before anything has happened.
pub(super) fn unsettled(inputs: usize) -> Fates {
    (0..inputs).map(|_| (Fate::NotSent, None)).collect()
}

/// A batch cannot begin, or not go on with the inputs at the positions of `only`.
pub(super) fn cannot_begin(fates: &mut Fates, only: Option<&[usize]>, error: Error) {
    let error = Arc::new(error);
    for (index, (_, reason)) in fates.iter_mut().enumerate() {
        if only.is_none_or(|only| only.binary_search(&index).is_ok()) {
            *reason = Some(error.clone());
        }
    }
}

/// Which inputs are not done, and may be. What we ourselves have refused stays refused.
pub(super) fn open(fates: &Fates) -> Vec<usize> {
    let is_open = |(index, (_, reason)): (usize, &(Fate, Option<Arc<Error>>))| {
        let reason = reason.as_deref()?;
        (!matches!(reason, Error::Invalid(_) | Error::ValidationFailed(_) | Error::Refused(_)))
            .then_some(index)
    };
    fates.iter().enumerate().filter_map(is_open).collect()
}

/// Carries out a batch whose inputs are those of the groups, one after another; if `only` is given, those at these
/// positions. `fates` has a place for each.
pub(super) async fn run_at_hand(
    database: &Database,
    groups: Vec<&mut dyn Group>,
    only: Option<Vec<usize>>,
    fates: &mut Fates,
    mut settings: Settings<'_>,
) -> Stats {
    let mut groups = groups;
    let deadline = settings.deadline();
    if let Err(error) = run_before(database, &mut groups, &deadline).await {
        let mut stats = Stats::default();
        stats.failed = count(only.as_ref().map_or(fates.len(), Vec::len));
        stats.elapsed = deadline.elapsed();
        cannot_begin(fates, only.as_deref(), error);
        return stats;
    }
    let stamp = Stamp::now();
    groups.iter_mut().for_each(|group| group.stamp(&stamp));
    let mut tables: Vec<TableSpec> = Vec::with_capacity(groups.len());
    let work = work_of(&groups);
    let mut start = 0;
    let mut placed = Vec::with_capacity(groups.len());
    for group in groups {
        let (info, consistent, len) = (group.info(), group.consistent(), group.len());
        let name = database.table(info);
        let table = tables.iter().position(|table| table.name == name).unwrap_or(tables.len());
        match tables.get_mut(table) {
            // A request can ask a table in one way only.
            Some(known) => known.consistent |= consistent,
            None => tables.push(TableSpec { info, name: name.clone(), consistent }),
        }
        placed.push(Placed { group, table, name, start });
        start += len;
    }
    let has_versions = placed.iter().any(Placed::has_versions);
    let buffer = Buffer::new();
    let mut at_hand =
        AtHand { groups: placed, next: 0, total: start, only, order: None, fates, has_versions, buffer };
    let first = at_hand.begin(room(work, &settings), tables.len(), &deadline).await;
    let origin = Origin::AtHand { first };
    let Outcome { mut stats, stopped, admitted } =
        run(database, work, tables, origin, settings, &mut at_hand).await;
    stats.failed += at_hand.leave(admitted, stopped.as_ref());
    let AtHand { groups, only, fates, .. } = at_hand;
    for placed in groups {
        if placed.has_versions() {
            let has_failed = |index: usize| {
                fates.get(placed.start + index).is_some_and(|(_, reason): &(Fate, _)| reason.is_some())
            };
            placed.group.lower(&has_failed);
        }
        if placed.group.info().hooks {
            run_after(database, placed, only.as_deref(), fates, &deadline, &mut stats).await;
        }
    }
    stats.elapsed = deadline.elapsed();
    stats
}

/// Runs the hooks before a batch, as long as there is time for it.
async fn run_before(database: &Database, groups: &mut [&mut dyn Group], deadline: &Deadline) -> Result<()> {
    for group in groups.iter_mut().filter(|group| group.info().hooks || group.info().unique.is_some()) {
        let info = group.info();
        match deadline.bound(group.before(database)).await {
            Some(ran) => ran?,
            None => {
                let subject = Subject::of(info).in_table(database.table(info));
                return Err(deadline.passed(subject.during(Doing::RunningHooks), true));
            }
        }
    }
    Ok(())
}

/// Runs the hooks after what is done, as long as there is time for it.
async fn run_after(
    database: &Database,
    Placed { group, start, .. }: Placed<'_>,
    only: Option<&[usize]>,
    fates: &mut Fates,
    deadline: &Deadline,
    stats: &mut Stats,
) {
    let is_done = |position: &usize| {
        only.is_none_or(|only| only.binary_search(position).is_ok())
            && matches!(fates.get(*position), Some((Fate::Done, None)))
    };
    let done: Vec<usize> =
        (start..start + group.len()).filter(is_done).map(|position| position - start).collect();
    let mut ran = 0;
    deadline.bound(group.after(database, &done, &mut ran)).await;
    let cut = done.get(ran..).unwrap_or_default();
    if cut.is_empty() {
        return;
    }
    stats.dropped_hooks += count(cut.len());
    if group.forget(cut) {
        let subject = Subject::of(group.info()).in_table(database.table(group.info()));
        let error = Arc::new(deadline.passed(subject.during(Doing::RunningHooks), true));
        for index in cut {
            if let Some(slot) = fates.get_mut(start + index) {
                *slot = (Fate::Unprocessed, Some(error.clone()));
            }
        }
        stats.items -= count(cut.len());
        stats.failed += count(cut.len());
    }
}

/// If one of them cannot travel with others, none does: a key has one write under way at a time.
fn work_of(groups: &[&mut dyn Group]) -> Work {
    let mut works = groups.iter().map(|group| group.work());
    let first = works.next().unwrap_or(Work::Write);
    works.fold(first, |work, other| if other == Work::Each { other } else { work })
}

struct AtHand<'g, 'f> {
    groups: Vec<Placed<'g>>,
    next: usize,
    /// How many inputs the groups have.
    total: usize,
    /// The positions of those that are carried out, if they are not all.
    only: Option<Vec<usize>>,
    /// The order in which the engine is given those, if it is another one.
    order: Option<Order>,
    fates: &'f mut Fates,
    /// Some of the inputs are to hear that they are done.
    has_versions: bool,
    buffer: Buffer,
}

struct Order {
    inputs: Vec<usize>,
    /// Which of them are settled, in the order of the caller.
    settled: Checkpoint,
}

struct Placed<'g> {
    group: &'g mut dyn Group,
    table: usize,
    name: String,
    /// The position of its first input among those of all groups.
    start: usize,
}

impl Placed<'_> {
    fn has_versions(&self) -> bool {
        self.group.info().version.is_some()
    }
}

impl AtHand<'_, '_> {
    /// How many inputs are taken in before anything is sent: all, if the engine has room for them. Of more, those whose key
    /// another one has too, which are moved to the front: which of them is sent is settled among them. If there are several
    /// tables, all: none of them waits for another one.
    async fn begin(&mut self, room: usize, tables: usize, deadline: &Deadline) -> usize {
        let inputs = self.only.as_ref().map_or(self.total, Vec::len);
        if inputs <= room || tables > 1 {
            return inputs;
        }
        let mut hashes = Vec::with_capacity(inputs);
        for index in 0..inputs {
            hashes.push(self.key_hash(self.position(index)));
            if index % 256 == 255 {
                // It takes a while, and other tasks want to run.
                tokio::task::yield_now().await;
                if deadline.has_passed() {
                    return 0;
                }
            }
        }
        let mut sorted: Vec<u64> = hashes.iter().copied().flatten().collect();
        sorted.sort_unstable();
        let twice = sorted.array_windows().filter(|[one, other]| one == other).map(|[one, _]| *one);
        let shared: HashSet<u64> = twice.collect();
        if shared.is_empty() {
            return 0;
        }
        let is_shared = |index: &usize| {
            hashes.get(*index).is_some_and(|hash| hash.is_some_and(|hash| shared.contains(&hash)))
        };
        let (mut order, rest): (Vec<usize>, Vec<usize>) = (0..inputs).partition(is_shared);
        let first = order.len();
        order.extend(rest);
        let mut settled = Checkpoint::of(inputs);
        (0..inputs).for_each(|_| settled.open());
        self.order = Some(Order { inputs: order, settled });
        first
    }

    fn key_hash(&mut self, position: usize) -> Option<u64> {
        let Placed { group, table, start, .. } = placed(&mut self.groups, position)?;
        group.key_hash(position - *start, *table, &mut self.buffer)
    }

    /// The engine has not got to the inputs from `admitted` on. How many those are.
    fn leave(&mut self, admitted: usize, stopped: Option<&Arc<Error>>) -> u64 {
        let inputs = self.only.as_ref().map_or(self.total, Vec::len);
        for index in admitted..inputs {
            let position = self.position(index);
            if let Some((_, reason)) = self.fates.get_mut(position)
                && reason.is_none()
            {
                *reason = stopped.cloned();
            }
        }
        count(inputs.saturating_sub(admitted))
    }
}

/// The group that has the input at a position.
fn placed<'p, 'g>(groups: &'p mut [Placed<'g>], position: usize) -> Option<&'p mut Placed<'g>> {
    groups.iter_mut().rfind(|placed| placed.start <= position)
}

impl Inputs for AtHand<'_, '_> {
    fn position(&self, index: usize) -> usize {
        let index = self.order.as_ref().and_then(|order| order.inputs.get(index)).copied().unwrap_or(index);
        self.only.as_ref().and_then(|only| only.get(index)).copied().unwrap_or(index)
    }

    fn held_back(&self) -> Option<usize> {
        self.order.as_ref().and_then(|order| usize::try_from(order.settled.get()).ok())
    }

    fn poll_next(&mut self, _: &mut Context<'_>) -> Poll<Option<Input>> {
        if self.total().is_some_and(|total| count(self.next) >= total) {
            return Poll::Ready(None);
        }
        let position = self.position(self.next);
        self.next += 1;
        let earlier = self.fates.get(position).and_then(|(fate, reason)| Some((*fate, reason.clone()?)));
        let buffer = &mut self.buffer;
        Poll::Ready(placed(&mut self.groups, position).map(|placed| {
            let Placed { group, table, name, start } = placed;
            let body = group.body(position - *start, *table, buffer);
            let body = body.map_err(|error| Unsent::rejected(error).in_table(name));
            Input { table: *table, info: group.info(), body, earlier }
        }))
    }

    fn settle(&mut self, index: usize, fate: Fate, reason: Option<&Arc<Error>>) {
        let fate = match fate {
            Fate::Superseded { by } => Fate::Superseded { by: self.position(by) },
            fate => fate,
        };
        let position = self.position(index);
        if let Some(Order { inputs, settled }) = &mut self.order
            && let Some(index) = inputs.get(index)
        {
            settled.close(*index);
        }
        if let Some(slot) = self.fates.get_mut(position) {
            *slot = (fate, reason.cloned());
        }
        if self.has_versions
            && reason.is_none()
            && let Some(placed) = placed(&mut self.groups, position)
        {
            placed.group.settle(position - placed.start);
        }
    }

    fn again(&mut self, index: usize, known: &Known) -> Option<Result<Body>> {
        let position = self.position(index);
        let Placed { group, table, name, start } = placed(&mut self.groups, position)?;
        let body = group.again(position - *start, *table, known, &mut self.buffer)?;
        Some(body.map_err(|error| error.in_table(name)))
    }

    fn found(&mut self, inputs: &[usize], item: &Item<'_>) -> std::result::Result<(), ValueError> {
        if let [index] = inputs {
            let position = self.position(*index);
            return placed(&mut self.groups, position)
                .map_or(Ok(()), |placed| placed.group.found(&[position - placed.start], item));
        }
        // Entities that share a table may be asked for by the same key.
        let positions: Vec<usize> = inputs.iter().map(|index| self.position(*index)).collect();
        for placed in &mut self.groups {
            let end = placed.start + placed.group.len();
            let of_group = positions.iter().filter(|position| (placed.start..end).contains(position));
            let local: Vec<usize> = of_group.map(|position| position - placed.start).collect();
            if !local.is_empty() {
                placed.group.found(&local, item)?;
            }
        }
        Ok(())
    }

    fn total(&self) -> Option<u64> {
        Some(count(self.only.as_ref().map_or(self.total, Vec::len)))
    }
}
