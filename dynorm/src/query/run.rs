//! Runs a plan: reads pages of one partition or of several in parallel, and gives their items one by one.

use std::collections::VecDeque;
use std::sync::Arc;

use futures_util::future::join_all;

use super::evaluate::{matches, order_of_values};
use super::plan::Plan;
use super::position::{Next, Position};
use super::progress::Progress;
use super::reader::{Fetched, Reader};
use super::select::Selection;
use crate::batch::{MAX_BATCH_GET_ITEMS, Stats, get_items};
use crate::codec::{Encoder, Item, Scanner, ValueError};
use crate::database::Database;
use crate::entity::{EncodedKey, Entity, is_of_type};
use crate::error::{Error, Result};
use crate::transport::Operation;

/// The number of items of an index that are completed at a time.
const HYDRATED_AT_ONCE: u64 = 400;

/// The number of partitions or segments that are read in parallel.
const CONCURRENCY: usize = 8;

/// An item that was read, with its position.
pub(super) struct Row<T> {
    pub(super) value: T,
    pub(super) position: Position,
    sort: Vec<Vec<u8>>,
}

/// A partition, or a segment of a scan.
struct Lane<T> {
    /// The position of its next page.
    next: Next,
    /// The position of the last item that was given out. A cursor continues after it while other items wait.
    given: Next,
    progress: Progress,
    rows: VecDeque<Row<T>>,
}

/// An item of which only the keys are known, from an index or from the conditions.
struct Incomplete {
    lane: usize,
    key: EncodedKey,
    position: Position,
    sort: Vec<Vec<u8>>,
}

/// A running query.
pub(super) struct Run<E: Entity, S: Selection<E>> {
    pub(super) reader: Reader,
    selection: S,
    lanes: Vec<Lane<S::Output>>,
    /// The items that have to be read by their keys.
    incomplete: Vec<Incomplete>,
    /// Several partitions are merged into one order.
    merges: bool,
    /// The number of items wanted, if no condition leaves any out. No more need be read.
    hint: Option<u64>,
    max_evaluated: Option<u64>,
    pub(super) evaluated: u64,
    pub(super) stats: Stats,
    start: tokio::time::Instant,
    of: std::marker::PhantomData<fn() -> E>,
}

impl<E: Entity, S: Selection<E>> Run<E, S> {
    pub(super) fn new(
        reader: Reader,
        selection: S,
        wanted: Option<u64>,
        max_evaluated: Option<u64>,
        starts: Option<Vec<Next>>,
    ) -> Self {
        let lanes = starts.unwrap_or_else(|| vec![Next::Start; reader.lanes()]);
        let lanes = lanes.into_iter().map(|next| Lane {
            given: next.clone(),
            next,
            progress: Progress::default(),
            rows: VecDeque::new(),
        });
        let plan = &reader.plan;
        let drops = plan.filter.is_some()
            || plan.local.is_some()
            || plan.live.is_some()
            || plan.info.type_attribute.is_some();
        Self {
            incomplete: Vec::new(),
            merges: is_merged(plan),
            hint: wanted.filter(|_| !drops),
            lanes: lanes.collect(),
            reader,
            selection,
            max_evaluated,
            evaluated: 0,
            stats: Stats::default(),
            start: tokio::time::Instant::now(),
            of: std::marker::PhantomData,
        }
    }

    /// Returns the next item; `None` at the end, or after `max_evaluated` items.
    pub(super) async fn pop(&mut self) -> Result<Option<S::Output>> {
        Ok(self.pop_row().await?.map(|row| row.value))
    }

    /// The same, with the position of the item.
    pub(super) async fn pop_row(&mut self) -> Result<Option<Row<S::Output>>> {
        if !self.fill().await? {
            return Ok(None);
        }
        let mut row = self.take();
        if let Some(row) = &mut row {
            run_retrieved::<E, S>(&mut row.value, self.reader.database()).await;
        }
        Ok(row)
    }

    /// Skips an item; false if there is none.
    pub(super) async fn skip(&mut self) -> Result<bool> {
        Ok(self.fill().await? && self.take().is_some())
    }

