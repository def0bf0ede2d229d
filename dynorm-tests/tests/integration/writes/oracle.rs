//! The expected result of a write: the documented rules, as a model of one item, another one and their
//! claims.

use dynorm::aws::types::AttributeValue;

use super::state::{
    Claim, DELETED_AT, ENTITY_TYPE, EXPIRES_AT, EXTRA, Held, Item, STORED, Scene, VERSION, World, claim,
    in_seconds, key_of,
};
use super::subject::{FORMER, Rules, Subject};
use super::write::{CHANGED, Refusal, Way, When, Write, shown};

/// The time of the write, in expected items.
pub(super) const NOW: &str = "now";

/// The state after a successful write, and the returned item, if any.
pub(super) struct Kept {
    pub(super) after: World,
    pub(super) gives: Option<Item>,
}

/// The expected result of a write.
pub(super) fn predict<E: Subject>(
    scene: &Scene<E>,
    held: Held,
    write: Write,
    way: Way,
    when: When,
) -> Result<Kept, Refusal> {
    let mut model = Model::new(scene, held, when);
    if write == Write::Upsert && E::RULES.unique {
        return Err(Refusal::Invalid);
    }
    model.needs_own_type(write, way)?;
    match write {
        Write::Save => model.save(false)?,
        Write::Merge => model.save(true)?,
        Write::Create => model.create()?,
        Write::Upsert => model.upsert()?,
        Write::UpdateOrCreate => return model.update_or_create(),
        Write::FirstOrCreate => return model.first_or_create(),
        Write::Update => model.update(false)?,
        Write::UpdateCode => model.update(true)?,
        Write::TrackedSave => model.save_tracked()?,
        Write::RetryOnConflict => model.retry_on_conflict()?,
        Write::Delete if E::RULES.soft_delete => model.soft_delete(Some(model.version))?,
        Write::DeleteById if E::RULES.soft_delete => model.soft_delete(None)?,
        Write::Delete | Write::ForceDelete => model.delete(Some(model.version))?,
        Write::DeleteById | Write::ForceDeleteById => model.delete(None)?,
        Write::Restore => model.restore()?,
    }
    let gives = if way == Way::ReturningOld { &scene.before.item } else { &model.world.item };
    Ok(Kept { gives: gives.clone(), after: model.world })
}

struct Model<'s, E> {
    scene: &'s Scene<E>,
    rules: Rules,
    /// The entity as it would be stored without stamps.
    entity: Item,
    /// Its version.
    version: u64,
    is_fresh: bool,
    when: When,
    world: World,
}

type Step = Result<(), Refusal>;

/// The writes.
impl<'s, E: Subject> Model<'s, E> {
    fn new(scene: &'s Scene<E>, held: Held, when: When) -> Self {
        let entity = dynorm::to_item(&scene.entity).unwrap().into_iter().collect();
        let (version, is_fresh) = (held.version::<E>(), held == Held::Fresh);
        Self { scene, rules: E::RULES, entity, version, is_fresh, when, world: scene.before.clone() }
    }

    /// A save is a PutItem: it replaces the stored item, even a soft-deleted or expired one. Only the version
    /// and the caller's condition can prevent it. A merge keeps attributes without a field.
    fn save(&mut self, merge: bool) -> Step {
        let mut item = self.stamped()?;
        self.needs_version(self.version)?;
        self.needs_condition()?;
        if merge && let Some(extra) = self.world.item.as_ref().and_then(|item| item.get(EXTRA)) {
            item.insert(EXTRA.into(), extra.clone());
        }
        self.replace(Some(item), false)
    }

    /// No item may have the key, except an expired one.
    fn create(&mut self) -> Step {
        let item = self.stamped()?;
        if self.world.item.as_ref().is_some_and(|item| !has_expired(item)) {
            return Err(Refusal::Condition);
        }
        self.replace(Some(item), false)
    }

