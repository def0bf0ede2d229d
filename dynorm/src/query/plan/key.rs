//! Whether and how the key of the table or of an index serves the conditions.

use std::borrow::Cow;

use super::conditions::{Conditions, Values};
use super::refusal::partition_fields;
use super::sort::{EQUAL, has_order, narrowed, rendered_value};
use crate::codec::ValueError;
use crate::entity::{EncodedKey, EntityInfo, IndexInfo};
use crate::expression::Node;
use crate::key::{EncodedPart, KeyRole, KeySource, Part, Segment, check_key};
use crate::query::evaluate::order_of_values;
use crate::query::spec::Spec;

/// The maximum number of partitions that one query reads, for `is_in` on a partition key.
const MAX_PARTITIONS: usize = 100;

/// The maximum number of keys in one batch get. Several `is_in` with 100 values each multiply.
const MAX_KEYS: usize = 10_000;

/// A key that serves the conditions.
pub(super) struct Candidate {
    pub(super) index: Option<&'static IndexInfo>,
    pub(super) partition: Vec<&'static str>,
    pub(super) partitions: Vec<Vec<Vec<u8>>>,
    pub(super) sort: Vec<Node>,
    pub(super) sort_attributes: Vec<&'static str>,
    /// The conditions that the key covers.
    pub(super) used: Vec<usize>,
    /// How far the sort key is narrowed.
    pub(super) narrowed: u8,
    /// The found items have to be completed.
    pub(super) hydrates: bool,
}

/// Several whole keys of the table.
pub(super) struct WholeKeys {
    pub(super) keys: Vec<EncodedKey>,
    /// The conditions that fix the keys.
    pub(super) used: Vec<usize>,
}

/// How the key of the table or of an index serves the conditions; `None` if it does not.
pub(super) fn candidate(
    spec: &Spec,
    index: Option<&'static IndexInfo>,
    conditions: &Conditions,
) -> Result<Option<Candidate>, ValueError> {
    let info = spec.info;
    let (partition, sort) = key_of(info, index);
    let of: Cow<'static, str> = match index {
        Some(index) => format!("the index `{}`", index.name).into(),
        None => "the table".into(),
    };
    let Some(fixed) = fixed(info, partition, conditions)? else { return Ok(None) };
    if fixed.len() > MAX_PARTITIONS {
        return Err(ValueError::new(format!(
            "`is_in` on the partition key {} was given {} values, and a query reads at most \
            {MAX_PARTITIONS} partitions",
            partition_fields(info, partition).join(" and "),
            fixed.len()
        )));
    }
    let mut partitions = fixed.values()?;
    for value in partitions.iter().flat_map(|values| values.iter().zip(partition)) {
        let (json, source) = value;
        check_key(json, KeyRole::Partition, &of).map_err(|error| error.in_field(info.attribute(source)))?;
    }
    let narrowed = narrowed(info, sort, conditions)?;
    if narrowed.is_nothing {
        partitions.clear();
    }
    if let Some(order) = &spec.order
        && !has_order(info, sort, order, conditions)
    {
        return Ok(None);
    }
    // A whole key of the table reads at most one item, the least possible.
    let is_whole_key = index.is_none() && (sort.is_empty() || narrowed.rank == EQUAL);
    let mut used = fixed.used;
    used.extend(narrowed.used);
    Ok(Some(Candidate {
        index,
        partition: partition.iter().map(|source| info.attribute(source)).collect(),
        partitions,
        sort: narrowed.nodes,
        sort_attributes: sort.iter().map(|source| info.attribute(source)).collect(),
        used,
        narrowed: if is_whole_key { u8::MAX } else { narrowed.rank },
        hydrates: false,
    }))
}

