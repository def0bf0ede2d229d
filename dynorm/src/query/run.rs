//! Carries a plan out: page after page, of one partition or of several side by side, item by item to whoever asks.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use futures_util::future::join_all;

use super::Selection;
use super::evaluate::{matches, order_of_values};
use super::plan::Plan;
use crate::batch::{MAX_BATCH_GET_ITEMS, Stats, get_items};
use crate::codec::{Encoder, Item, Request, Scanner, ValueError};
use crate::database::Database;
use crate::entity::{EncodedKey, Entity, is_of_type};
use crate::error::{Doing, Error, Report, Result, Subject};
use crate::expression::{DocumentPath, Expression, Json, check_bytes, check_operators};
use crate::transport::{self, Answer, Failure, FailureKind, Operation};

/// How many items of an index are completed at a time.
const HYDRATED_AT_ONCE: u64 = 400;

/// How many partitions or segments are read at a time.
const CONCURRENCY: usize = 8;

/// What is asked of DynamoDB: everything but the place where a page begins.
#[derive(Debug)]
pub(super) struct Reader {
    database: Database,
    pub(super) plan: Plan,
    table: String,
    subject: Subject,
    /// The attributes that are wanted; all, if it is not said.
    select: Option<Vec<DocumentPath>>,
    segments: u32,
}

/// Where a lane goes on: a partition, or a segment of a scan.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Next {
    Start,
    After(Vec<u8>),
    End,
}

/// What a page brought.
struct Fetched {
    answer: Answer,
    lane: usize,
}

impl Reader {
    pub(super) fn new(
        database: Database,
        plan: Plan,
        select: Option<Vec<DocumentPath>>,
        segments: u32,
        doing: Doing,
    ) -> Result<Self> {
        let table = database.table(plan.info);
        let subject = Subject::of(plan.info).in_table(table.clone()).during(doing);
        let reader = Self { database, plan, table, subject, select, segments };
        reader.check().map_err(|error| Error::invalid(reader.subject.clone(), &error))?;
        Ok(reader)
    }

    pub(super) fn lanes(&self) -> usize {
        match self.plan.operation {
            operation if operation == Operation::SCAN => usize::try_from(self.segments).unwrap_or(1).max(1),
            operation if operation == Operation::BATCH_GET_ITEM => 1,
            _ => self.plan.partitions.len(),
        }
    }

    /// What of the limits of DynamoDB can be told before anything is sent.
    fn check(&self) -> std::result::Result<(), ValueError> {
        let operators: usize = self.plan.filter.iter().map(super::Node::operators).sum();
        check_operators("the conditions have", operators)?;
        let (expression, _) = self.expression(0, false, true)?;
        check_bytes("the conditions make", expression.longest())
    }

    fn expression(
        &self,
        lane: usize,
        counting: bool,
        with_live: bool,
    ) -> std::result::Result<(Expression, String), ValueError> {
        let mut expression = Expression::default();
        if let Some(values) = self.plan.partitions.get(lane) {
            for (name, value) in self.plan.partition.iter().zip(values) {
                expression.add_key_condition(name, value.clone());
            }
        }
        for sort in &self.plan.sort {
            let text = sort.render(&mut expression)?;
            expression.and_key_condition(&text);
        }
        let mut filters = Vec::new();
        // Other entities may share the table, so the type is always asked for.
        if let Some(attribute) = self.plan.info.type_attribute {
            let name = Json::text(self.plan.info.name);
            filters.push(format!("{} = {}", expression.name(attribute), expression.encoded_value(name)));
        }
        if let Some(filter) = &self.plan.filter {
            filters.push(filter.render(&mut expression)?);
        }
        if let Some(live) = self.plan.live.as_ref().filter(|_| with_live) {
            filters.push(live.render(&mut expression)?);
        }
        expression.set_filter(match filters.as_slice() {
            [one] => one.clone(),
            filters => {
                let filters: Vec<String> = filters.iter().map(|filter| format!("({filter})")).collect();
                filters.join(" AND ")
            }
        });
        let mut projection = Vec::new();
        if counting {
            // A name that no expression uses would be refused.
        } else if self.plan.hydrates {
            let keys = self.plan.position_keys().into_iter();
            projection = keys.map(|name| DocumentPath::of(name).render(&mut expression)).collect();
        } else if let Some(select) = &self.select {
            let keys = self.plan.position_keys().into_iter().map(DocumentPath::of);
            // An element alone would come as the first of a list, so the list is asked for.
            let select = select.iter().cloned().map(DocumentPath::before_elements);
            let mut paths: Vec<DocumentPath> = keys.chain(select).collect();
            if let Some(local) = &self.plan.local {
                // What is checked here has to be here.
                local.each_path(&mut |path| paths.push(path.clone().before_elements()));
            }
            // DynamoDB takes no path that lies within another.
            paths.sort_by_key(DocumentPath::depth);
            let mut apart: Vec<DocumentPath> = Vec::with_capacity(paths.len());
            for path in paths {
                if !apart.iter().any(|known| known.holds(&path)) {
                    apart.push(path);
                }
            }
            let paths = apart;
            projection = paths.iter().map(|path| path.render(&mut expression)).collect();
        }
        Ok((expression, projection.join(", ")))
    }