    /// Returns at least one item, and all that need no further request, at most `most`; empty at the end.
    pub(super) async fn chunk(&mut self, most: usize) -> Result<Vec<S::Output>> {
        let mut chunk = Vec::new();
        if self.fill().await? {
            while self.is_ready()
                && chunk.len() < most
                && let Some(mut row) = self.take()
            {
                run_retrieved::<E, S>(&mut row.value, self.reader.database()).await;
                chunk.push(row.value);
            }
        }
        Ok(chunk)
    }

    /// True if there is another item.
    pub(super) async fn has_more(&mut self) -> Result<bool> {
        Ok(self.fill().await? || !self.is_at_end())
    }

    /// The position of each lane.
    pub(super) fn positions(&self) -> Vec<Next> {
        let position =
            |lane: &Lane<_>| if lane.rows.is_empty() { lane.next.clone() } else { lane.given.clone() };
        self.lanes.iter().map(position).collect()
    }

    /// True if all lanes are at their end, rather than `max_evaluated` reached.
    pub(super) fn is_at_end(&self) -> bool {
        self.lanes.iter().all(|lane| lane.rows.is_empty() && lane.next == Next::End)
    }

    pub(super) fn finish(&mut self, items: u64) -> Stats {
        self.stats.items = items;
        self.stats.elapsed = self.start.elapsed();
        self.stats.clone()
    }

    /// Counts without reading items, for queries in which every item counts.
    pub(super) async fn count_all(&mut self) -> Result<u64> {
        let mut count = 0u64;
        loop {
            let lanes = self.lanes.iter().enumerate().filter(|(_, lane)| lane.next != Next::End);
            let lanes: Vec<(usize, Next)> =
                lanes.take(CONCURRENCY).map(|(index, lane)| (index, lane.next.clone())).collect();
            if lanes.is_empty() {
                return Ok(count);
            }
            let fetches = lanes.iter().map(|(lane, next)| self.reader.fetch(*lane, next, None, true));
            for fetched in join_all(fetches).await {
                let found = self.read(&fetched?)?.ok_or_else(|| {
                    let error = ValueError::new("the answer has no count");
                    Error::undecodable(self.reader.subject().clone(), &error)
                })?;
                count = found.saturating_add(count);
            }
        }
    }

    /// True if the next item can be given without a request.
    fn is_ready(&self) -> bool {
        if self.merges {
            let is_waiting = |lane: &Lane<_>| lane.rows.is_empty() && lane.next != Next::End;
            return !self.lanes.iter().any(is_waiting) && self.lanes.iter().any(|lane| !lane.rows.is_empty());
        }
        // Without an order, items are given as they come; lanes are fetched together once none are left.
        self.lanes.iter().any(|lane| !lane.rows.is_empty())
    }

    /// Fetches pages until the next item is available; false at the end.
    async fn fill(&mut self) -> Result<bool> {
        while !self.is_ready() {
            let is_waiting = |lane: &Lane<_>| lane.rows.is_empty() && lane.next != Next::End;
            let all = self.lanes.iter().filter(|lane| is_waiting(lane)).count();
            let waiting = self.lanes.iter().enumerate().filter(|(_, lane)| is_waiting(lane));
            // All lanes in parallel if all are needed; otherwise only the first, which may be enough.
            let at_once = if self.merges || self.hint.is_none() { CONCURRENCY } else { 1 };
            let waiting: Vec<(usize, Next)> =
                waiting.take(at_once).map(|(index, lane)| (index, lane.next.clone())).collect();
            if waiting.is_empty() {
                return Ok(false);
            }
            let budget = self.max_evaluated.map(|most| most.saturating_sub(self.evaluated));
            if budget == Some(0) {
                return Ok(false);
            }
            if self.reader.plan.operation == Operation::BATCH_GET_ITEM {
                self.get_items().await?;
                continue;
            }
            // Merged lanes are all needed, so each gets a share.
            let sharing = if self.merges { all } else { waiting.len() };
            let each = budget.map(|budget| (budget / sharing as u64).max(1));
            let most = self.reader.plan.hydrates.then_some(HYDRATED_AT_ONCE);
            let limit = [each, self.hint, most].into_iter().flatten().min();
            let waiting = waiting
                .iter()
                .take(budget.map_or(usize::MAX, |budget| usize::try_from(budget).unwrap_or(usize::MAX)));
            let fetches = waiting.map(|(lane, next)| self.reader.fetch(*lane, next, limit, false));
            for fetched in join_all(fetches).await {
                self.read(&fetched?)?;
            }
            self.complete().await?;
        }
        Ok(true)
    }

