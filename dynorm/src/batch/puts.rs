//! Batches of puts: saves and creations.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::marker::PhantomData;

use futures_util::future::BoxFuture;

use super::body::{Body, Kind};
use super::buffer::Buffer;
use super::inputs::{Group, describe, hash_of, take_refusal};
use super::work::Work;
use crate::database::Database;
use crate::encoded::{KeyRanges, key_of_json};
use crate::entity::{Entity, EntityInfo, Stamp, encode_into};
use crate::error::{Error, Result, Subject};
use crate::hooks::{self, Event};
use crate::operation::Held;
use crate::rules::Existence;
use crate::unique::Claimed;
use crate::write::{Action, Intent, Known, Rule, UniqueValues};

/// The entities of a batch of puts.
pub(super) struct Puts<E, H> {
    pub(super) held: Vec<H>,
    pub(super) kind: Kind,
    pub(super) begun: Option<Begun>,
    of: PhantomData<fn() -> E>,
}

/// The results of the hooks before a batch. Empty without hooks.
#[derive(Default)]
pub(super) struct Begun {
    events: Vec<Event>,
    refused: HashMap<usize, Error>,
    /// The stamp of all entities.
    stamp: Option<Stamp>,
    /// The entities that were not stamped.
    unraised: BTreeSet<usize>,
    /// The entities whose versions were raised and lowered again.
    lowered: BTreeSet<usize>,
}

impl<E: Entity, H: Held<E>> Puts<E, H> {
    pub(super) fn new(held: Vec<H>, kind: Kind) -> Self {
        Self { held, kind, begun: None, of: PhantomData }
    }

    /// Returns which event the save of an entity was, before it was stamped.
    fn event(&self, index: usize) -> Event {
        let events = self.begun.as_ref().map(|begun| &begun.events);
        events.and_then(|events| events.get(index).copied()).unwrap_or(Event::Save { is_new: None })
    }

    /// Continues those of an earlier batch.
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

    fn body(&mut self, index: usize, table: usize, buffer: &mut Buffer) -> Result<Body> {
        let refused = self.begun.as_mut().map(|begun| &mut begun.refused);
        if let Some(refusal) = refused.and_then(|refused| take_refusal(refused, index)) {
            return Err(refusal);
        }
        let event = self.event(index);
        let held = self
            .held
            .get(index)
            .ok_or_else(|| Error::internal("a batch asks for an entity that it was not given"))?;
        put(held.entity(), self.kind, event, table, None, buffer)
    }

    fn again(
        &mut self,
        index: usize,
        table: usize,
        known: &Known,
        buffer: &mut Buffer,
    ) -> Option<Result<Body>> {
        let (event, held) = (self.event(index), self.held.get(index)?);
        Some(put(held.entity(), self.kind, event, table, Some(known), buffer))
    }

    fn before<'g>(&'g mut self, database: &'g Database) -> BoxFuture<'g, Result<()>> {
        Box::pin(async move {
            let begun = self.begun.get_or_insert_default();
            // Continues where an earlier deadline interrupted.
            for (index, held) in self.held.iter_mut().enumerate().skip(begun.events.len()) {
                let event = Event::save(held.entity(), self.kind == Kind::Create);
                if let Err(refusal) = hooks::before(database, held.entity_mut(), event).await {
                    begun.refused.insert(index, refusal);
                }
                begun.events.push(event);
            }
            Ok(())
        })
    }

    fn stamp(&mut self, stamp: &Stamp) {
        let begun = self.begun.get_or_insert_default();
        if let Some(stamp) = &begun.stamp {
            // They are sent again with the same versions.
            for index in std::mem::take(&mut begun.lowered) {
                if let Some(held) = self.held.get_mut(index)
                    && let Err(error) = held.stamp(stamp)
                {
                    begun.refused.insert(index, error);
                }
            }
            return;
        }
        begun.stamp = Some(*stamp);
        for (index, held) in self.held.iter_mut().enumerate() {
            // An entity that is refused keeps its state.
            let Entry::Vacant(slot) = begun.refused.entry(index) else {
                begun.unraised.insert(index);
                continue;
            };
            if let Err(error) = held.stamp(stamp) {
                slot.insert(error);
                begun.unraised.insert(index);
            }
        }
    }