    /// What the query is, for a fingerprint.
    pub(super) fn identity(&self, lane: usize) -> std::result::Result<Vec<u8>, ValueError> {
        self.request(lane, &Next::Start, None, self.expression(lane, false, false)?, false)
    }

    /// The request for a page.
    fn body(
        &self,
        lane: usize,
        start: &Next,
        limit: Option<u64>,
        counting: bool,
    ) -> std::result::Result<Vec<u8>, ValueError> {
        self.request(lane, start, limit, self.expression(lane, counting, true)?, counting)
    }

    fn request(
        &self,
        lane: usize,
        start: &Next,
        limit: Option<u64>,
        (expression, projection): (Expression, String),
        counting: bool,
    ) -> std::result::Result<Vec<u8>, ValueError> {
        let mut request = Request::for_table(&self.table, 512);
        if !self.plan.keys.is_empty() {
            request.array("Keys", &mut self.plan.keys.iter(), |key, encoder| encoder.raw(&key.json));
        }
        if let Some(index) = self.plan.index {
            request.text("IndexName", index.name);
        }
        expression.write(&mut request);
        request.flag("ConsistentRead", self.plan.consistent);
        if counting {
            request.text("Select", "COUNT");
        } else if !projection.is_empty() {
            request.text("ProjectionExpression", &projection);
        }
        if self.plan.descending {
            request.json("ScanIndexForward", b"false");
        }
        if self.plan.operation == Operation::SCAN && self.segments > 1 {
            request.json("Segment", lane.to_string().as_bytes());
            request.json("TotalSegments", self.segments.to_string().as_bytes());
        }
        if let Some(limit) = limit {
            request.json("Limit", limit.to_string().as_bytes());
        }
        if let Next::After(key) = start {
            request.json("ExclusiveStartKey", key);
        }
        request.text("ReturnConsumedCapacity", "TOTAL");
        Ok(request.finish())
    }

    async fn fetch(&self, lane: usize, start: &Next, limit: Option<u64>, counting: bool) -> Result<Fetched> {
        let body = self.body(lane, start, limit, counting);
        let body = body.map_err(|error| Error::invalid(self.subject.clone(), &error))?;
        let answer = transport::send(self.database.carrier(), self.plan.operation, &self.table, body).await;
        let answer = answer.map_err(|failure| self.error(failure))?;
        Ok(Fetched { answer, lane })
    }

    /// DynamoDB says of an index that is not there only that the request is not valid.
    fn error(&self, failure: Failure) -> Error {
        let says = |what: &str| failure.message.contains(what);
        let is_missing = says("specified index");
        let is_new = says("backfilling");
        match self.plan.index {
            Some(index) if failure.kind == FailureKind::Rejected && (is_missing || is_new) => {
                let problem = if is_new { "is still being built" } else { "does not exist" };
                let detail = format!(
                    "the index `{}` {problem}: `create_table::<{}>()` tells what else the table lacks",
                    index.name, self.plan.info.name
                );
                Error::TableMismatch(Report::new(self.subject.clone(), detail, None))
            }
            _ => failure.into_error(self.subject.clone()),
        }
    }

    /// Writes the place of an item, as a page can begin behind it, and says where it was written. `names` are those of
    /// [`Plan::position_keys`].
    fn position(
        names: &[&str],
        item: &Item<'_>,
        positions: &mut Encoder,
    ) -> std::result::Result<Range<usize>, ValueError> {
        let start = positions.len();
        let mut separator = b'{';
        for name in names {
            if let Some(value) = item.get(name)? {
                positions.push(std::mem::replace(&mut separator, b','));
                positions.json_string(name);
                positions.push(b':');
                value.write(positions);
            }
        }
        if separator == b'{' {
            positions.push(b'{');
        }
        positions.push(b'}');
        Ok(start..positions.len())
    }

