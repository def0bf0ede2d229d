//! Batches of keys: deletes, soft deletes and restores.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::body::{Body, Kind};
use super::buffer::Buffer;
use super::inputs::{Group, by_key, describe, hash_of, take_refusal};
use super::items::get_items;
use super::work::Work;
use crate::codec::{Item, Scanner, ValueError};
use crate::database::Database;
use crate::entity::{Entity, EntityInfo, encode_key};
use crate::error::{Doing, Error, Result, Subject};
use crate::hooks::{self, Event};
use crate::operation::{delete_intent, restore_changes, restore_intent, soft_delete_changes};
use crate::rules::Visibility;
use crate::write::{Intent, Known};

/// The keys of a batch of deletes or restores.
pub(super) struct Keys<E: Entity> {
    pub(super) keys: Vec<E::Key>,
    pub(super) rules: DeleteRules,
    pub(super) hooked: Hooked<E>,
}

/// The entities of the keys, for the hooks. Empty without hooks.
pub(super) struct Hooked<E> {
    entities: Vec<Option<E>>,
    refused: HashMap<usize, Error>,
    /// The number of entities whose hooks before the write have run.
    begun: usize,
}

impl<E> Default for Hooked<E> {
    fn default() -> Self {
        Self { entities: Vec::new(), refused: HashMap::new(), begun: 0 }
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

    fn write(
        &self,
        index: usize,
        table: usize,
        known: Option<&Known>,
        buffer: &mut Buffer,
    ) -> Option<Result<Body>> {
        let key = self.keys.get(index)?;
        if self.rules.restore {
            return Some(restore::<E>(key, table, known, buffer));
        }
        let version = self.rules.versions.as_ref().and_then(|versions| versions.get(index).copied());
        Some(delete::<E>(key, version, self.rules.force, table, known, buffer))
    }

    /// Reads the items of the keys, for their hooks. A key that cannot be encoded is refused later.
    async fn read(&mut self, database: &Database) -> Result<()> {
        let encoded = self.keys.iter().enumerate();
        let encoded = encoded.filter_map(|(index, key)| Some((index, encode_key::<E>(key).ok()?)));
        let (indices, keys): (Vec<usize>, Vec<_>) = encoded.unzip();
        let subject = Subject::of(E::INFO).in_table(database.table(E::INFO)).during(Doing::ReadingForHooks);
        let (items, _) = get_items(database, E::INFO, keys, true, &subject).await?;
        self.hooked.entities = self.keys.iter().map(|_| None).collect();
        for (index, item) in indices.into_iter().zip(items) {
            let Some(json) = item else { continue };
            let decoded = match decode_exact(&json) {
                // Only this key is at fault.
                Err(error) if error.is_type_mismatch() => {
                    let subject = subject.clone();
                    let subject = match self.keys.get(index).and_then(describe::<E>) {
                        Some(key) => subject.with_key_text(key),
                        None => subject,
                    };
                    self.hooked.refused.insert(index, Error::undecodable(subject, &error));
                    continue;
                }
                decoded => decoded.map_err(|error| Error::undecodable(subject.clone(), &error))?,
            };
            if let Some(slot) = self.hooked.entities.get_mut(index) {
                *slot = decoded;
            }
        }
        Ok(())
    }
}

/// The options of a batch of deletes.
#[derive(Clone, Default)]
pub(super) struct DeleteRules {
    /// The versions of the entities when they were read.
    pub(super) versions: Option<Arc<[i128]>>,
    /// True if soft-deletable items are deleted permanently.
    pub(super) force: bool,
    /// True if it restores instead of deleting.
    pub(super) restore: bool,
}

impl DeleteRules {
    pub(super) fn of<'e, E: Entity>(entities: impl IntoIterator<Item = &'e E>) -> Self {
        let versions = E::INFO.version.is_some();
        let versions = versions
            .then(|| entities.into_iter().map(|entity| entity.item_version().unwrap_or_default()).collect());
        Self { versions, ..Self::default() }
    }

    fn event<E: Entity>(&self) -> Event {
        if self.restore { Event::Restore } else { Event::delete::<E>(self.force) }
    }
}

