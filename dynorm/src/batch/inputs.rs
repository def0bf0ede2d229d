//! Inputs that are all at hand.

use std::collections::HashMap;
use std::future::ready;
use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;

use super::engine::{Input, Inputs, Room, TableSpec, run};
use super::items::get_items;
use super::stats::count;
use super::wire::{Body, Kind, Work};
use super::{Fate, Fates, Settings, Stats};
use crate::codec::{Encoder, Item, ValueError};
use crate::database::Database;
use crate::encoded::EncodedItem;
use crate::entity::{Entity, EntityInfo, Stamp, decode_json, encode_into, encode_key};
use crate::error::{Error, Result, Subject};
use crate::expression::{Existence, Expression, Node};
use crate::hooks::{self, Event};
use crate::operation::{Held, delete_expression, mark_changes, mark_expression};
use crate::rules::version_before;
use crate::unique::{Claim, Claimed, Known, claims_of};

/// Inputs of one entity.
pub(super) trait Group: Send {
    fn info(&self) -> &'static EntityInfo;

    fn len(&self) -> usize;

    /// Encodes an input, for the table at a position of the tables of the batch.
    fn body(&mut self, index: usize, table: usize) -> Result<Body>;

    /// The key of an input, as an error shows it.
    fn describe(&self, index: usize) -> Option<String>;

    /// The item that answers these inputs.
    fn found(&mut self, _: &[usize], _: &Item<'_>) -> std::result::Result<(), ValueError> {
        Ok(())
    }

    /// How its inputs are sent.
    fn work(&self) -> Work;

    /// An input once more, with what is known of its item by now.
    fn again(&mut self, _: usize, _: usize, _: &Known) -> Option<Result<Body>> {
        None
    }

    /// Reads are consistent.
    fn consistent(&self) -> bool {
        false
    }

    /// Runs the hooks before it, unless that is done: before anything is sent.
    fn before<'g>(&'g mut self, _: &'g Database) -> BoxFuture<'g, Result<()>> {
        Box::pin(ready(Ok(())))
    }

    /// Stamps what is to be saved, unless that is done.
    fn stamp(&mut self, _: &Stamp) {}

    /// Runs the hooks after it, of these inputs.
    fn after<'g>(&'g mut self, _: &'g Database, _: Vec<usize>) -> BoxFuture<'g, ()> {
        Box::pin(ready(()))
    }
}

/// Entities that are put.
pub(super) struct Puts<E, H> {
    pub(super) held: Vec<H>,
    pub(super) kind: Kind,
    pub(super) begun: Option<Begun>,
    /// What each is encoded into, one after another.
    scratch: Encoder,
    of: PhantomData<fn() -> E>,
}

/// What came of the hooks before a batch. Without hooks there is nothing in it.
#[derive(Default)]
pub(super) struct Begun {
    events: Vec<Event>,
    refused: HashMap<usize, Error>,
    stamped: bool,
}

impl<E: Entity, H: Held<E>> Puts<E, H> {
    pub(super) fn new(held: Vec<H>, kind: Kind) -> Self {
        Self { held, kind, begun: None, scratch: Encoder::for_items(), of: PhantomData }
    }

    /// What the save of an entity was before it was stamped.
    fn event(&self, index: usize) -> Event {
        let events = self.begun.as_ref().map(|begun| &begun.events);
        events.and_then(|events| events.get(index).copied()).unwrap_or(Event::Save { is_new: None })
    }

    /// Those of an earlier batch.
    pub(super) fn again_of(held: Vec<H>, kind: Kind, begun: Option<Begun>) -> Self {
        Self { begun, ..Self::new(held, kind) }
    }
}

