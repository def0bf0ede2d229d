//! How a query is carried out, in words.

use std::fmt;

use super::Spec;
use super::plan::Plan;
use crate::codec::ValueError;
use crate::expression::{Node, Term};
use crate::transport::Operation;

/// How a query is carried out: the operation, the table or index, what the key says, what is filtered, the order, and what it
/// costs in kind. Made by [`Query::explain`](super::Query::explain). Values are left out.
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
#[derive(Clone, Debug)]
pub struct Explanation {
    plan: Result<Plan, ValueError>,
    limit: Option<u64>,
    max_evaluated: Option<u64>,
}

impl Explanation {
    pub(super) fn new(spec: &Spec, limit: Option<u64>, max_evaluated: Option<u64>) -> Self {
        Self { plan: Plan::new(spec), limit, max_evaluated }
    }

    /// True if the query reads the whole table.
    #[must_use]
    pub fn is_scan(&self) -> bool {
        self.plan.as_ref().is_ok_and(|plan| plan.operation == Operation::Scan)
    }

    /// The index that is queried; `None` for the table itself.
    #[must_use]
    pub fn index(&self) -> Option<&'static str> {
        self.plan.as_ref().ok()?.index.map(|index| index.name)
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plan = match &self.plan {
            Ok(plan) => plan,
            Err(error) => return write!(f, "Refused: {error}"),
        };
        let is_scan = plan.operation == Operation::Scan;
        write!(f, "{} ", if is_scan { "Scan" } else { "Query" })?;
        match plan.index {
            Some(index) => write!(f, "on the index `{}` of `{}`", index.name, plan.info.table)?,
            None => write!(f, "on the table `{}`", plan.info.table)?,
        }
        if !is_scan {
            write!(f, "\n  key:    {} = ?", plan.partition)?;
            if plan.partitions.len() > 1 {
                write!(f, " ({} values)", plan.partitions.len())?;
            }
            if let Some(sort) = &plan.sort {
                write!(f, " AND {}", Shown(sort))?;
            }
        }
        if let Some(filter) = &plan.filter {
            write!(f, "\n  filter: {}", Shown(filter))?;
        }
        if let Some(local) = &plan.local {
            write!(f, "\n  here:   {}", Shown(local))?;
        }
        if plan.descending {
            write!(f, "\n  order:  {} descending", plan.sort_attribute.unwrap_or_default())?;
        } else if plan.partitions.len() > 1
            && let Some(sort) = plan.sort_attribute
        {
            write!(f, "\n  order:  {sort}, merged")?;
        }
        if plan.consistent {
            f.write_str("\n  read:   consistent, at twice the capacity")?;
        }
        f.write_str("\n  cost:   ")?;
        match (is_scan, plan.partitions.len()) {
            (true, _) => f.write_str("reads the whole table")?,
            (false, 1) if matches!(plan.sort, Some(Node::Compare { operator: "=", .. })) => {
                f.write_str("reads one item, or those of one key of an index")?;
            }
            (false, 1) if plan.sort.is_some() => f.write_str("reads a part of one partition")?,
            (false, 1) => f.write_str("reads one partition")?,
            (false, partitions) => write!(f, "reads {partitions} partitions")?,
        }
        if let Some(limit) = self.limit {
            let matches = if limit == 1 { "match" } else { "matches" };
            write!(f, ", up to {limit} {matches}")?;
        }
        if let Some(items) = self.max_evaluated {
            write!(f, ", evaluates at most {items} items")?;
        }
        if plan.filter.is_some() || plan.local.is_some() {
            f.write_str("; what the filter leaves out is paid for")?;
        }
        Ok(())
    }
}

/// A condition without its values.
struct Shown<'n>(&'n Node);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Node::Compare { left, operator, right } => {
                write!(f, "{} {operator} {}", Operand(left), Operand(right))
            }
            Node::Between { term, low, high } => {
                write!(f, "{} BETWEEN {} AND {}", Operand(term), Operand(low), Operand(high))
            }
            Node::In { term, values } => write!(f, "{} IN ({} values)", Operand(term), values.len()),
            Node::Function { name, arguments } => {
                write!(f, "{name}(")?;
                for (position, argument) in arguments.iter().enumerate() {
                    write!(f, "{}{}", if position > 0 { ", " } else { "" }, Operand(argument))?;
                }
                f.write_str(")")
            }
            Node::And(nodes) => join(f, nodes, " AND "),
            Node::Or(nodes) => join(f, nodes, " OR "),
            Node::Not(node) => write!(f, "NOT ({})", Shown(node)),
        }
    }
}

fn join(f: &mut fmt::Formatter<'_>, nodes: &[Node], word: &str) -> fmt::Result {
    for (position, node) in nodes.iter().enumerate() {
        if position > 0 {
            f.write_str(word)?;
        }
        match node {
            Node::And(_) | Node::Or(_) => write!(f, "({})", Shown(node))?,
            node => write!(f, "{}", Shown(node))?,
        }
    }
    Ok(())
}

struct Operand<'t>(&'t Term);

impl fmt::Display for Operand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Term::Value(_) | Term::Refused(_) => f.write_str("?"),
            term => write!(f, "{term:?}"),
        }
    }
}