impl<E: Entity> Group for Keys<E> {
    fn info(&self) -> &'static EntityInfo {
        E::INFO
    }

    fn len(&self) -> usize {
        self.keys.len()
    }

    fn body(&mut self, index: usize, table: usize, buffer: &mut Buffer) -> Result<Body> {
        if let Some(refusal) = take_refusal(&mut self.hooked.refused, index) {
            return Err(refusal);
        }
        self.write(index, table, None, buffer)
            .unwrap_or_else(|| Err(Error::internal("a batch asks for a key that it was not given")))
    }

    fn again(
        &mut self,
        index: usize,
        table: usize,
        known: &Known,
        buffer: &mut Buffer,
    ) -> Option<Result<Body>> {
        self.write(index, table, Some(known), buffer)
    }

    fn work(&self) -> Work {
        let is_soft = E::INFO.deleted_at.is_some() && !self.rules.force;
        let is_each = is_soft || self.rules.versions.is_some() || E::INFO.unique.is_some();
        if is_each { Work::Each } else { Work::Write }
    }

    fn key_hash(&self, index: usize, table: usize, buffer: &mut Buffer) -> Option<u64> {
        self.keys.get(index).and_then(|key| hash_of::<E>(key, table, buffer))
    }

    fn describe(&self, index: usize) -> Option<String> {
        self.keys.get(index).and_then(describe::<E>)
    }

    fn before<'g>(&'g mut self, database: &'g Database) -> BoxFuture<'g, Result<()>> {
        Box::pin(async move {
            if !E::INFO.hooks {
                return Ok(());
            }
            if self.hooked.entities.len() < self.keys.len() {
                self.read(database).await?;
            }
            let event = self.rules.event::<E>();
            let Hooked { entities, refused, begun } = &mut self.hooked;
            // Continues where an earlier deadline interrupted.
            for (index, entity) in entities.iter_mut().enumerate().skip(*begun) {
                if let Some(entity) = entity
                    && let Err(refusal) = hooks::before(database, entity, event).await
                {
                    refused.insert(index, refusal);
                }
                *begun += 1;
            }
            Ok(())
        })
    }

    fn after<'g>(
        &'g mut self,
        database: &'g Database,
        done: &'g [usize],
        ran: &'g mut usize,
    ) -> BoxFuture<'g, ()> {
        Box::pin(async move {
            let event = self.rules.event::<E>();
            if self.rules.restore && !done.is_empty() {
                // Reads the entities as they are now. If that fails, the hooks get them as they were, since
                // the write is done.
                self.read(database).await.ok();
            }
            for index in done {
                if let Some(Some(entity)) = self.hooked.entities.get_mut(*index) {
                    hooks::after(database, entity, event).await;
                }
                *ran += 1;
            }
        })
    }
}

/// Decodes the entity from its item.
fn decode_exact<E: Entity>(json: &[u8]) -> std::result::Result<Option<E>, ValueError> {
    let text = std::str::from_utf8(json).map_err(|_| ValueError::new("not UTF-8"))?;
    Visibility::ALL.read(&Item::next(&mut Scanner::new(text))?)
}

/// Encodes the delete or soft delete of an item.
pub(super) fn delete<E: Entity>(
    key: &E::Key,
    version: Option<i128>,
    force: bool,
    table: usize,
    known: Option<&Known>,
    buffer: &mut Buffer,
) -> Result<Body> {
    let invalid = |error| Error::invalid(Subject::of(E::INFO), &error);
    if E::INFO.deleted_at.is_some() && !force {
        let changes = soft_delete_changes::<E>(key, None).map_err(invalid)?;
        let nulls = known.map(|known| known.nulls).unwrap_or_default();
        let rule = delete_intent(E::INFO, Some(&changes), version, None)
            .and_then(|intent| Intent { nulls, ..intent }.rule(None, known.is_none()))
            .map_err(invalid)?;
        return Ok(by_key::<E>(key, Kind::Mark, table, buffer)?.ruled(rule));
    }
    let body = by_key::<E>(key, Kind::Delete, table, buffer)?;
    if E::INFO.unique.is_none() && version.is_none() {
        return Ok(body);
    }
    let found = E::INFO.unique.map(|_| known.cloned().unwrap_or_else(Known::nothing));
    let owner = encode_key::<E>(key)?;
    let rule = delete_intent(E::INFO, None, version, found.as_ref())
        .and_then(|intent| intent.rule(Some(&owner), found.is_some() && known.is_none()))
        .map_err(invalid)?;
    Ok(body.ruled(rule))
}

/// Encodes the restore of an item, which also takes its claims again, since they may have expired. The claims
/// are unknown at first; the refusal returns the item that tells them.
fn restore<E: Entity>(
    key: &E::Key,
    table: usize,
    known: Option<&Known>,
    buffer: &mut Buffer,
) -> Result<Body> {
    let invalid = |error| Error::invalid(Subject::of(E::INFO), &error);
    let changes = restore_changes::<E>(key).map_err(invalid)?;
    let body = by_key::<E>(key, Kind::Restore, table, buffer)?;
    let found = known.cloned().unwrap_or_else(Known::nothing);
    let owner = encode_key::<E>(key)?;
    let intent = restore_intent(E::INFO, &changes, &found);
    Ok(body.ruled(intent.rule(Some(&owner), known.is_none()).map_err(invalid)?))
}