    /// Each field keeps the stored value, even NULL, or else takes the entity's. One request cannot replace a
    /// soft-deleted or expired item, so that is refused; so is every upsert of an entity with unique fields.
    fn upsert(&mut self) -> Step {
        let mut item = self.stamped()?;
        if let Some(stored) = &self.world.item {
            if !is_visible(stored) {
                return Err(Refusal::Condition);
            }
            item.extend(stored.clone());
            let version = version_of(stored).unwrap_or(self.version);
            self.stamp_change(&mut item, version).map_err(|_| Refusal::Rejected)?;
        }
        item.insert("text".into(), AttributeValue::S(CHANGED.into()));
        self.world.item = Some(item);
        Ok(())
    }

    /// Updates the item with the key, or the one with the unique value, or creates the entity.
    fn update_or_create(mut self) -> Result<Kept, Refusal> {
        if self.world.item.as_ref().is_some_and(is_visible) {
            self.update(false)?;
        } else if let Some(mut other) = self.owner() {
            self.stamp_stored(&mut other)?;
            other.insert("text".into(), AttributeValue::S(CHANGED.into()));
            self.world.other = Some(other.clone());
            return Ok(Kept { after: self.world, gives: Some(other) });
        } else {
            self.create()?;
        }
        Ok(Kept { gives: self.world.item.clone(), after: self.world })
    }

    /// The same, without changing an existing item.
    fn first_or_create(mut self) -> Result<Kept, Refusal> {
        let found = self.world.item.clone().filter(is_visible).or_else(|| self.owner());
        if found.is_none() {
            self.create()?;
        }
        Ok(Kept { gives: found.or_else(|| self.world.item.clone()), after: self.world })
    }

    /// An absent, soft-deleted or expired item is not found.
    fn update(&mut self, of_code: bool) -> Step {
        let mut item = self.visible()?;
        self.stamp_stored(&mut item)?;
        self.needs_condition()?;
        if of_code {
            item.insert("code".into(), self.entity["code"].clone());
            return self.replace(Some(item), false);
        }
        item.insert("text".into(), AttributeValue::S(CHANGED.into()));
        self.world.item = Some(item);
        Ok(())
    }

    /// Updates the attributes that differ from the original, if the version is the one that was read.
    fn save_tracked(&mut self) -> Step {
        let original = dynorm::to_item(&self.scene.original).unwrap();
        self.raised(self.version)?;
        let mut item = self.visible()?;
        self.needs_version(self.version)?;
        self.needs_condition()?;
        self.stamp_change(&mut item, self.version)?;
        item.insert("text".into(), AttributeValue::S(CHANGED.into()));
        if original["code"] != self.entity["code"] {
            item.insert("code".into(), self.entity["code"].clone());
            return self.replace(Some(item), false);
        }
        self.world.item = Some(item);
        Ok(())
    }

    /// Reads the item, changes and saves it.
    fn retry_on_conflict(&mut self) -> Step {
        let stored = self.visible()?;
        let mut item = read_as::<E>(&stored);
        item.insert("text".into(), AttributeValue::S(CHANGED.into()));
        self.stamp_change(&mut item, version_of(&stored).unwrap_or(0))?;
        self.replace(Some(item), false)
    }

    /// A missing item counts as deleted.
    fn delete(&mut self, version: Option<u64>) -> Step {
        if self.world.item.is_some()
            && let Some(version) = version
        {
            self.needs_version(version)?;
        }
        self.needs_condition()?;
        self.replace(None, false)
    }

    /// The item must be stored, and may be expired. A soft-deleted one keeps the time of its first deletion.
    /// The claims stay.
    fn soft_delete(&mut self, version: Option<u64>) -> Step {
        if let Some(version) = version {
            self.raised(version)?;
        }
        let mut item = self.stored()?;
        if let Some(version) = version {
            self.needs_version(version)?;
        }
        self.stamp_stored(&mut item)?;
        self.needs_condition()?;
        if !is_soft_deleted(&item) {
            item.insert(DELETED_AT.into(), AttributeValue::S(NOW.into()));
        }
        self.world.item = Some(item);
        Ok(())
    }