    fn settle(&mut self, index: usize) {
        if let Some(held) = self.held.get_mut(index) {
            held.settle();
        }
    }

    fn lower(&mut self, has_failed: &dyn Fn(usize) -> bool) {
        let begun = self.begun.get_or_insert_default();
        for (index, held) in self.held.iter_mut().enumerate().filter(|(index, _)| has_failed(*index)) {
            if !begun.unraised.contains(&index) && begun.lowered.insert(index) {
                held.lower();
            }
        }
    }

    fn after<'g>(
        &'g mut self,
        database: &'g Database,
        done: &'g [usize],
        ran: &'g mut usize,
    ) -> BoxFuture<'g, ()> {
        Box::pin(async move {
            let events = self.begun.as_ref().map(|begun| &begun.events);
            for index in done {
                if let Some(held) = self.held.get_mut(*index)
                    && let Some(event) = events.and_then(|events| events.get(*index))
                {
                    hooks::after(database, held.entity_mut(), *event).await;
                }
                *ran += 1;
            }
        })
    }

    fn work(&self) -> Work {
        put_work(E::INFO, self.kind)
    }

    fn key_hash(&self, index: usize, table: usize, buffer: &mut Buffer) -> Option<u64> {
        self.held.get(index).and_then(|held| hash_of::<E>(&held.entity().entity_key(), table, buffer))
    }

    fn describe(&self, index: usize) -> Option<String> {
        self.held.get(index).and_then(|held| describe::<E>(&held.entity().entity_key()))
    }
}

/// Returns how entities are put.
pub(super) const fn put_work(info: &'static EntityInfo, kind: Kind) -> Work {
    match kind {
        Kind::Create => Work::Each,
        _ if info.version.is_some() || info.unique.is_some() => Work::Each,
        _ => Work::Write,
    }
}

/// Encodes the put of a stamped entity. `event` is what its save was before it was stamped.
pub(super) fn put<E: Entity>(
    entity: &E,
    kind: Kind,
    event: Event,
    table: usize,
    known: Option<&Known>,
    buffer: &mut Buffer,
) -> Result<Body> {
    let keys = encode_into(entity, buffer.encoder())?;
    let existence = if kind == Kind::Create { Existence::Absent } else { Existence::Any };
    // The version was raised already.
    let version = entity.item_version().filter(|_| kind != Kind::Create).map(|raised| raised - 1);
    let rule = if existence == Existence::Absent || version.is_some() || E::INFO.unique.is_some() {
        Some(rule_of_put(E::INFO, buffer.written(), &keys, existence, version, event, known)?)
    } else {
        None
    };
    let body = Body::new(kind, table, E::INFO, buffer.keep(), &keys)?;
    Ok(match rule {
        Some(rule) => body.ruled(rule),
        None => body,
    })
}

fn rule_of_put(
    info: &'static EntityInfo,
    json: &[u8],
    keys: &KeyRanges,
    existence: Existence,
    version: Option<i128>,
    event: Event,
    known: Option<&Known>,
) -> Result<Rule> {
    let intent = Intent { existence, version, ..Intent::new(info, Action::Put(json)) };
    if info.unique.is_none() {
        return intent.rule(None, false).map_err(|error| Error::invalid(Subject::of(info), &error));
    }
    let key = key_of_json(info, json, keys);
    let uniques = Claimed::of_json(info, json).map(|after| {
        let known = match known {
            Some(known) => known.clone(),
            None if event == (Event::Save { is_new: Some(true) }) => Known::nothing(),
            None => Known::of(after.clone()),
        };
        UniqueValues { known, after, renew: false }
    });
    uniques
        .and_then(|uniques| Intent { uniques: Some(uniques), ..intent }.rule(Some(&key), known.is_none()))
        .map_err(|error| Error::invalid(Subject::of(info).with_key(&key), &error))
}
