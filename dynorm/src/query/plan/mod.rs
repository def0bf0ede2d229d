//! The planner: finds the table key or the index that serves the conditions best.
//!
//! A key serves a query if the conditions fix all of its partition key, by `eq` or by `is_in`. Of several
//! keys, the best is, in this order: a whole key of the table; the key whose sort key is narrowed most (by
//! equality, then by two bounds, then by one bound or a prefix, then not at all); one partition before
//! several; a key that needs no completion; the table before its indexes, and those in the order of the
//! struct. An index is not chosen if it may lack matching items, because they lack one of its keys, unless
//! the query names the index. With an order, only keys with that order are considered. Conditions that fix
//! several whole keys of the table become a batch get.

mod conditions;
mod key;
mod operands;
mod refusal;
mod sort;

use super::spec::{Source, Spec};
use crate::codec::ValueError;
use crate::entity::{EncodedKey, EntityInfo, IndexInfo};
use crate::expression::{DocumentPath, Node};
use crate::key::KeySource;
use crate::transport::Operation;
use conditions::Conditions;
use key::{Candidate, WholeKeys, candidate, key_of, whole_keys};
use refusal::{leaves_out, needs_scan, no_such_index, not_held, not_served_by, other_index};
use sort::ordered_by;

/// How a query is carried out.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) info: &'static EntityInfo,
    pub(super) operation: Operation,
    pub(super) index: Option<&'static IndexInfo>,
    /// The attributes of the partition key, and the values of each partition that is queried. Empty for a
    /// scan.
    pub(super) partition: Vec<&'static str>,
    pub(super) partitions: Vec<Vec<Vec<u8>>>,
    /// The keys of a batch get.
    pub(super) keys: Vec<EncodedKey>,
    /// The conditions on the sort key, in the order of its attributes.
    pub(super) sort: Vec<Node>,
    /// The filter that DynamoDB applies after reading.
    pub(super) filter: Option<Node>,
    /// The conditions that are checked here: those on the keys, on which DynamoDB accepts no filter; all of a
    /// batch get; and all if the items are completed, since they may be newer than the index.
    pub(super) local: Option<Node>,
    /// The found items are completed by a batch get.
    pub(super) hydrates: bool,
    pub(super) descending: bool,
    /// The attributes by which the items of a partition are sorted.
    pub(super) sort_attributes: Vec<&'static str>,
    pub(super) consistent: bool,
    /// The filter that leaves out expired items. It changes every second, so it is not part of the query's
    /// fingerprint.
    pub(super) live: Option<Node>,
}

/// The paths that a query selects; `None` for the whole item.
pub(super) type Selected<'s> = Option<&'s [DocumentPath]>;

impl Plan {
    pub(super) fn new(spec: &Spec, selected: Selected<'_>) -> Result<Self, ValueError> {
        let conditions = Conditions::new(spec)?;
        if let Some(using) = &spec.using {
            let begun = match &spec.source {
                Source::Filter => None,
                Source::Index(index, _) => spec.info.indexes.get(*index).map(|index| index.name),
                Source::Scan => Some(""),
            };
            if let Some(begun) = begun
                && begun != *using
            {
                return Err(other_index(spec.info, begun, using));
            }
        }
        match &spec.source {
            Source::Scan => Self::scan(spec, &conditions),
            Source::Index(index, _) => {
                let index = spec.info.indexes.get(*index);
                let index = index.ok_or_else(|| ValueError::new("the entity has no such index"))?;
                let Some(mut candidate) = candidate(spec, Some(index), &conditions)? else {
                    return Err(unordered(spec, &conditions));
                };
                let missing = missing(spec.info, index, selected, &conditions);
                if !missing.is_empty() && !spec.hydrate {
                    return Err(not_held(index, &missing));
                }
                candidate.hydrates = !missing.is_empty();
                Self::query(spec, candidate, conditions)
            }
            Source::Filter => Self::best(spec, selected, conditions),
        }
    }