    /// Reads the next keys of a batch get.
    async fn get_items(&mut self) -> Result<()> {
        let plan = &self.reader.plan;
        let Some(lane) = self.lanes.first_mut() else { return Ok(()) };
        let start = match &lane.next {
            Next::Start => 0,
            Next::After(last) => {
                plan.keys.iter().position(|key| key.json == *last).map_or(usize::MAX, |at| at + 1)
            }
            Next::End => usize::MAX,
        };
        let left = plan.keys.get(start..).unwrap_or_default();
        let budget = self.max_evaluated.map(|most| most.saturating_sub(self.evaluated));
        // Some keys may have no item. Each round reads twice as many, so that few requests are needed.
        let hint = self.hint.map(|hint| hint.max(self.evaluated));
        let most = [budget, hint, Some(MAX_BATCH_GET_ITEMS as u64)].into_iter().flatten().min();
        let most = usize::try_from(most.unwrap_or_default()).unwrap_or(MAX_BATCH_GET_ITEMS);
        let keys: Vec<EncodedKey> = left.iter().take(most).cloned().collect();
        lane.next = match keys.last() {
            Some(last) if keys.len() < left.len() => Next::After(last.json.clone()),
            _ => Next::End,
        };
        let incomplete = |key: EncodedKey| {
            let position = Position::alone(key.json.clone());
            Incomplete { lane: 0, position, key, sort: Vec::new() }
        };
        self.incomplete = keys.into_iter().map(incomplete).collect();
        self.evaluated = self.evaluated.saturating_add(self.incomplete.len() as u64);
        self.complete().await
    }

    /// Reads the incomplete items, and keeps those that meet the conditions, since the index may lag behind
    /// the table.
    async fn complete(&mut self) -> Result<()> {
        if self.incomplete.is_empty() {
            return Ok(());
        }
        let incomplete = std::mem::take(&mut self.incomplete);
        let (plan, database, subject) = (&self.reader.plan, self.reader.database(), self.reader.subject());
        let keys = incomplete.iter().map(|item| item.key.clone()).collect();
        let (items, stats) = get_items(database, plan.info, keys, plan.consistent, subject).await?;
        self.stats += stats;
        for (index, (found, json)) in incomplete.into_iter().zip(items).enumerate() {
            let Some(json) = json else { continue };
            let decoded = decode(&json, plan, &self.selection)
                .map_err(|error| error.at_index(index).in_field(plan.info.table))
                .map_err(|error| Error::undecodable(subject.clone(), &error))?;
            if let (Some(value), Some(lane)) = (decoded, self.lanes.get_mut(found.lane)) {
                lane.rows.push_back(Row { value, position: found.position, sort: found.sort });
            }
        }
        Ok(())
    }

    /// Takes the next item; in order, if several lanes are merged.
    fn take(&mut self) -> Option<Row<S::Output>> {
        let filled =
            || self.lanes.iter().enumerate().filter_map(|(index, lane)| Some((index, lane.rows.front()?)));
        let lane = if self.merges {
            let descending = self.reader.plan.descending;
            let mut best: Option<(usize, &Row<S::Output>)> = None;
            for (index, row) in filled() {
                let is_better = best.is_none_or(|(_, best)| {
                    let order = order_of_sorts(&row.sort, &best.sort);
                    if descending { order.is_gt() } else { order.is_lt() }
                });
                if is_better {
                    best = Some((index, row));
                }
            }
            best?.0
        } else {
            filled().next()?.0
        };
        let lane = self.lanes.get_mut(lane)?;
        let row = lane.rows.pop_front()?;
        if let Next::After(given) = &mut lane.given {
            given.clear();
            given.extend_from_slice(row.position.json());
        } else {
            lane.given = Next::After(row.position.json().to_vec());
        }
        Some(row)
    }