impl<E: Entity, H: Held<E>> Group for Puts<E, H> {
    fn info(&self) -> &'static EntityInfo {
        E::INFO
    }

    fn len(&self) -> usize {
        self.held.len()
    }

    fn body(&mut self, index: usize, table: usize) -> Result<Body> {
        let refused = self.begun.as_mut().map(|begun| &mut begun.refused);
        if let Some(refusal) = refused.and_then(|refused| take(refused, index)) {
            return Err(refusal);
        }
        let event = self.event(index);
        let held = self.held.get(index).ok_or(Error::NoDatabase)?;
        put(held.entity(), self.kind, event, table, None, &mut self.scratch)
    }

    fn again(&mut self, index: usize, table: usize, known: &Known) -> Option<Result<Body>> {
        let (event, held) = (self.event(index), self.held.get(index)?);
        Some(put(held.entity(), self.kind, event, table, Some(known), &mut self.scratch))
    }

    fn before<'g>(&'g mut self, database: &'g Database) -> BoxFuture<'g, Result<()>> {
        Box::pin(async move {
            if self.begun.is_some() {
                return Ok(());
            }
            let mut begun = Begun::default();
            for (index, held) in self.held.iter_mut().enumerate() {
                let event = Event::save(held.entity(), self.kind == Kind::Create);
                begun.events.push(event);
                if let Err(refusal) = hooks::before(database, held.entity_mut(), event).await {
                    begun.refused.insert(index, refusal);
                }
            }
            self.begun = Some(begun);
            Ok(())
        })
    }

    fn stamp(&mut self, stamp: &Stamp) {
        let begun = self.begun.get_or_insert_default();
        if std::mem::replace(&mut begun.stamped, true) {
            return;
        }
        for (index, held) in self.held.iter_mut().enumerate() {
            // One that is refused is as new as it was.
            if !begun.refused.contains_key(&index) {
                held.stamp(stamp);
            }
        }
    }

    fn after<'g>(&'g mut self, database: &'g Database, done: Vec<usize>) -> BoxFuture<'g, ()> {
        Box::pin(async move {
            let events = self.begun.as_ref().map(|begun| &begun.events);
            for index in done {
                if let Some(held) = self.held.get_mut(index)
                    && let Some(event) = events.and_then(|events| events.get(index))
                {
                    hooks::after(database, held.entity_mut(), *event).await;
                }
            }
        })
    }

    fn work(&self) -> Work {
        put_work(E::INFO, self.kind)
    }

    fn describe(&self, index: usize) -> Option<String> {
        self.held.get(index).and_then(|held| describe::<E>(&held.entity().entity_key()))
    }
}

/// Keys of items that are deleted or read.
pub(super) struct Keys<E: Entity> {
    pub(super) keys: Vec<E::Key>,
    pub(super) rules: DeleteRules,
    pub(super) hooked: Hooked<E>,
}

/// The entities that keys stand for, for the hooks of their deletes. Without hooks there is nothing in it.
pub(super) struct Hooked<E> {
    entities: Vec<Option<E>>,
    refused: HashMap<usize, Error>,
    begun: bool,
}

impl<E> Default for Hooked<E> {
    fn default() -> Self {
        Self { entities: Vec::new(), refused: HashMap::new(), begun: false }
    }
}

impl<E: Entity> Hooked<E> {
    pub(super) fn of<'e>(entities: impl IntoIterator<Item = &'e E>) -> Self {
        let entities = entities.into_iter().filter(|_| E::INFO.hooks);
        Self { entities: entities.map(|entity| Some(entity.clone())).collect(), ..Self::default() }
    }
}

impl<E: Entity> Keys<E> {
    pub(super) fn new(keys: Vec<E::Key>) -> Self {
        Self { keys, rules: DeleteRules::default(), hooked: Hooked::default() }
    }

    pub(super) fn of<'e>(entities: impl IntoIterator<Item = &'e E>) -> Self {
        let entities: Vec<&E> = entities.into_iter().collect();
        let rules = DeleteRules::of(entities.iter().copied());
        let hooked = Hooked::of(entities.iter().copied());
        Self { keys: entities.into_iter().map(Entity::entity_key).collect(), rules, hooked }
    }

    /// Reads the items of keys, so that their hooks have entities. A key that cannot be encoded is refused later.
    async fn read(&mut self, database: &Database) -> Result<()> {
        let encoded = self.keys.iter().enumerate();
        let encoded = encoded.filter_map(|(index, key)| Some((index, encode_key::<E>(key).ok()?)));
        let (indices, keys): (Vec<usize>, Vec<_>) = encoded.unzip();
        let subject =
            Subject::of(E::INFO).in_table(database.table(E::INFO)).during("reading, for its hooks,");
        let (items, _) = get_items(database, E::INFO, keys, true, &subject).await?;
        self.hooked.entities = self.keys.iter().map(|_| None).collect();
        for (index, item) in indices.into_iter().zip(items) {
            let Some(json) = item else { continue };
            let decoded = decode_json(&json).map_err(|error| Error::undecodable(subject.clone(), &error))?;
            if let Some(slot) = self.hooked.entities.get_mut(index) {
                *slot = decoded;
            }
        }
        Ok(())
    }
}

