//! Inputs that are all at hand.

use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::engine::{Input, Inputs, Room, TableSpec, run};
use super::stats::count;
use super::wire::{Body, Kind, Work};
use super::{Fate, Fates, Settings, Stats};
use crate::codec::{Item, ValueError};
use crate::database::Database;
use crate::entity::{Entity, EntityInfo, encode_entity, encode_key};
use crate::error::{Error, Result, Subject};
use crate::expression::{Existence, Expression};
use crate::operation::{Held, delete_expression, mark_expression};
use crate::rules::version_before;

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

    /// Reads are consistent.
    fn consistent(&self) -> bool {
        false
    }
}

/// Entities that are put.
pub(super) struct Puts<E, H> {
    pub(super) held: Vec<H>,
    pub(super) kind: Kind,
    of: PhantomData<fn() -> E>,
}

impl<E: Entity, H: Held<E>> Puts<E, H> {
    pub(super) fn new(held: Vec<H>, kind: Kind) -> Self {
        Self { held, kind, of: PhantomData }
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
        self.held.get(index).map_or(Err(Error::NoDatabase), |held| put(held.entity(), self.kind, table))
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
        let version = self.rules.versions.as_ref().and_then(|versions| versions.get(index).copied());
        let force = self.rules.force;
        self.keys.get(index).map_or(Err(Error::NoDatabase), |key| delete::<E>(key, version, force, table))
    }

    fn work(&self) -> Work {
        let marks = E::INFO.deleted_at.is_some() && !self.rules.force;
        if marks || self.rules.versions.is_some() { Work::Each } else { Work::Write }
    }

    fn describe(&self, index: usize) -> Option<String> {
        self.keys.get(index).and_then(describe::<E>)
    }
}

/// How entities are put.
pub(super) const fn put_work(info: &'static EntityInfo, kind: Kind) -> Work {
    match kind {
        Kind::Create => Work::Each,
        _ if info.version.is_some() => Work::Each,
        _ => Work::Write,
    }
}

/// The put of an entity that is stamped.
pub(super) fn put<E: Entity>(entity: &E, kind: Kind, table: usize) -> Result<Body> {
    let body = Body::item(kind, table, E::INFO, encode_entity(entity)?)?;
    let existence = if kind == Kind::Create { Existence::Absent } else { Existence::Any };
    let version =
        entity.item_version().filter(|_| kind != Kind::Create).map(|raised| raised.saturating_sub(1));
    rule_of_put(E::INFO, body, existence, version)
}

fn rule_of_put(
    info: &'static EntityInfo,
    body: Body,
    existence: Existence,
    version: Option<u64>,
) -> Result<Body> {
    if existence == Existence::Any && version.is_none() {
        return Ok(body);
    }
    let mut expression = Expression::default();
    let condition = version.and_then(|version| version_before(info, version));
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
) -> Result<Body> {
    let invalid = |error| Error::invalid(Subject::of(E::INFO), &error);
    let version = version.filter(|version| *version > 0);
    if E::INFO.deleted_at.is_some() && !force {
        let expression = mark_expression::<E>(key, version, None, None).map_err(invalid)?;
        return Ok(by_key::<E>(key, Kind::Mark, table)?.ruled(&expression, version));
    }
    let body = by_key::<E>(key, Kind::Delete, table)?;
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
        (!matches!(reason, Error::Invalid(_) | Error::ValidationFailed(_))).then_some(index)
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
    run(database, work, tables, Room::All, settings, &mut at_hand).await.stats
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

    fn found(&mut self, inputs: &[usize], item: &Item<'_>) -> std::result::Result<(), ValueError> {
        if let [index] = inputs {
            let position = self.position(*index);
            let placed = self.groups.iter_mut().rfind(|placed| placed.start <= position);
            return placed.map_or(Ok(()), |placed| placed.group.found(&[position - placed.start], item));
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