    /// Takes the items of a page, and returns the number of matches by the server's count.
    fn read(&mut self, fetched: &Fetched) -> Result<Option<u64>> {
        let undecodable = |error: ValueError| Error::undecodable(self.reader.subject().clone(), &error);
        let Some(lane) = self.lanes.get_mut(fetched.lane) else { return Ok(None) };
        let (plan, selection, merges) = (&self.reader.plan, &self.selection, self.merges);
        let (names, mut positions) = (plan.position_keys(), Encoder::default());
        let (mut rows, mut incomplete) = (Vec::new(), Vec::new());
        let summary = self.reader.read(fetched, &mut |index, item| {
            if plan.hydrates {
                let key = EncodedKey::of_item(plan.info, item)?;
                let sort = if merges { sort_values(item, plan)? } else { Vec::new() };
                incomplete.push((key, Position::write(&names, item, &mut positions)?, sort));
                return Ok(());
            }
            let is_match = match &plan.local {
                Some(local) => matches(local, item)?,
                None => true,
            };
            let decoded = if is_match { selection.decode(item) } else { Ok(None) };
            if let Some(value) = decoded.map_err(|error| error.at_index(index).in_field(plan.info.table))? {
                let sort = if merges { sort_values(item, plan)? } else { Vec::new() };
                rows.push((value, Position::write(&names, item, &mut positions)?, sort));
            }
            Ok(())
        });
        let summary = summary.map_err(undecodable)?;
        lane.next = match summary.last {
            Some(last) => {
                lane.progress.advance(plan, fetched.lane, &lane.next, last).map_err(undecodable)?;
                Next::After(last.as_bytes().to_vec())
            }
            None => Next::End,
        };
        let page = Arc::new(positions.into_bytes());
        lane.rows.extend(rows.into_iter().map(|(value, range, sort)| Row {
            value,
            position: Position::new(&page, range),
            sort,
        }));
        self.incomplete.extend(incomplete.into_iter().map(|(key, range, sort)| Incomplete {
            lane: fetched.lane,
            key,
            position: Position::new(&page, range),
            sort,
        }));
        self.stats.requests += 1;
        self.stats.consumed_capacity += summary.units;
        self.evaluated = self.evaluated.saturating_add(summary.evaluated());
        Ok(summary.count)
    }
}

/// Calls the `retrieved` hook of an item that is given out.
async fn run_retrieved<E: Entity, S: Selection<E>>(value: &mut S::Output, database: &Database) {
    if let Some(hook) = S::retrieved(value, database) {
        hook.await;
    }
}

/// Decodes an item if it meets the conditions.
fn decode<E: Entity, S: Selection<E>>(
    json: &[u8],
    plan: &Plan,
    selection: &S,
) -> std::result::Result<Option<S::Output>, ValueError> {
    let text = std::str::from_utf8(json).map_err(|_| ValueError::new("not UTF-8"))?;
    let item = Item::next(&mut Scanner::new(text))?;
    let is_match = match &plan.local {
        Some(local) => matches(local, &item)?,
        None => true,
    };
    let is_live = match &plan.live {
        Some(live) => matches(live, &item)?,
        None => true,
    };
    if is_match && is_live && is_of_type(&item, plan.info)? { selection.decode(&item) } else { Ok(None) }
}

/// The values by which the item is sorted.
fn sort_values(item: &Item<'_>, plan: &Plan) -> std::result::Result<Vec<Vec<u8>>, ValueError> {
    let value = |name: &&str| {
        let mut encoder = Encoder::default();
        item.get(name)?.into_iter().for_each(|value| value.write(&mut encoder));
        Ok(encoder.into_bytes())
    };
    plan.sort_attributes.iter().map(value).collect()
}

fn order_of_sorts(one: &[Vec<u8>], other: &[Vec<u8>]) -> std::cmp::Ordering {
    let orders = one.iter().zip(other).filter_map(|(one, other)| order_of_values(one, other).ok().flatten());
    orders.into_iter().find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
}

/// True if several partitions are merged into one order. With several partitions, an order is accepted only
/// if there is a sort key to merge by.
pub(super) fn is_merged(plan: &Plan) -> bool {
    plan.operation == Operation::QUERY && plan.partitions.len() > 1 && !plan.sort_attributes.is_empty()
}