/// What deletes need to know beside the keys.
#[derive(Clone, Default)]
pub(super) struct DeleteRules {
    /// The versions that the entities were read with.
    pub(super) versions: Option<Arc<[u64]>>,
    /// The items go, also where a delete would mark them.
    pub(super) force: bool,
}

impl DeleteRules {
    pub(super) fn of<'e, E: Entity>(entities: impl IntoIterator<Item = &'e E>) -> Self {
        let versions = E::INFO.version.is_some();
        let versions = versions
            .then(|| entities.into_iter().map(|entity| entity.item_version().unwrap_or_default()).collect());
        Self { versions, force: false }
    }
}

impl<E: Entity> Group for Keys<E> {
    fn info(&self) -> &'static EntityInfo {
        E::INFO
    }

    fn len(&self) -> usize {
        self.keys.len()
    }

    fn body(&mut self, index: usize, table: usize) -> Result<Body> {
        if let Some(refusal) = take(&mut self.hooked.refused, index) {
            return Err(refusal);
        }
        let version = self.rules.versions.as_ref().and_then(|versions| versions.get(index).copied());
        let force = self.rules.force;
        self.keys
            .get(index)
            .map_or(Err(Error::NoDatabase), |key| delete::<E>(key, version, force, table, None))
    }

    fn again(&mut self, index: usize, table: usize, known: &Known) -> Option<Result<Body>> {
        let version = self.rules.versions.as_ref().and_then(|versions| versions.get(index).copied());
        let key = self.keys.get(index)?;
        Some(delete::<E>(key, version, self.rules.force, table, Some(known)))
    }

    fn work(&self) -> Work {
        let marks = E::INFO.deleted_at.is_some() && !self.rules.force;
        let is_each = marks || self.rules.versions.is_some() || E::INFO.unique.is_some();
        if is_each { Work::Each } else { Work::Write }
    }

    fn describe(&self, index: usize) -> Option<String> {
        self.keys.get(index).and_then(describe::<E>)
    }

    fn before<'g>(&'g mut self, database: &'g Database) -> BoxFuture<'g, Result<()>> {
        Box::pin(async move {
            if !E::INFO.hooks || std::mem::replace(&mut self.hooked.begun, true) {
                return Ok(());
            }
            if self.hooked.entities.len() < self.keys.len()
                && let Err(error) = self.read(database).await
            {
                self.hooked.begun = false;
                return Err(error);
            }
            let event = Event::delete::<E>(self.rules.force);
            for (index, entity) in self.hooked.entities.iter_mut().enumerate() {
                if let Some(entity) = entity
                    && let Err(refusal) = hooks::before(database, entity, event).await
                {
                    self.hooked.refused.insert(index, refusal);
                }
            }
            Ok(())
        })
    }

    fn after<'g>(&'g mut self, database: &'g Database, done: Vec<usize>) -> BoxFuture<'g, ()> {
        Box::pin(async move {
            let event = Event::delete::<E>(self.rules.force);
            for index in done {
                if let Some(Some(entity)) = self.hooked.entities.get_mut(index) {
                    hooks::after(database, entity, event).await;
                }
            }
        })
    }
}

/// What was refused, of which there is hardly ever anything: then there is nothing to be hashed.
fn take(refused: &mut HashMap<usize, Error>, index: usize) -> Option<Error> {
    if refused.is_empty() { None } else { refused.remove(&index) }
}

/// How entities are put.
pub(super) const fn put_work(info: &'static EntityInfo, kind: Kind) -> Work {
    match kind {
        Kind::Create => Work::Each,
        _ if info.version.is_some() || info.unique.is_some() => Work::Each,
        _ => Work::Write,
    }
}

