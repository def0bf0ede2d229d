//! What is said of a query that cannot be carried out as it is, with the way out.

use super::Spec;
use super::plan::equality;
use crate::codec::ValueError;
use crate::entity::EntityInfo;
use crate::expression::Node;

pub(super) fn unordered(spec: &Spec) -> ValueError {
    let info = spec.info;
    let wanted = spec.order.as_ref().map_or("", |order| order.attribute);
    let sorts: Vec<String> = std::iter::once((None, info.sort.as_ref()))
        .chain(info.indexes.iter().map(|index| (Some(index.name), index.sort.as_ref())))
        .filter_map(|(index, sort)| {
            let attribute = info.attribute(sort?);
            Some(match index {
                Some(index) => format!("by `{attribute}` with the index `{index}`"),
                None => format!("by `{attribute}` with the key of the table"),
            })
        })
        .collect();
    let possible = if sorts.is_empty() {
        "no key of this entity has a sort key".to_owned()
    } else {
        format!("what the keys can do is to order {}", sorts.join(", "))
    };
    ValueError::new(format!(
        "items come in the order of the sort key of what is queried, and with these conditions that is not `{wanted}`; {possible}; or sort the result with `.sorted_by(…)`"
    ))
}

pub(super) fn other_index(info: &'static EntityInfo, begun: &str, using: &str) -> ValueError {
    if !info.indexes.iter().any(|index| index.name == using) {
        return no_such_index(info, using);
    }
    let begun =
        if begun.is_empty() { "a scan of the table".to_owned() } else { format!("the index `{begun}`") };
    ValueError::new(format!(
        "the query began with {begun}, so it cannot use the index `{using}`: begin with `filter`"
    ))
}

pub(super) fn no_such_index(info: &'static EntityInfo, name: &str) -> ValueError {
    let known: Vec<String> = info.indexes.iter().map(|index| format!("`{}`", index.name)).collect();
    let known =
        if known.is_empty() { "it has none".to_owned() } else { format!("it has {}", known.join(", ")) };
    ValueError::new(format!("`{}` has no index `{name}`; {known}", info.name))
}

pub(super) fn not_served_by(spec: &Spec) -> ValueError {
    let using = spec.using.as_deref().unwrap_or_default();
    let index = spec.info.indexes.iter().find(|index| index.name == using);
    let partition = index.map_or("", |index| spec.info.attribute(&index.partition));
    ValueError::new(format!(
        "the index `{using}` cannot serve the query: no condition says what its partition key `{partition}` is equal to"
    ))
}

/// The refusal of a query that would read the whole table, with the way out.
pub(super) fn needs_scan(info: &'static EntityInfo, conditions: &[Node]) -> ValueError {
    let could_be_a_key =
        |name: &str| info.fields.iter().any(|field| field.name == name && field.scalar.is_some());
    let equal = info
        .fields
        .iter()
        .find(|field| equality(field.name, conditions).is_some() && could_be_a_key(field.name));
    let fix = match equal {
        Some(field) => {
            format!("add `#[entity(index = \"by_{0}\")]` to `{0}`", field.name.replace(['-', '.', ' '], "_"))
        }
        None => "add a condition with `.eq(…)` on the partition key of the table or of an index".to_owned(),
    };
    ValueError::new(format!(
        "no key and no index of `{}` can serve these conditions, so the whole table would be read: {fix}, or call `.allow_scan()`",
        info.name
    ))
}