    pub(super) fn database(&self) -> &Database {
        &self.database
    }

    pub(super) fn subject(&self) -> &Subject {
        &self.subject
    }
}

/// The place of an item. Those of a page are written into one buffer.
#[derive(Clone)]
pub(super) struct Position {
    page: Arc<Vec<u8>>,
    range: Range<usize>,
}

impl Position {
    pub(super) fn json(&self) -> &[u8] {
        self.page.get(self.range.clone()).unwrap_or_default()
    }
}

/// An item that was read, with its place.
pub(super) struct Row<T> {
    pub(super) value: T,
    pub(super) position: Position,
    sort: Vec<Vec<u8>>,
}

struct Lane<T> {
    /// Where its next page begins.
    next: Next,
    /// Where the item that was given out last lies; what a cursor begins behind while others are waiting.
    taken: Next,
    rows: VecDeque<Row<T>>,
}

/// An item that an index has told of.
struct Told {
    lane: usize,
    key: EncodedKey,
    position: Position,
    sort: Vec<Vec<u8>>,
}

/// A query on its way.
pub(super) struct Run<E: Entity, S: Selection<E>> {
    pub(super) reader: Reader,
    selection: S,
    lanes: Vec<Lane<S::Output>>,
    /// What an index has told of, and has to be completed.
    told: Vec<Told>,
    /// Several partitions are merged into one order.
    merges: bool,
    /// How many items are wanted in all, if no condition leaves any out: more need not be read.
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
        let lanes = lanes.into_iter().map(|next| Lane { taken: next.clone(), next, rows: VecDeque::new() });
        let plan = &reader.plan;
        let drops = plan.filter.is_some()
            || plan.local.is_some()
            || plan.live.is_some()
            || plan.info.type_attribute.is_some();
        Self {
            told: Vec::new(),
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

    /// The next item; `None` at the end, or when as many were evaluated as may be.
    pub(super) async fn pop(&mut self) -> Result<Option<S::Output>> {
        Ok(self.pop_row().await?.map(|row| row.value))
    }

    /// The same, with its place.
    pub(super) async fn pop_row(&mut self) -> Result<Option<Row<S::Output>>> {
        if !self.fill().await? {
            return Ok(None);
        }
        let mut row = self.take();
        if let Some(row) = &mut row {
            give::<E, S>(&mut row.value, self.reader.database()).await;
        }
        Ok(row)
    }

    /// True if there was another item, which nobody gets.
    pub(super) async fn pass(&mut self) -> Result<bool> {
        Ok(self.fill().await? && self.take().is_some())
    }

    /// Everything that can be had without another request, once there is something, but not more than `most`.
    pub(super) async fn chunk(&mut self, most: usize) -> Result<Vec<S::Output>> {
        let mut chunk = Vec::new();
        if self.fill().await? {
            while self.is_ready()
                && chunk.len() < most
                && let Some(mut row) = self.take()
            {
                give::<E, S>(&mut row.value, self.reader.database()).await;
                chunk.push(row.value);
            }
        }
        Ok(chunk)
    }

    /// True if there is another item.
    pub(super) async fn has_more(&mut self) -> Result<bool> {
        Ok(self.fill().await? || !self.is_at_end())
    }

    /// Where each lane goes on.
    pub(super) fn positions(&self) -> Vec<Next> {
        let position =
            |lane: &Lane<_>| if lane.rows.is_empty() { lane.next.clone() } else { lane.taken.clone() };
        self.lanes.iter().map(position).collect()
    }

    /// True if the lanes have ended, rather than what may be evaluated.
    pub(super) fn is_at_end(&self) -> bool {
        self.lanes.iter().all(|lane| lane.rows.is_empty() && lane.next == Next::End)
    }

    pub(super) fn finish(&mut self, items: u64) -> Stats {
        self.stats.items = items;
        self.stats.elapsed = self.start.elapsed();
        self.stats.clone()
    }

    /// Counts without reading items, where every item that is found counts.
    pub(super) async fn count_all(&mut self) -> Result<u64> {
        let mut count = 0;
        loop {
            let lanes = self.lanes.iter().enumerate().filter(|(_, lane)| lane.next != Next::End);
            let lanes: Vec<(usize, Next)> =
                lanes.take(CONCURRENCY).map(|(index, lane)| (index, lane.next.clone())).collect();
            if lanes.is_empty() {
                return Ok(count);
            }
            let fetches = lanes.iter().map(|(lane, next)| self.reader.fetch(*lane, next, None, true));
            for fetched in join_all(fetches).await {
                count += self.read(&fetched?, true)?;
            }
        }
    }

    /// True if the next item can be told.
    fn is_ready(&self) -> bool {
        if self.merges {
            let is_waiting = |lane: &Lane<_>| lane.rows.is_empty() && lane.next != Next::End;
            return !self.lanes.iter().any(is_waiting) && self.lanes.iter().any(|lane| !lane.rows.is_empty());
        }
        // In no order, so that what is there goes first and all lanes are fetched side by side once it is gone.
        self.lanes.iter().any(|lane| !lane.rows.is_empty())
    }

    /// Fetches pages until the next item can be told; false at the end.
    async fn fill(&mut self) -> Result<bool> {
        while !self.is_ready() {
            let is_waiting = |lane: &Lane<_>| lane.rows.is_empty() && lane.next != Next::End;
            let all = self.lanes.iter().filter(|lane| is_waiting(lane)).count();
            let waiting = self.lanes.iter().enumerate().filter(|(_, lane)| is_waiting(lane));
            // All at a time where all are needed, the first alone where perhaps it is enough.
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
            // Lanes that are merged are all needed, so each has to have its part.
            let sharing = if self.merges { all } else { waiting.len() };
            let each = budget.map(|budget| (budget / sharing as u64).max(1));
            let most = self.reader.plan.hydrates.then_some(HYDRATED_AT_ONCE);
            let limit = [each, self.hint, most].into_iter().flatten().min();
            let waiting = waiting
                .iter()
                .take(budget.map_or(usize::MAX, |budget| usize::try_from(budget).unwrap_or(usize::MAX)));
            let fetches = waiting.map(|(lane, next)| self.reader.fetch(*lane, next, limit, false));
            for fetched in join_all(fetches).await {
                self.read(&fetched?, false)?;
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
        // Some keys may have no item: then twice as many are read, so that the last is found in a few requests.
        let hint = self.hint.map(|hint| hint.max(self.evaluated));
        let most = [budget, hint, Some(MAX_BATCH_GET_ITEMS as u64)].into_iter().flatten().min();
        let most = usize::try_from(most.unwrap_or_default()).unwrap_or(MAX_BATCH_GET_ITEMS);
        let keys: Vec<EncodedKey> = left.iter().take(most).cloned().collect();
        lane.next = match keys.last() {
            Some(last) if keys.len() < left.len() => Next::After(last.json.clone()),
            _ => Next::End,
        };
        let told = |key: EncodedKey| {
            let position = Position { range: 0..key.json.len(), page: Arc::new(key.json.clone()) };
            Told { lane: 0, position, key, sort: Vec::new() }
        };
        self.told = keys.into_iter().map(told).collect();
        self.evaluated += self.told.len() as u64;
        self.complete().await
    }

    /// Reads the items that are told of, and keeps those that meet the conditions: an index may tell of what has changed since.
    async fn complete(&mut self) -> Result<()> {
        if self.told.is_empty() {
            return Ok(());
        }
        let told = std::mem::take(&mut self.told);
        let Reader { plan, database, subject, .. } = &self.reader;
        let keys = told.iter().map(|told| told.key.clone()).collect();
        let (items, stats) = get_items(database, plan.info, keys, plan.consistent, subject).await?;
        self.stats += stats;
        for (index, (told, json)) in told.into_iter().zip(items).enumerate() {
            let Some(json) = json else { continue };
            let decoded = decode(&json, plan, &self.selection)
                .map_err(|error| error.at_index(index).in_field(plan.info.table))
                .map_err(|error| Error::undecodable(subject.clone(), &error))?;
            if let (Some(value), Some(lane)) = (decoded, self.lanes.get_mut(told.lane)) {
                lane.rows.push_back(Row { value, position: told.position, sort: told.sort });
            }
        }
        Ok(())
    }

    /// Takes the next item out; in order, if several lanes are merged.
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
        if let Next::After(taken) = &mut lane.taken {
            taken.clear();
            taken.extend_from_slice(row.position.json());
        } else {
            lane.taken = Next::After(row.position.json().to_vec());
        }
        Some(row)
    }

    /// Takes in a page, and gives the number of matches that the server counts.
    fn read(&mut self, fetched: &Fetched, counting: bool) -> Result<u64> {
        let undecodable = |error: ValueError| Error::undecodable(self.reader.subject.clone(), &error);
        let Some(lane) = self.lanes.get_mut(fetched.lane) else { return Ok(0) };
        let (mut count, mut scanned, mut next, mut units) = (None, None, Next::End, 0.0);
        let (reader, selection, before) = (&self.reader, &self.selection, &lane.next);
        let (mut rows, mut told) = (Vec::new(), Vec::new());
        let (names, mut positions) = (reader.plan.position_keys(), Encoder::default());
        let mut item = Item::default();
        let mut index = 0usize;
        let number = |text: &str| text.parse().map_err(|_| ValueError::new("the count is no number"));
        let text = fetched.answer.text().map_err(undecodable)?;
        let read = Scanner::new(text).object(|key, scanner| {
            match key.text {
                "Items" if reader.plan.hydrates => scanner.array(|scanner| {
                    item.refill(scanner)?;
                    let key = EncodedKey::of_item(reader.plan.info, &item)?;
                    let sort = if self.merges { sort_values(&item, &reader.plan)? } else { Vec::new() };
                    told.push((key, Reader::position(&names, &item, &mut positions)?, sort));
                    Ok(())
                })?,
                "Items" => scanner.array(|scanner| {
                    item.refill(scanner)?;
                    let is_match = match &reader.plan.local {
                        Some(local) => matches(local, &item)?,
                        None => true,
                    };
                    let decoded = if is_match { selection.decode(&item) } else { Ok(None) };
                    let table = reader.plan.info.table;
                    if let Some(value) = decoded.map_err(|error| error.at_index(index).in_field(table))? {
                        let sort = if self.merges { sort_values(&item, &reader.plan)? } else { Vec::new() };
                        rows.push((value, Reader::position(&names, &item, &mut positions)?, sort));
                    }
                    index += 1;
                    Ok(())
                })?,
                "Count" => count = Some(number(scanner.skip()?)?),
                "ScannedCount" => scanned = Some(number(scanner.skip()?)?),
                "ConsumedCapacity" => units = consumed(scanner)?,
                "LastEvaluatedKey" => match scanner.skip()? {
                    "null" => {}
                    key if *before == Next::After(key.as_bytes().to_vec()) => {
                        return Err(ValueError::new("the server gives the same page again and again"));
                    }
                    key => next = Next::After(key.as_bytes().to_vec()),
                },
                _ => {
                    scanner.skip()?;
                }
            }
            Ok(())
        });
        read.map_err(undecodable)?;
        let page = Arc::new(positions.into_bytes());
        let place = |range| Position { page: page.clone(), range };
        lane.rows.extend(rows.into_iter().map(|(value, range, sort)| Row {
            value,
            position: place(range),
            sort,
        }));
        lane.next = next;
        let told = told.into_iter().map(|(key, range, sort)| (key, place(range), sort));
        let lane = fetched.lane;
        self.told.extend(told.map(|(key, position, sort)| Told { lane, key, position, sort }));
        self.stats.requests += 1;
        self.stats.consumed_capacity += units;
        self.evaluated += scanned.or(count).unwrap_or_default();
        match count {
            Some(count) => Ok(count),
            None if !counting => Ok(0),
            None => Err(Error::undecodable(
                self.reader.subject.clone(),
                &ValueError::new("the answer has no count"),
            )),
        }
    }
}

/// Somebody gets it.
async fn give<E: Entity, S: Selection<E>>(value: &mut S::Output, database: &Database) {
    if let Some(hook) = S::retrieved(value, database) {
        hook.await;
    }
}

/// Decodes a whole item, if it meets the conditions.
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

/// What the item is sorted by.
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

/// True if several partitions are merged into one order. An order is asked of them only where there is a sort key, so there is
/// one to merge by.
pub(super) fn is_merged(plan: &Plan) -> bool {
    plan.operation == Operation::QUERY && plan.partitions.len() > 1 && !plan.sort_attributes.is_empty()
}

fn consumed(scanner: &mut Scanner<'_>) -> std::result::Result<f64, ValueError> {
    let mut units = 0.0;
    if scanner.peek() != Some(b'{') {
        scanner.skip()?;
        return Ok(units);
    }
    scanner.object(|member, scanner| {
        let value = scanner.skip()?;
        if member.text == "CapacityUnits" {
            units = value.parse().unwrap_or_default();
        }
        Ok(())
    })?;
    Ok(units)
}