/// The put of an entity that is stamped, after what its `event` was before that.
pub(super) fn put<E: Entity>(
    entity: &E,
    kind: Kind,
    event: Event,
    table: usize,
    known: Option<&Known>,
    scratch: &mut Encoder,
) -> Result<Body> {
    scratch.clear();
    let keys = encode_into(entity, scratch)?;
    // What it is written into has room for any item, and many may wait here.
    let item = EncodedItem { json: scratch.as_bytes().to_vec(), keys };
    let claiming = match E::INFO.unique {
        Some(_) => Some(claiming(E::INFO, &item, event, known)?),
        None => None,
    };
    let body = Body::item(kind, table, E::INFO, item)?;
    let existence = if kind == Kind::Create { Existence::Absent } else { Existence::Any };
    let version =
        entity.item_version().filter(|_| kind != Kind::Create).map(|raised| raised.saturating_sub(1));
    let Some((found, claims)) = claiming else {
        return rule_of_put(E::INFO, body, existence, version, None);
    };
    // What is created takes the place of nothing, or of what has expired.
    let found = Some(found).filter(|_| kind != Kind::Create);
    let condition = found.as_ref().map(|found| found.before.condition(E::INFO));
    let body = rule_of_put(E::INFO, body, existence, version, condition)?;
    Ok(body.claiming(found, claims, known.is_none()))
}

/// What has to be claimed and released with a put: for what is known of the item, or else for a new one if the entity is
/// new, and for one with the values of the entity.
fn claiming(
    info: &'static EntityInfo,
    item: &EncodedItem,
    event: Event,
    known: Option<&Known>,
) -> Result<(Known, Vec<Claim>)> {
    let key = item.key(info);
    let claims = Claimed::of_json(info, &item.json).and_then(|after| {
        let known = match known {
            Some(known) => known.clone(),
            None if event == (Event::Save { is_new: Some(true) }) => Known::nothing(),
            None => Known::of(after.clone()),
        };
        let claims = claims_of(info, &key, &known, &after, false)?;
        Ok((known, claims))
    });
    claims.map_err(|error| Error::invalid(Subject::of(info).with_key(&key), &error))
}

fn rule_of_put(
    info: &'static EntityInfo,
    body: Body,
    existence: Existence,
    version: Option<u64>,
    condition: Option<Node>,
) -> Result<Body> {
    if existence == Existence::Any && version.is_none() && condition.is_none() {
        return Ok(body);
    }
    let mut expression = Expression::default();
    let condition = match version.and_then(|version| version_before(info, version)) {
        Some(node) => Some(Node::and_also(condition, node)),
        None => condition,
    };
    expression
        .set_condition(info, existence, condition.as_ref())
        .map_err(|error| Error::invalid(Subject::of(info), &error))?;
    Ok(body.ruled(&expression, version))
}

/// The delete of an item, or what marks it.
pub(super) fn delete<E: Entity>(
    key: &E::Key,
    version: Option<u64>,
    force: bool,
    table: usize,
    known: Option<&Known>,
) -> Result<Body> {
    let invalid = |error| Error::invalid(Subject::of(E::INFO), &error);
    let version = version.filter(|version| *version > 0);
    if E::INFO.deleted_at.is_some() && !force {
        let changes = mark_changes::<E>(key, None).map_err(invalid)?;
        let expression = mark_expression(E::INFO, &changes, version, None).map_err(invalid)?;
        return Ok(by_key::<E>(key, Kind::Mark, table)?.ruled(&expression, version));
    }
    let body = by_key::<E>(key, Kind::Delete, table)?;
    if E::INFO.unique.is_some() {
        let found = known.cloned().unwrap_or_else(Known::nothing);
        let owner = encode_key::<E>(key)?;
        let claims = claims_of(E::INFO, &owner, &found, &Claimed::none(), false).map_err(invalid)?;
        let condition = found.before.condition(E::INFO);
        let expression = delete_expression(E::INFO, version, Some(&condition)).map_err(invalid)?;
        return Ok(body.ruled(&expression, version).claiming(Some(found), claims, known.is_none()));
    }
    if version.is_none() {
        return Ok(body);
    }
    let expression = delete_expression(E::INFO, version, None).map_err(invalid)?;
    Ok(body.ruled(&expression, version))
}

