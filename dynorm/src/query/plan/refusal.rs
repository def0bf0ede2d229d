//! The errors of queries that cannot be carried out, each with a remedy.

use super::conditions::Conditions;
use crate::codec::ValueError;
use crate::entity::{EntityInfo, IndexInfo};
use crate::key::{KeySource, Segment};
use crate::query::spec::Spec;

/// The requested order is not available. `orders` are the attributes that the table and its indexes can sort
/// by.
pub(super) fn unordered(
    spec: &Spec,
    orders: impl Iterator<Item = (Option<&'static str>, &'static str)>,
) -> ValueError {
    let wanted = spec.order.as_ref().map_or("", |order| order.attribute);
    let sorts: Vec<String> = orders
        .map(|(index, attribute)| match index {
            Some(index) => format!("by `{attribute}` with the index `{index}`"),
            None => format!("by `{attribute}` with the key of the table"),
        })
        .collect();
    let remedy = if sorts.is_empty() {
        "no key of this entity has an order: sort the result with `.sorted_by(…)`".to_owned()
    } else {
        format!("the keys can order {}; or sort the result with `.sorted_by(…)`", sorts.join(", "))
    };
    ValueError::new(format!(
        "a query is ordered by the sort key of the table or index, and with these conditions that is not \
        `{wanted}`; {remedy}"
    ))
}

/// A projected index would serve, but lacks fields that the query needs.
pub(super) fn not_held(index: &IndexInfo, missing: &[String]) -> ValueError {
    let shown: Vec<String> = missing.iter().take(3).map(|name| format!("`{name}`")).collect();
    let more = match missing.len().saturating_sub(3) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    ValueError::new(format!(
        "the index `{0}` serves these conditions and does not hold {1}{more}: call `.hydrate()`, which \
        reads the items as well, select only fields that it holds, or add the others to its `include`",
        index.name,
        shown.join(", ")
    ))
}

/// An index would serve, but lacks items that may match, since they do not have this field.
pub(super) fn leaves_out(info: &'static EntityInfo, index: &IndexInfo, field: &str) -> ValueError {
    ValueError::new(format!(
        "the index `{0}` serves these conditions, and has no items of `{1}` without `{field}`, which may \
        match as well: add `.exists()` of that field, call `.using(\"{0}\")` to read only the items in the \
        index, or call `.allow_scan()`",
        index.name, info.name
    ))
}

pub(super) fn other_index(info: &'static EntityInfo, begun: &str, using: &str) -> ValueError {
    if !info.indexes.iter().any(|index| index.name == using) {
        return no_such_index(info, using);
    }
    let begun =
        if begun.is_empty() { "a scan of the table".to_owned() } else { format!("the index `{begun}`") };
    ValueError::new(format!(
        "the query started with {begun}, so it cannot use the index `{using}`: start with `filter`"
    ))
}

pub(super) fn no_such_index(info: &'static EntityInfo, name: &str) -> ValueError {
    let names: Vec<String> = info.indexes.iter().map(|index| format!("`{}`", index.name)).collect();
    let indexes =
        if names.is_empty() { "it has none".to_owned() } else { format!("it has {}", names.join(", ")) };
    ValueError::new(format!("`{}` has no index `{name}`; {indexes}", info.name))
}

pub(super) fn not_served_by(spec: &Spec) -> ValueError {
    let using = spec.using.as_deref().unwrap_or_default();
    let index = spec.info.indexes.iter().find(|index| index.name == using);
    let fields = partition_fields(spec.info, index.map_or(&[], |index| index.partition));
    ValueError::new(format!(
        "the index `{using}` cannot serve the query: its partition key is made of {}, and no condition \
        fixes it",
        fields.join(" and ")
    ))
}

/// The fields of a partition key.
pub(super) fn partition_fields(info: &'static EntityInfo, partition: &'static [KeySource]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut add = |field: usize| {
        let name = info.fields.get(field).map_or("", |field| field.name);
        let name = format!("`{name}`");
        if !names.contains(&name) {
            names.push(name);
        }
    };
    for source in partition {
        match source {
            KeySource::Field(field) => add(*field),
            KeySource::Template(template) => template.segments.iter().for_each(|segment| {
                if let Segment::Field(field, _) = segment {
                    add(*field);
                }
            }),
        }
    }
    names
}

/// The query would scan the whole table.
pub(super) fn needs_scan(info: &'static EntityInfo, conditions: &Conditions) -> ValueError {
    let could_be_a_key =
        |name: &str| info.fields.iter().any(|field| field.name == name && field.scalar.is_some());
    let equal = info
        .fields
        .iter()
        .find(|field| conditions.equality(field.name).is_some() && could_be_a_key(field.name));
    let fix = match equal {
        Some(field) => {
            format!("add `#[entity(index = \"by_{0}\")]` to `{0}`", field.name.replace(['-', '.', ' '], "_"))
        }
        None => {
            let table = std::iter::once(partition_fields(info, std::slice::from_ref(&info.partition)));
            let indexes = info.indexes.iter().map(|index| partition_fields(info, index.partition));
            let mut keys: Vec<String> = Vec::new();
            for key in table.chain(indexes).filter(|fields| !fields.is_empty()) {
                let key = key.join(" and ");
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
            format!("add a condition with `.eq(…)` on a partition key, which is {}", keys.join(", or "))
        }
    };
    ValueError::new(format!(
        "no key and no index of `{}` can serve these conditions, so the whole table would be read: {fix}, \
        or call `.allow_scan()`",
        info.name
    ))
}