    fn best(spec: &Spec, selected: Selected<'_>, conditions: Conditions) -> Result<Self, ValueError> {
        let mut keys: Vec<Option<&'static IndexInfo>> = vec![None];
        keys.extend(spec.info.indexes.iter().map(Some));
        if let Some(using) = &spec.using {
            let named = spec.info.indexes.iter().find(|index| index.name == *using);
            keys = vec![Some(named.ok_or_else(|| no_such_index(spec.info, using))?)];
        } else if let Some(WholeKeys { keys, used }) = whole_keys(spec, &conditions)? {
            return Ok(Self::batch_get(spec, keys, &used, conditions));
        }
        let mut best: Option<Candidate> = None;
        let (mut lacking, mut refused, mut sparse) = (None, None, None);
        for index in keys {
            let mut found = match candidate(spec, index, &conditions) {
                Ok(Some(found)) => found,
                Ok(None) => continue,
                // Another key may serve, so a value that cannot be a key of this index is not an error yet.
                Err(error) => {
                    refused.get_or_insert(error);
                    continue;
                }
            };
            if let Some(index) = index {
                if spec.using.is_none()
                    && let Some(field) = may_leave_out(spec.info, index, &conditions)
                {
                    sparse.get_or_insert((index, field));
                    continue;
                }
                let missing = missing(spec.info, index, selected, &conditions);
                if !missing.is_empty() && !spec.hydrate {
                    lacking.get_or_insert((index, missing));
                    continue;
                }
                found.hydrates = !missing.is_empty();
            }
            let rank = |candidate: &Candidate| {
                (candidate.narrowed, candidate.partitions.len() == 1, !candidate.hydrates)
            };
            if best.as_ref().is_none_or(|best| rank(&found) > rank(best)) {
                best = Some(found);
            }
        }
        match (best, lacking) {
            (Some(best), _) => Self::query(spec, best, conditions),
            (None, _) if let Some(refused) = refused => Err(refused),
            (None, _) if spec.allow_scan && spec.using.is_none() && spec.order.is_none() => {
                Self::scan(spec, &conditions)
            }
            (None, Some((index, missing))) => Err(not_held(index, &missing)),
            (None, None) if let Some((index, field)) = sparse => Err(leaves_out(spec.info, index, field)),
            (None, None) if serves_unordered(spec, &conditions)? => Err(unordered(spec, &conditions)),
            (None, None) if spec.using.is_some() => Err(not_served_by(spec)),
            (None, None) if spec.allow_scan => Self::scan(spec, &conditions),
            (None, None) => Err(needs_scan(spec.info, &conditions)),
        }
    }

    fn query(spec: &Spec, candidate: Candidate, conditions: Conditions) -> Result<Self, ValueError> {
        let Candidate { index, partition, partitions, sort, sort_attributes, used, hydrates, .. } = candidate;
        if spec.consistent && index.is_some_and(|index| !index.local) {
            let name = index.map_or("", |index| index.name);
            return Err(ValueError::new(format!(
                "the index `{name}` is global, and DynamoDB reads only tables and local indexes \
                consistently: remove `.consistent()`, or query by the key of the table"
            )));
        }
        let keys: Vec<&str> = keys_of(spec.info, index).map(|source| spec.info.attribute(source)).collect();
        let all = hydrates.then(|| conditions.all()).flatten();
        let (mut filter, mut local) = (Vec::new(), Vec::new());
        for node in conditions.without(&used) {
            if keys.iter().any(|key| node.mentions(key)) {
                local.push(node);
            } else if index.is_none_or(|index| holds_all(spec.info, index, &node)) {
                filter.push(node);
            }
        }
        Ok(Self {
            index,
            partition,
            partitions,
            sort,
            filter: Node::all(filter),
            local: if hydrates { all } else { Node::all(local) },
            hydrates,
            sort_attributes,
            ..Self::bare(spec, Operation::QUERY)
        })
    }

    fn batch_get(spec: &Spec, keys: Vec<EncodedKey>, used: &[usize], conditions: Conditions) -> Self {
        let local = Node::all(conditions.without(used));
        Self { keys, local, ..Self::bare(spec, Operation::BATCH_GET_ITEM) }
    }

    fn scan(spec: &Spec, conditions: &Conditions) -> Result<Self, ValueError> {
        if spec.order.is_some() {
            return Err(ValueError::new(
                "a scan has no order: query an index that has it as its sort key, or sort the result with \
                `.sorted_by(…)`",
            ));
        }
        Ok(Self { filter: conditions.all(), ..Self::bare(spec, Operation::SCAN) })
    }

