//! The plan of a query in words.

use std::fmt;

use super::plan::Plan;
use crate::codec::ValueError;
use crate::expression::{Comparison, Node};
use crate::transport::Operation;

/// The plan of a query: the operation, the table or index, the key condition, the filter, the order, and the
/// kind of cost. Made by [`Query::explain`](super::Query::explain). Values are not shown.
///
/// ```
/// # use dynorm::prelude::*;
/// # #[derive(Entity, Clone, Debug, Default)]
/// # struct User { #[entity(id)] id: Id<User>, #[entity(index = "by_email")] email: String, age: u32 }
/// let explanation = UserRepo::filter(User::EMAIL.eq("a@b.c") & User::AGE.ge(18)).explain();
/// assert_eq!(
///     explanation.to_string(),
///     "Query on the index `by_email` of `users`
///   key:    email = ?
///   filter: age >= ?
///   cost:   reads one partition; what the filter leaves out is paid for"
/// );
/// ```
#[derive(Clone)]
pub struct Explanation {
    plan: Result<Plan, ValueError>,
    limit: Option<u64>,
    max_evaluated: Option<u64>,
}

impl Explanation {
    pub(super) fn new(
        plan: Result<Plan, ValueError>,
        limit: Option<u64>,
        max_evaluated: Option<u64>,
    ) -> Self {
        Self { plan, limit, max_evaluated }
    }

    /// True if the query scans the whole table.
    #[must_use]
    pub fn is_scan(&self) -> bool {
        self.plan.as_ref().is_ok_and(|plan| plan.operation == Operation::SCAN)
    }

    /// The index that is queried; `None` for the table itself.
    #[must_use]
    pub fn index(&self) -> Option<&'static str> {
        self.plan.as_ref().ok()?.index.map(|index| index.name)
    }
}

/// The same as `Display`, since the plan contains values.
impl fmt::Debug for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Explanation").field(&self.to_string()).finish()
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plan = match &self.plan {
            Ok(plan) => plan,
            Err(error) => return write!(f, "Refused: {error}"),
        };
        let is_query = plan.operation == Operation::QUERY;
        f.write_str(match plan.operation {
            operation if operation == Operation::SCAN => "Scan of ",
            operation if operation == Operation::BATCH_GET_ITEM => "BatchGetItem on ",
            _ => "Query on ",
        })?;
        match plan.index {
            Some(index) => write!(f, "the index `{}` of `{}`", index.name, plan.info.table)?,
            None => write!(f, "the table `{}`", plan.info.table)?,
        }
        if is_query {
            for (index, name) in plan.partition.iter().enumerate() {
                write!(f, "{}{name} = ?", if index == 0 { "\n  key:    " } else { " AND " })?;
            }
            if plan.partitions.len() > 1 {
                write!(f, " ({} values)", plan.partitions.len())?;
            }
            for sort in &plan.sort {
                write!(f, " AND {sort:?}")?;
            }
        } else if !plan.keys.is_empty() {
            write!(f, "\n  keys:   {}", plan.keys.len())?;
        }
        let of_type = plan.info.type_attribute.filter(|_| plan.keys.is_empty());
        match (of_type, &plan.filter) {
            (Some(of_type), filter) => {
                match plan.info.type_names {
                    names @ [_, _, ..] => write!(f, "\n  filter: {of_type} IN ({})", quoted(names))?,
                    _ => write!(f, "\n  filter: {of_type} = \"{}\"", plan.info.type_name())?,
                }
                match filter {
                    Some(or @ Node::Or(_)) => write!(f, " AND ({or:?})")?,
                    Some(filter) => write!(f, " AND {filter:?}")?,
                    None => {}
                }
            }
            (None, Some(filter)) => write!(f, "\n  filter: {filter:?}")?,
            (None, None) => {}
        }
        if plan.live.is_some() {
            f.write_str("\n  filter: expired items are left out")?;
        }
        if plan.hydrates {
            f.write_str("\n  then:   BatchGetItem of the found items, which are checked again")?;
        } else if let Some(local) = &plan.local {
            write!(f, "\n  here:   {local:?}")?;
        }
        let sort = plan.sort_attributes.join(", ");
        if !sort.is_empty() && (plan.descending || plan.partitions.len() > 1) {
            let descending = if plan.descending { " descending" } else { "" };
            let merged = if plan.partitions.len() > 1 { ", merged" } else { "" };
            write!(f, "\n  order:  {sort}{descending}{merged}")?;
        }
        if plan.consistent {
            f.write_str("\n  read:   consistent, at twice the capacity")?;
        }
        f.write_str("\n  cost:   ")?;
        if is_query && plan.partitions.is_empty() {
            return f.write_str("reads nothing: the bounds of the sort key are crossed");
        }
        f.write_str(&extent(plan))?;
        if plan.hydrates {
            f.write_str(", and the items that are found")?;
        }
        if let Some(limit) = self.limit {
            write!(f, ", up to {}", counted(limit, "match", "matches"))?;
        }
        if let Some(items) = self.max_evaluated {
            write!(f, ", evaluates at most {}", counted(items, "item", "items"))?;
        }
        if plan.filter.is_some() || (plan.local.is_some() && !plan.hydrates) || of_type.is_some() {
            f.write_str("; what the filter leaves out is paid for")?;
        }
        Ok(())
    }
}

/// The amount of data that is read, in words.
fn extent(plan: &Plan) -> String {
    if plan.operation == Operation::SCAN {
        return "reads the whole table".to_owned();
    }
    if plan.operation == Operation::BATCH_GET_ITEM {
        return format!("reads {}", counted(plan.keys.len() as u64, "item", "items"));
    }
    let partitions = plan.partitions.len() as u64;
    let is_fixed = plan.sort.len() == plan.sort_attributes.len()
        && matches!(plan.sort.last(), Some(Node::Compare { operator: Comparison::Equal, .. }));
    match (plan.index, plan.sort.last()) {
        (None, _) if is_fixed || plan.info.sort.is_none() => {
            format!("reads {}", counted(partitions, "item", "items"))
        }
        (Some(_), _) if is_fixed => {
            format!("reads the items of {} of the index", counted(partitions, "key", "keys"))
        }
        (_, Some(_)) if partitions == 1 => "reads a part of one partition".to_owned(),
        (_, Some(_)) => format!("reads parts of {partitions} partitions"),
        (_, None) => format!("reads {}", counted(partitions, "partition", "partitions")),
    }
}

fn counted(count: u64, one: &str, many: &str) -> String {
    if count == 1 { format!("one {one}") } else { format!("{count} {many}") }
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}