    /// The item must be stored. Its claims are written again, since they may have expired.
    fn restore(&mut self) -> Step {
        let mut item = self.stored()?;
        item.remove(DELETED_AT);
        self.stamp_stored(&mut item)?;
        self.replace(Some(item), true)
    }
}

/// Requirements and effects.
impl<E: Subject> Model<'_, E> {
    fn stored(&self) -> Result<Item, Refusal> {
        self.world.item.clone().ok_or(Refusal::NotFound)
    }

    fn visible(&self) -> Result<Item, Refusal> {
        self.stored().and_then(|item| if is_visible(&item) { Ok(item) } else { Err(Refusal::NotFound) })
    }

    /// An item of another type, or without one, is not the entity's: it is neither absent nor replaced, and
    /// the error says so. A batch of unconditional writes cannot check this.
    fn needs_own_type(&self, write: Write, way: Way) -> Step {
        let is_blind = match way {
            Way::Batch | Way::MixedBatch | Way::Stream | Way::Collection => {
                let is_each = self.rules.version || self.rules.unique;
                match write {
                    Write::Save => !is_each,
                    Write::Delete => !is_each && !self.rules.soft_delete,
                    Write::DeleteById => !self.rules.unique && !self.rules.soft_delete,
                    Write::ForceDelete => !is_each,
                    Write::ForceDeleteById => !self.rules.unique,
                    _ => false,
                }
            }
            _ => false,
        };
        let is_foreign = self.world.item.as_ref().is_some_and(|item| !is_own::<E>(item));
        if is_foreign && !is_blind { Err(Refusal::Type) } else { Ok(()) }
    }

    /// Version 0 matches an item without a version or with 0, and no item at all.
    fn needs_version(&self, version: u64) -> Step {
        let found = self.world.item.as_ref().map(|item| version_of(item).unwrap_or(0));
        let is_found = match found {
            Some(found) => found == version,
            None => version == 0,
        };
        if !self.rules.version || is_found { Ok(()) } else { Err(Refusal::Version) }
    }

    fn needs_condition(&self) -> Step {
        let holds = match self.when {
            When::Nothing => true,
            When::Holds => self.world.item.as_ref().is_some_and(|item| {
                item.get("text").is_some_and(|text| *text == AttributeValue::S(STORED.into()))
            }),
            When::Fails => false,
        };
        if holds { Ok(()) } else { Err(Refusal::Condition) }
    }

    /// The next version. After the maximum of its type there is none: a larger one could not be read, or
    /// would not differ after the next write. If the entity has the maximum, this is found before anything is
    /// sent.
    fn raised(&self, version: u64) -> Result<u64, Refusal> {
        if self.rules.version && version >= E::LAST_VERSION {
            return Err(Refusal::Invalid);
        }
        Ok(version + 1)
    }

    /// The item of the entity as it is saved.
    fn stamped(&self) -> Result<Item, Refusal> {
        let mut item = self.entity.clone();
        self.stamp_change(&mut item, self.version)?;
        if self.rules.times && self.is_fresh {
            item.insert("created_at".into(), AttributeValue::S(NOW.into()));
        }
        Ok(item)
    }

    /// A change of an item whose version the server increments, and refuses to increment past the maximum.
    fn stamp_stored(&self, item: &mut Item) -> Step {
        let version = version_of(item).unwrap_or(0);
        self.stamp_change(item, version).map_err(|_| Refusal::Rejected)
    }

    /// Every write increments the version, and sets `updated_at`.
    fn stamp_change(&self, item: &mut Item, version: u64) -> Step {
        if self.rules.version {
            item.insert(VERSION.into(), AttributeValue::N(self.raised(version)?.to_string()));
        }
        if self.rules.times {
            item.insert("updated_at".into(), AttributeValue::S(NOW.into()));
        }
        Ok(())
    }

    /// The other item, if it has the entity's value and is visible to reads.
    fn owner(&self) -> Option<Item> {
        let AttributeValue::S(code) = &self.entity["code"] else { return None };
        let other = self.world.other.as_ref().filter(|other| is_visible(other))?;
        let claim = self.world.claims.get(code).filter(|claim| holds(claim))?;
        (claim.owner == key_of::<E>(other)).then(|| other.clone())
    }

    /// The claims follow the item. A value of another item is refused. An unchanged claim is not written,
    /// unless it may be lost: because the item had expired, has another expiry now, or `renew` is set. Only
    /// its owner releases a value.
    fn replace(&mut self, after: Option<Item>, renew: bool) -> Step {
        let before = std::mem::replace(&mut self.world.item, after);
        if !self.rules.unique {
            return Ok(());
        }
        let before = before.filter(|item| !has_expired(item));
        let after = self.world.item.as_ref();
        let (old, new) = (before.as_ref().map(claim_of::<E>), after.map(claim_of::<E>));
        let own = key_of::<E>(&self.entity);
        if let Some((value, claim)) = &new
            && (renew || new != old)
        {
            let taken = self.world.claims.get(value).filter(|claim| holds(claim));
            if taken.is_some_and(|taken| taken.owner != own) {
                return Err(Refusal::Unique);
            }
            self.world.claims.insert(value.clone(), claim.clone());
        }
        if let Some((value, _)) = old
            && new.is_none_or(|(new, _)| new != value)
            && self.world.claims.get(&value).is_some_and(|claim| claim.owner == own)
        {
            self.world.claims.remove(&value);
        }
        Ok(())
    }
}