pub(super) fn by_key<E: Entity>(key: &E::Key, kind: Kind, table: usize) -> Result<Body> {
    Body::key(kind, table, E::INFO, encode_key::<E>(key)?)
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
    settings: Settings<'_>,
) -> Stats {
    let mut groups = groups;
    for group in groups.iter_mut().filter(|group| group.info().hooks || group.info().unique.is_some()) {
        if let Err(error) = group.before(database).await {
            cannot_begin(fates, only.as_deref(), error);
            return Stats::default();
        }
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
    let mut at_hand = AtHand { groups: placed, current: 0, next: 0, total: start, only, fates };
    let stats = run(database, work, tables, Room::All, settings, &mut at_hand).await.stats;
    let AtHand { groups, only, fates, .. } = at_hand;
    for Placed { group, start, .. } in groups.into_iter().filter(|placed| placed.group.info().hooks) {
        let is_done = |position: &usize| {
            only.as_ref().is_none_or(|only| only.binary_search(position).is_ok())
                && matches!(fates.get(*position), Some((Fate::Done, None)))
        };
        let done = (start..start + group.len()).filter(is_done).map(|position| position - start).collect();
        group.after(database, done).await;
    }
    stats
}

/// If one of them cannot travel with others, none does: a key has one write under way at a time.
fn work_of(groups: &[&mut dyn Group]) -> Work {
    let mut works = groups.iter().map(|group| group.work());
    let first = works.next().unwrap_or(Work::Write);
    works.fold(first, |work, other| if other == Work::Each { other } else { work })
}

struct AtHand<'g, 'f> {
    groups: Vec<Placed<'g>>,
    current: usize,
    next: usize,
    total: usize,
    only: Option<Vec<usize>>,
    fates: &'f mut Fates,
}

struct Placed<'g> {
    group: &'g mut dyn Group,
    table: usize,
    name: String,
    /// The position of its first input among those of all groups.
    start: usize,
}

impl AtHand<'_, '_> {
    /// The position of an input of the engine among all.
    fn position(&self, index: usize) -> usize {
        match &self.only {
            Some(only) => only.get(index).copied().unwrap_or(index),
            None => index,
        }
    }
}

impl Inputs for AtHand<'_, '_> {
    fn poll_next(&mut self, _: &mut Context<'_>) -> Poll<Option<Input>> {
        if self.total().is_some_and(|total| count(self.next) >= total) {
            return Poll::Ready(None);
        }
        let position = self.position(self.next);
        self.next += 1;
        while self.groups.get(self.current + 1).is_some_and(|next| next.start <= position) {
            self.current += 1;
        }
        let earlier = self.fates.get(position).and_then(|(fate, reason)| Some((*fate, reason.clone()?)));
        Poll::Ready(self.groups.get_mut(self.current).map(|placed| {
            let Placed { group, table, name, start } = placed;
            let body = group.body(position - *start, *table).map_err(|error| error.in_table(name));
            Input { table: *table, info: group.info(), body, earlier }
        }))
    }

    fn settle(&mut self, index: usize, fate: Fate, reason: Option<&Arc<Error>>) {
        let fate = match fate {
            Fate::Superseded { by } => Fate::Superseded { by: self.position(by) },
            fate => fate,
        };
        let position = self.position(index);
        if let Some(slot) = self.fates.get_mut(position) {
            *slot = (fate, reason.cloned());
        }
    }

    fn again(&mut self, index: usize, known: &Known) -> Option<Result<Body>> {
        let position = self.position(index);
        let placed = self.groups.iter_mut().rfind(|placed| placed.start <= position)?;
        let Placed { group, table, name, start } = placed;
        let body = group.again(position - *start, *table, known)?;
        Some(body.map_err(|error| error.in_table(name)))
    }

    fn found(&mut self, inputs: &[usize], item: &Item<'_>) -> std::result::Result<(), ValueError> {
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