/// The keys of the table, if the conditions fix several whole keys; they are read by a batch get.
pub(super) fn whole_keys(spec: &Spec, conditions: &Conditions) -> Result<Option<WholeKeys>, ValueError> {
    let info = spec.info;
    let (partition, sort) = key_of(info, None);
    let sources: Vec<&'static KeySource> = partition.iter().chain(sort).collect();
    let Some(fixed) = fixed(info, sources.iter().copied(), conditions)? else { return Ok(None) };
    let is_ordered = spec
        .order
        .as_ref()
        .is_none_or(|order| sort.iter().any(|sort| info.attribute(sort) == order.attribute));
    if !(2..=MAX_KEYS).contains(&fixed.len()) || !is_ordered {
        return Ok(None);
    }
    let mut values = fixed.values()?;
    for (role, (json, source)) in values
        .iter()
        .flat_map(|values| [KeyRole::Partition, KeyRole::Sort].into_iter().zip(values.iter().zip(&sources)))
    {
        check_key(json, role, &"the table").map_err(|error| error.in_field(info.attribute(source)))?;
    }
    if let Some(order) = &spec.order {
        // Values without an order are equal values of one type.
        let compare = |one: &Vec<Vec<u8>>, other: &Vec<Vec<u8>>| {
            let (one, other) = (one.last()?, other.last()?);
            order_of_values(one, other).ok().flatten()
        };
        values.sort_by(|one, other| {
            let found = compare(one, other).unwrap_or(std::cmp::Ordering::Equal);
            if order.descending { found.reverse() } else { found }
        });
    }
    let key = |values: &Vec<Vec<u8>>| EncodedKey::new(info, values.iter().map(Vec::as_slice));
    Ok(Some(WholeKeys { keys: values.iter().map(key).collect(), used: fixed.used }))
}

/// Keys whose fields have one value or several.
struct Fixed {
    sources: Vec<&'static KeySource>,
    /// The fields of the keys, each with its values.
    fields: Vec<(usize, Vec<Vec<u8>>)>,
    info: &'static EntityInfo,
    /// The conditions that fix the values.
    used: Vec<usize>,
}

/// The values that the conditions allow for the fields of keys; `None` if a field is not restricted.
fn fixed(
    info: &'static EntityInfo,
    sources: impl IntoIterator<Item = &'static KeySource>,
    conditions: &Conditions,
) -> Result<Option<Fixed>, ValueError> {
    let mut fixed = Fixed { sources: Vec::new(), fields: Vec::new(), info, used: Vec::new() };
    for source in sources {
        fixed.sources.push(source);
        let fields: Vec<usize> = match source {
            KeySource::Field(field) => vec![*field],
            KeySource::Template(template) => template.fields().collect(),
        };
        for field in fields {
            if fixed.fields.iter().any(|(known, _)| *known == field) {
                continue;
            }
            let name = info.fields.get(field).map_or("", |field| field.name);
            let Some(Values { values, position }) = conditions.values(name)? else { return Ok(None) };
            if !fits(info, source, field, &values) {
                return Ok(None);
            }
            fixed.fields.push((field, values));
            fixed.used.push(position);
        }
    }
    Ok(Some(fixed))
}

/// False if a template cannot have rendered one of the values, so that the filter has to decide.
fn fits(info: &EntityInfo, source: &KeySource, field: usize, values: &[Vec<u8>]) -> bool {
    let KeySource::Template(template) = source else { return true };
    let mut segments = template.segments.iter().enumerate();
    segments.all(|(at, segment)| {
        let is_it = matches!(segment, Segment::Field(found, _) if *found == field);
        !is_it || values.iter().all(|json| rendered_value(info, template, at, json).is_some())
    })
}

impl Fixed {
    /// The number of keys.
    fn len(&self) -> usize {
        self.fields.iter().fold(1, |product, (_, values)| product.saturating_mul(values.len()))
    }

    /// The values of each key; those of the last field vary fastest.
    fn values(&self) -> Result<Vec<Vec<Vec<u8>>>, ValueError> {
        (0..self.len()).map(|number| self.key(number)).collect()
    }

    fn key(&self, mut number: usize) -> Result<Vec<Vec<u8>>, ValueError> {
        let mut parts: Vec<(usize, EncodedPart)> = Vec::with_capacity(self.fields.len());
        for (field, values) in self.fields.iter().rev() {
            let count = values.len().max(1);
            let value = values.get(number % count).cloned().unwrap_or_default();
            number /= count;
            parts.push((*field, EncodedPart(value)));
        }
        let part =
            |field: usize| parts.iter().find(|(known, _)| *known == field).map(|(_, part)| part as &dyn Part);
        let value = |source: &&'static KeySource| {
            let mut encoder = crate::codec::Encoder::default();
            crate::entity::encode_key_value(source, &part, &mut encoder)
                .map_err(|error| error.in_field(self.info.attribute(source)))?;
            Ok(encoder.into_bytes())
        };
        self.sources.iter().map(value).collect()
    }
}

/// The partition key and the sort key of the table or of an index.
pub(super) fn key_of(
    info: &'static EntityInfo,
    index: Option<&'static IndexInfo>,
) -> (&'static [KeySource], &'static [KeySource]) {
    match index {
        Some(index) => (index.partition, index.sort),
        None => (std::slice::from_ref(&info.partition), info.sort.as_slice()),
    }
}