    fn bare(spec: &Spec, operation: Operation) -> Self {
        Self {
            info: spec.info,
            operation,
            index: None,
            partition: Vec::new(),
            partitions: Vec::new(),
            keys: Vec::new(),
            sort: Vec::new(),
            filter: None,
            local: None,
            hydrates: false,
            descending: spec.order.as_ref().is_some_and(|order| order.descending),
            sort_attributes: Vec::new(),
            consistent: spec.consistent,
            live: spec.visible.of_end(spec.info),
        }
    }

    /// The key attributes that make up a position: those of the table and of the index.
    pub(super) fn position_keys(&self) -> Vec<&'static str> {
        let mut names: Vec<&'static str> = Vec::with_capacity(4);
        let of_index = self.index.into_iter().flat_map(|index| keys_of(self.info, Some(index)));
        for source in keys_of(self.info, None).chain(of_index) {
            let name = self.info.attribute(source);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// True if matches are counted here rather than by DynamoDB.
    pub(super) fn counts_here(&self) -> bool {
        self.local.is_some() || self.operation == Operation::BATCH_GET_ITEM
    }
}

fn keys_of(
    info: &'static EntityInfo,
    index: Option<&'static IndexInfo>,
) -> impl Iterator<Item = &'static KeySource> {
    let (partition, sort) = key_of(info, index);
    partition.iter().chain(sort)
}

/// A field without which an item can match but is not in the index.
fn may_leave_out(
    info: &'static EntityInfo,
    index: &'static IndexInfo,
    conditions: &Conditions,
) -> Option<&'static str> {
    let (partition, sort) = key_of(info, Some(index));
    let fields = partition.iter().chain(sort).flat_map(|source| match source {
        KeySource::Field(field) => vec![*field],
        KeySource::Template(template) => template.fields().collect(),
    });
    let mut optional = fields.filter_map(|field| info.fields.get(field)).filter(|field| field.optional);
    let field = optional.find(|field| !conditions.iter().any(|node| node.needs(field.name)))?;
    Some(field.name)
}

/// The fields that a query needs and a projected index does not hold.
fn missing(
    info: &'static EntityInfo,
    index: &'static IndexInfo,
    selected: Selected<'_>,
    conditions: &Conditions,
) -> Vec<String> {
    let mut missing: Vec<String> = Vec::new();
    if index.projection.is_none() {
        return missing;
    }
    let mut need = |name: &str| {
        if !holds(info, index, name) && !missing.iter().any(|field| field == name) {
            missing.push(name.to_owned());
        }
    };
    let mut missing_rest = None;
    match selected {
        Some(paths) => paths.iter().for_each(|path| need(&path.attribute)),
        None => {
            info.fields.iter().for_each(|field| need(field.name));
            // Flattened attributes have no names known here, which an index could include.
            missing_rest = info.flattened;
        }
    }
    for node in conditions.iter() {
        node.each_path(&mut |path| need(&path.attribute));
    }
    missing.extend(missing_rest.map(str::to_owned));
    missing
}

fn holds_all(info: &'static EntityInfo, index: &'static IndexInfo, node: &Node) -> bool {
    let mut all = true;
    node.each_path(&mut |path| all &= holds(info, index, &path.attribute));
    all
}

fn holds(info: &'static EntityInfo, index: &'static IndexInfo, name: &str) -> bool {
    let is_key = |index| keys_of(info, index).any(|source| info.attribute(source) == name);
    match index.beside_keys(info) {
        None => true,
        Some(names) => names.contains(&name) || is_key(None) || is_key(Some(index)),
    }
}

/// True if a key would serve the conditions without the order.
fn serves_unordered(spec: &Spec, conditions: &Conditions) -> Result<bool, ValueError> {
    if spec.order.is_none() {
        return Ok(false);
    }
    let without = Spec { order: None, ..spec.clone() };
    let named = |index: &&IndexInfo| spec.using.as_ref().is_none_or(|using| index.name == *using);
    let table = std::iter::once(None).filter(|_| spec.using.is_none());
    for index in table.chain(spec.info.indexes.iter().filter(named).map(Some)) {
        if candidate(&without, index, conditions)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The refusal of an order that no key has.
fn unordered(spec: &Spec, conditions: &Conditions) -> ValueError {
    let indexes = spec.info.indexes.iter().map(|index| (Some(index.name), index.sort));
    let keys = std::iter::once((None, spec.info.sort.as_slice())).chain(indexes);
    let orders = keys.filter_map(|(index, sort)| Some((index, ordered_by(spec.info, sort, conditions)?)));
    refusal::unordered(spec, orders)
}
