//! Positions: the keys of the item after which a page begins.

use std::ops::Range;
use std::sync::Arc;

use super::evaluate::matches;
use super::plan::Plan;
use crate::attribute::ScalarType;
use crate::codec::{Encoder, Item, ValueError, compare_numbers};
use crate::entity::IndexInfo;
use crate::expression::Node;

/// The position of a lane, which is a partition or a segment of a scan.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Next {
    Start,
    /// After the item with these keys, as JSON.
    After(Vec<u8>),
    End,
}

/// The position of an item. The positions of a page share one buffer.
#[derive(Clone)]
pub(super) struct Position {
    page: Arc<Vec<u8>>,
    range: Range<usize>,
}

impl Position {
    pub(super) fn new(page: &Arc<Vec<u8>>, range: Range<usize>) -> Self {
        Self { page: page.clone(), range }
    }

    /// The position of a single item.
    pub(super) fn alone(json: Vec<u8>) -> Self {
        let range = 0..json.len();
        Self { page: Arc::new(json), range }
    }

    pub(super) fn json(&self) -> &[u8] {
        self.page.get(self.range.clone()).unwrap_or_default()
    }

    /// Writes the position of an item, and returns its range in the buffer. `names` are those of
    /// [`Plan::position_keys`].
    pub(super) fn write(
        names: &[&str],
        item: &Item<'_>,
        positions: &mut Encoder,
    ) -> Result<Range<usize>, ValueError> {
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
}

/// True if the query may have read an item with these keys: exactly the key attributes, with the right types,
/// that meet the key conditions.
pub(super) fn is_within(keys: &Item<'_>, plan: &Plan, lane: usize) -> Result<bool, ValueError> {
    if keys.iter().count() != plan.position_keys().len() {
        return Ok(false);
    }
    let of_index = plan.index.into_iter().flat_map(IndexInfo::keys);
    for (_, source) in plan.info.keys().chain(of_index) {
        let Some(value) = keys.get(plan.info.attribute(source))? else { return Ok(false) };
        let could_be_a_key = match plan.info.scalar(source) {
            ScalarType::String => !value.as_str()?.is_empty(),
            ScalarType::Number => compare_numbers(value.as_number()?, value.as_number()?).is_some(),
            ScalarType::Binary => !value.as_bytes()?.is_empty(),
        };
        if !could_be_a_key {
            return Ok(false);
        }
    }
    let values = plan.partitions.get(lane).into_iter().flatten();
    let partition = plan.partition.iter().zip(values).map(|(name, value)| Node::equals(*name, value.clone()));
    for node in partition.collect::<Vec<_>>().iter().chain(&plan.sort) {
        if !matches(node, keys)? {
            return Ok(false);
        }
    }
    Ok(true)
}
