//! The conditions of a query, for the planner. All of them must hold.

use std::borrow::Cow;
use std::collections::HashSet;

use super::operands::check_types;
use crate::codec::{Scanner, Value, ValueError, ValueType, normal_number};
use crate::expression::{Comparison, DocumentPath, MAX_IN, Node, Term};
use crate::query::evaluate::order_of_values;
use crate::query::spec::{Source, Spec};

/// Conditions that must all hold, each identified by its position.
pub(super) struct Conditions(Vec<Node>);

/// The values that the conditions allow for an attribute, without duplicates.
pub(super) struct Values {
    pub(super) values: Vec<Vec<u8>>,
    /// The position of the condition that restricts them.
    pub(super) position: usize,
}

impl Conditions {
    /// The conditions of the index function first, then those of the caller, then the one for soft deletion.
    pub(super) fn new(spec: &Spec) -> Result<Self, ValueError> {
        let mut nodes = Vec::new();
        if let Source::Index(_, parts) = &spec.source {
            for (field, value) in parts {
                let name = spec.info.fields.get(*field).map_or("", |field| field.name);
                let value = value.clone().map_err(|error| error.in_field(name))?;
                nodes.push(Node::equals(name, value));
            }
        }
        for node in &spec.conditions {
            match node {
                // A group has no nested group of the same kind.
                Node::And(group) => nodes.extend(group.iter().map(simplified)),
                node => nodes.push(simplified(node)),
            }
        }
        nodes.extend(spec.visible.of_mark(spec.info));
        for node in &nodes {
            node.leaves().try_for_each(check)?;
            node.check_names(spec.info)?;
            check_types(spec.info, node)?;
        }
        Ok(Self(nodes))
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, Node> {
        self.0.iter()
    }

    pub(super) fn get(&self, position: usize) -> Option<&Node> {
        self.0.get(position)
    }

    /// The conjunction of all.
    pub(super) fn all(&self) -> Option<Node> {
        Node::all(self.iter().cloned())
    }

    /// The conditions without those that the key covers.
    pub(super) fn without(self, used: &[usize]) -> impl Iterator<Item = Node> {
        let nodes = self.0.into_iter().enumerate();
        nodes.filter(|(position, _)| !used.contains(position)).map(|(_, node)| node)
    }

    /// The value that a condition requires for an attribute, with the position of the condition.
    pub(super) fn equality(&self, name: &str) -> Option<(usize, &[u8])> {
        self.iter().enumerate().find_map(|(position, node)| match node {
            Node::Compare {
                left: Term::Path(path),
                operator: Comparison::Equal,
                right: Term::Value(json),
            } if path.is_attribute(name) => Some((position, json.as_slice())),
            _ => None,
        })
    }

    /// The values that the conditions allow for an attribute, by `eq` or `is_in`.
    pub(super) fn values(&self, name: &str) -> Result<Option<Values>, ValueError> {
        if let Some((position, value)) = self.equality(name) {
            return Ok(Some(Values { values: vec![value.to_vec()], position }));
        }
        let several = self.iter().enumerate().find_map(|(position, node)| match node {
            Node::In { term: Term::Path(path), values } if path.is_attribute(name) => {
                let values = values.iter().map(|value| match value {
                    Term::Value(json) => Some(json),
                    _ => None,
                });
                Some((values.collect::<Option<Vec<_>>>()?, position))
            }
            _ => None,
        });
        let Some((all, position)) = several else { return Ok(None) };
        let mut seen = HashSet::with_capacity(all.len());
        let mut values = Vec::with_capacity(all.len());
        for value in all {
            if seen.insert(identity(value)?) {
                values.push(value.clone());
            }
        }
        Ok(Some(Values { values, position }))
    }
}

/// The value in a form that is equal for equal keys, however it is written.
fn identity(json: &[u8]) -> Result<(ValueType, Cow<'_, str>), ValueError> {
    let text = std::str::from_utf8(json).map_err(|_| ValueError::new("not UTF-8"))?;
    let value = Value::parse(&mut Scanner::new(text))?;
    let identity = match value.value_type() {
        ValueType::Number => normal_number(value.as_number()?),
        ValueType::String | ValueType::Binary => value.raw().unescape()?,
        _ => text.into(),
    };
    Ok((value.value_type(), identity))
}

/// A normal form: `x.eq(1) | x.eq(2)` becomes `x.is_in([1, 2])`, and `x.is_in([1])` becomes `x.eq(1)`.
fn simplified(node: &Node) -> Node {
    match node {
        Node::Or(group) => one_of(group.iter()).unwrap_or_else(|| node.clone()),
        Node::In { term, values } => match values.as_slice() {
            [value] => term.clone().compare(Comparison::Equal, value.clone()),
            _ => node.clone(),
        },
        node => node.clone(),
    }
}

/// One `is_in` for several equalities of the same attribute.
fn one_of<'n>(nodes: impl ExactSizeIterator<Item = &'n Node>) -> Option<Node> {
    let mut attribute: Option<&DocumentPath> = None;
    let mut all = Vec::with_capacity(nodes.len());
    for node in nodes {
        let (path, values) = match node {
            Node::Compare {
                left: Term::Path(path),
                operator: Comparison::Equal,
                right: value @ Term::Value(_),
            } => (path, std::slice::from_ref(value)),
            Node::In { term: Term::Path(path), values } => (path, values.as_slice()),
            _ => return None,
        };
        if *attribute.get_or_insert(path) != path || values.is_empty() || all.len() + values.len() > MAX_IN {
            return None;
        }
        all.extend_from_slice(values);
    }
    Some(Term::Path(attribute?.clone()).one_of(all))
}

/// Refuses a comparison or a function that can never match.
fn check(leaf: &Node) -> Result<(), ValueError> {
    if let Node::Refused(error) = leaf {
        return Err(error.clone());
    }
    let mut refused = None;
    leaf.each_term(&mut |term| {
        if let Term::Refused(error) = term {
            refused.get_or_insert(error);
        }
    });
    if let Some(error) = refused {
        return Err(error.clone());
    }
    match leaf {
        Node::Between { term, low: Term::Value(low), high: Term::Value(high) }
            if order_of_values(low, high)?.is_some_and(std::cmp::Ordering::is_gt) =>
        {
            Err(ValueError::new(format!(
                "the bounds of `between` on `{term:?}` are crossed, so nothing can match: give the lower \
                one first"
            )))
        }
        Node::In { term, values } if values.is_empty() => {
            Err(ValueError::new(format!("`is_in` on `{term:?}` was given no values, so nothing can match")))
        }
        _ => Ok(()),
    }
}