fn claim_of<E: Subject>(item: &Item) -> (String, Claim) {
    let AttributeValue::S(code) = &item["code"] else { panic!("a code is text: {item:?}") };
    (code.clone(), claim::<E>(item))
}

/// If entities share a table, the item names its entity.
pub(super) fn is_own<E: Subject>(item: &Item) -> bool {
    let is_named = |of_type: &AttributeValue| {
        let names = [E::NAME, FORMER].into_iter().take(if E::RULES.renamed() { 2 } else { 1 });
        names.map(|name| AttributeValue::S(name.into())).any(|name| name == *of_type)
    };
    !E::RULES.typed() || item.get(ENTITY_TYPE).is_some_and(is_named)
}

/// A claim that has not expired.
pub(super) fn holds(claim: &Claim) -> bool {
    claim.ends.as_ref().is_none_or(is_to_come)
}

/// NULL is not a version.
fn version_of(item: &Item) -> Option<u64> {
    match item.get(VERSION) {
        Some(AttributeValue::N(version)) => Some(version.parse().unwrap()),
        _ => None,
    }
}

/// NULL is not a time.
fn is_soft_deleted(item: &Item) -> bool {
    item.get(DELETED_AT).is_some_and(|at| !at.is_null())
}

fn has_expired(item: &Item) -> bool {
    item.get(EXPIRES_AT).is_some_and(|at| at.is_n() && !is_to_come(at))
}

fn is_to_come(at: &AttributeValue) -> bool {
    let now = in_seconds(0).unix_micros() / 1_000_000;
    at.as_n().is_ok_and(|at| at.parse::<i64>().unwrap() > now)
}

fn is_visible(item: &Item) -> bool {
    !is_soft_deleted(item) && !has_expired(item)
}

/// The item of an entity that is read from this one.
pub(super) fn read_as<E: Subject>(item: &Item) -> Item {
    let mut item = shown(item);
    if E::RULES.version {
        item.entry(VERSION.into()).or_insert_with(|| AttributeValue::N("0".into()));
    }
    if E::RULES.typed() {
        item.insert(ENTITY_TYPE.into(), AttributeValue::S(E::NAME.into()));
    }
    item
}
