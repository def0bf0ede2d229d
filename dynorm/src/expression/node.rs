//! Conditions without types: a tree of comparisons and functions, and its text.
//!
//! Code that recurses over the tree (its text, its evaluation in `query/evaluate.rs`, and Rust's own clone
//! and drop) needs stack for each level. So the constructors limit the depth to DynamoDB's limit of
//! operators.
//!
//! To add a function or a comparison, add a variant here, and also change: `operators.rs`, `path.rs` and
//! `by_name.rs` (its methods); `query/evaluate.rs` (its meaning); `query/plan/operands.rs` (the types of its
//! operands); and `query/plan/sort.rs`, if DynamoDB allows it on a sort key.

use std::cmp::Ordering;
use std::fmt;

use super::document_path::DocumentPath;
use super::json::Json;
use super::placeholders::{Expression, MAX_OPERATORS, check_operators};
use crate::attribute::Attribute;
use crate::codec::{Encoder, ValueError};
use crate::entity::EntityInfo;

/// The maximum number of values of `IN`.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
pub(crate) const MAX_IN: usize = 100;

/// A condition without types.
#[derive(Clone)]
pub(crate) enum Node {
    Compare {
        left: Term,
        operator: Comparison,
        right: Term,
    },
    Between {
        term: Term,
        low: Term,
        high: Term,
    },
    In {
        term: Term,
        values: Vec<Term>,
    },
    Exists(DocumentPath),
    NotExists(DocumentPath),
    BeginsWith {
        term: Term,
        prefix: Term,
    },
    Contains {
        term: Term,
        element: Term,
    },
    And(Group),
    Or(Group),
    Not(Negation),
    /// A condition that is too large. The operation fails with this error.
    Refused(ValueError),
}

/// Two or more conditions combined with one operator; none of them is itself a group of that operator.
#[derive(Clone)]
pub(crate) struct Group {
    nodes: Vec<Node>,
    extent: Extent,
}

/// A negated condition.
#[derive(Clone)]
pub(crate) struct Negation {
    node: Box<Node>,
    extent: Extent,
}

/// An operand of a comparison or a function.
#[derive(Clone)]
pub enum Term {
    Path(DocumentPath),
    /// The length of a string or of bytes, or the number of elements.
    Size(DocumentPath),
    Value(Vec<u8>),
    /// A value that could not be encoded. The operation fails with this error.
    Refused(ValueError),
}

/// A comparison operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// The operator's text in an expression.
    pub(crate) const fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    /// True if the comparison holds for operands in this order, left to right.
    pub(crate) const fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

/// The size of a condition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Extent {
    /// The number of operators as DynamoDB counts them: comparisons, functions, `AND`, `OR` and `NOT`.
    operators: usize,
    /// The number of nested groups and negations.
    depth: usize,
}

impl Extent {
    /// Every level has at least one operator, so a deeper condition would have too many.
    const MAX_DEPTH: usize = MAX_OPERATORS;
    /// A group of any length is one level deep. Its operators are counted when it is sent, since the planner
    /// may move some conditions into the key. This limit bounds the time to build conditions that are never
    /// sent.
    const MAX_OPERATORS: usize = 10_000;

    fn check(self) -> Result<Self, ValueError> {
        let problem = if self.depth > Self::MAX_DEPTH {
            format!("is nested {} levels deep", self.depth)
        } else if self.operators > Self::MAX_OPERATORS {
            format!("has {} operators", self.operators)
        } else {
            return Ok(self);
        };
        Err(ValueError::new(format!(
            "the condition {problem}, and DynamoDB takes {MAX_OPERATORS} operators in an expression: see \
             https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html"
        )))
    }
}

impl Node {
    /// True if the attribute is equal to an encoded value.
    pub(crate) fn equals(path: impl Into<DocumentPath>, value: Vec<u8>) -> Self {
        Self::compare(path, Comparison::Equal, value)
    }

    /// Compares the attribute with an encoded value.
    pub(crate) fn compare(path: impl Into<DocumentPath>, operator: Comparison, value: Vec<u8>) -> Self {
        Term::Path(path.into()).compare(operator, Term::Value(value))
    }

    /// True if the item has the attribute.
    pub(crate) fn exists(path: impl Into<DocumentPath>) -> Self {
        Self::Exists(path.into())
    }

    /// True if the item does not have the attribute.
    pub(crate) fn absent(path: impl Into<DocumentPath>) -> Self {
        Self::NotExists(path.into())
    }

    /// True if the attribute reads as absent: it is missing or NULL.
    pub(crate) fn absent_or_null(attribute: &'static str) -> Self {
        Self::absent(attribute).or(Self::equals(attribute, Json::NULL.to_vec()))
    }

    /// The conjunction of all nodes; `None` if there are none.
    pub(crate) fn all(nodes: impl IntoIterator<Item = Self>) -> Option<Self> {
        nodes.into_iter().reduce(Self::and)
    }

    pub(crate) fn and(self, other: Self) -> Self {
        let member = |node| match node {
            Self::And(group) => Member::Group(group),
            node => Member::Other(node),
        };
        Group::join(member(self), member(other)).map_or_else(Self::Refused, Self::And)
    }

    pub(crate) fn or(self, other: Self) -> Self {
        let member = |node| match node {
            Self::Or(group) => Member::Group(group),
            node => Member::Other(node),
        };
        Group::join(member(self), member(other)).map_or_else(Self::Refused, Self::Or)
    }

    pub(crate) fn negated(self) -> Self {
        if let Self::Refused(_) = self {
            return self;
        }
        let Extent { operators, depth } = self.extent();
        match (Extent { operators: operators + 1, depth: depth + 1 }).check() {
            Ok(extent) => Self::Not(Negation { node: Box::new(self), extent }),
            Err(error) => Self::Refused(error),
        }
    }

    /// The conjunction of both; `other` if there is no first one.
    pub(crate) fn and_also(node: Option<Self>, other: Self) -> Self {
        match node {
            Some(node) => node.and(other),
            None => other,
        }
    }

    /// The number of operators as DynamoDB counts them.
    pub(crate) fn operators(&self) -> usize {
        self.extent().operators
    }

    fn extent(&self) -> Extent {
        let operators = match self {
            Self::And(group) | Self::Or(group) => return group.extent,
            Self::Not(negation) => return negation.extent,
            Self::Compare { left, right, .. } => 1 + left.operators() + right.operators(),
            Self::Between { term, .. } | Self::In { term, .. } => 1 + term.operators(),
            Self::Exists(_) | Self::NotExists(_) | Self::BeginsWith { .. } | Self::Contains { .. } => 1,
            Self::Refused(_) => 0,
        };
        Extent { operators, depth: 0 }
    }

    /// The comparisons and functions of the condition, in order.
    pub(crate) fn leaves(&self) -> Leaves<'_> {
        Leaves { next: Some(self), groups: Vec::new() }
    }

    /// Calls `visit` with every operand of a leaf that can be a value.
    pub(crate) fn each_term<'n>(&'n self, visit: &mut dyn FnMut(&'n Term)) {
        match self {
            Self::Compare { left, right, .. } => [left, right].into_iter().for_each(visit),
            Self::Between { term, low, high } => [term, low, high].into_iter().for_each(visit),
            Self::In { term, values } => {
                visit(term);
                values.iter().for_each(visit);
            }
            Self::BeginsWith { term, prefix: operand } | Self::Contains { term, element: operand } => {
                [term, operand].into_iter().for_each(visit);
            }
            Self::Exists(_) | Self::NotExists(_) | Self::Refused(_) => {}
            Self::And(_) | Self::Or(_) | Self::Not(_) => {
                self.leaves().for_each(|leaf| leaf.each_term(visit));
            }
        }
    }

    /// Calls `visit` with every path in the condition.
    pub(crate) fn each_path<'n>(&'n self, visit: &mut dyn FnMut(&'n DocumentPath)) {
        for leaf in self.leaves() {
            if let Self::Exists(path) | Self::NotExists(path) = leaf {
                visit(path);
            }
            leaf.each_term(&mut |term| {
                if let Term::Path(path) | Term::Size(path) = term {
                    visit(path);
                }
            });
        }
    }

    /// Refuses names known only at run time that the entity does not have.
    pub(crate) fn check_names(&self, info: &'static EntityInfo) -> Result<(), ValueError> {
        let mut unknown = None;
        self.each_path(&mut |path| {
            if path.by_name && !info.fields.iter().any(|field| field.name == path.attribute) {
                unknown.get_or_insert_with(|| info.no_such_field(&path.attribute));
            }
        });
        unknown.map_or(Ok(()), Err)
    }

    /// True if the attribute occurs in the condition.
    pub(crate) fn mentions(&self, attribute: &str) -> bool {
        let mut found = false;
        self.each_path(&mut |path| found |= path.attribute == attribute);
        found
    }

    /// True if this compares the attribute with values, by an operator that DynamoDB allows on a sort key.
    pub(crate) fn bounds(&self, attribute: &str) -> bool {
        let is_key = |term: &Term| matches!(term, Term::Path(path) if path.is_attribute(attribute));
        let is_value = |term: &Term| matches!(term, Term::Value(_) | Term::Refused(_));
        match self {
            Self::Compare { left, operator, right } => {
                *operator != Comparison::NotEqual && is_key(left) && is_value(right)
            }
            Self::Between { term, low, high } => is_key(term) && is_value(low) && is_value(high),
            Self::BeginsWith { term, prefix } => is_key(term) && is_value(prefix),
            _ => false,
        }
    }

    /// True if the condition can hold only for items that have the attribute.
    pub(crate) fn needs(&self, attribute: &str) -> bool {
        match self {
            // `<>` holds for an absent attribute.
            Self::Compare { operator: Comparison::NotEqual, .. }
            | Self::NotExists(_)
            | Self::Not(_)
            | Self::Refused(_) => false,
            Self::In { term, .. } => term.is_of(attribute),
            Self::And(group) => group.iter().any(|node| node.needs(attribute)),
            Self::Or(group) => group.iter().all(|node| node.needs(attribute)),
            leaf => leaf.mentions(attribute),
        }
    }

    /// Renders the condition, and adds its names and values to the expression.
    pub(crate) fn render(&self, expression: &mut Expression) -> Result<String, ValueError> {
        let mut text = String::new();
        self.write(expression, &mut text)?;
        Ok(text)
    }

    fn write(&self, expression: &mut Expression, out: &mut String) -> Result<(), ValueError> {
        match self {
            Self::And(group) => group.write(" AND ", expression, out),
            Self::Or(group) => group.write(" OR ", expression, out),
            Self::Not(negation) => {
                out.push_str("NOT (");
                negation.node.write(expression, out)?;
                out.push(')');
                Ok(())
            }
            leaf => leaf.write_leaf(expression, out),
        }
    }

    /// Not inlined into `write`, whose stack frame would grow at every level.
    #[inline(never)]
    fn write_leaf(&self, expression: &mut Expression, out: &mut String) -> Result<(), ValueError> {
        let text = match self {
            Self::Compare { left, operator, right } => {
                format!("{} {} {}", left.render(expression)?, operator.symbol(), right.render(expression)?)
            }
            Self::Between { term, low, high } => format!(
                "{} BETWEEN {} AND {}",
                term.render(expression)?,
                low.render(expression)?,
                high.render(expression)?
            ),
            Self::In { term, values } => {
                if values.is_empty() {
                    return Err(ValueError::new("`is_in` was given no values, so nothing can match"));
                }
                if values.len() > MAX_IN {
                    return Err(ValueError::new(format!(
                        "`is_in` was given {} values, and DynamoDB takes {MAX_IN}",
                        values.len()
                    )));
                }
                let term = term.render(expression)?;
                let values = values.iter().map(|value| value.render(expression));
                format!("{term} IN ({})", values.collect::<Result<Vec<_>, _>>()?.join(", "))
            }
            Self::Exists(path) => format!("attribute_exists({})", path.render(expression)),
            Self::NotExists(path) => format!("attribute_not_exists({})", path.render(expression)),
            Self::BeginsWith { term, prefix } => {
                format!("begins_with({}, {})", term.render(expression)?, prefix.render(expression)?)
            }
            Self::Contains { term, element } => {
                format!("contains({}, {})", term.render(expression)?, element.render(expression)?)
            }
            Self::Refused(error) => return Err(error.clone()),
            Self::And(_) | Self::Or(_) | Self::Not(_) => return self.write(expression, out),
        };
        out.push_str(&text);
        Ok(())
    }
}

/// A group, or a node that is not a group of that operator.
enum Member {
    Group(Group),
    Other(Node),
}

impl Group {
    fn join(one: Member, other: Member) -> Result<Self, ValueError> {
        let mut group = match (one, other) {
            (Member::Other(Node::Refused(error)), _) | (_, Member::Other(Node::Refused(error))) => {
                return Err(error);
            }
            (Member::Group(mut group), Member::Group(other)) => {
                group.extent = group.extent.and(other.extent);
                group.nodes.extend(other.nodes);
                group
            }
            (Member::Group(mut group), Member::Other(node)) => {
                group.extent = group.extent.and(Extent::within(&node));
                group.nodes.push(node);
                group
            }
            (Member::Other(node), Member::Group(mut group)) => {
                group.extent = Extent::within(&node).and(group.extent);
                group.nodes.insert(0, node);
                group
            }
            (Member::Other(one), Member::Other(other)) => {
                let extent = Extent::within(&one).and(Extent::within(&other));
                Self { nodes: vec![one, other], extent }
            }
        };
        group.extent = group.extent.check()?;
        Ok(group)
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Node> {
        self.nodes.iter()
    }

    /// DynamoDB refuses redundant parentheses: each operand has one pair, and the group has none of its own.
    fn write(&self, word: &str, expression: &mut Expression, out: &mut String) -> Result<(), ValueError> {
        for (position, node) in self.nodes.iter().enumerate() {
            if position > 0 {
                out.push_str(word);
            }
            out.push('(');
            node.write(expression, out)?;
            out.push(')');
        }
        Ok(())
    }

    fn show(&self, word: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, node) in self.nodes.iter().enumerate() {
            if position > 0 {
                f.write_str(word)?;
            }
            if let Node::And(_) | Node::Or(_) = node {
                f.write_str("(")?;
                fmt::Debug::fmt(node, f)?;
                f.write_str(")")?;
            } else {
                fmt::Debug::fmt(node, f)?;
            }
        }
        Ok(())
    }
}

impl Extent {
    /// The size of a condition as an operand of a group.
    fn within(node: &Node) -> Self {
        let Self { operators, depth } = node.extent();
        Self { operators, depth: depth + 1 }
    }

    /// The size of two conditions combined with an operator.
    fn and(self, other: Self) -> Self {
        Self { operators: self.operators + other.operators + 1, depth: self.depth.max(other.depth) }
    }
}

impl Negation {
    /// The condition that is negated.
    pub(crate) fn node(&self) -> &Node {
        &self.node
    }
}

/// An iterator over the comparisons and functions of a condition. See [`Node::leaves`].
pub(crate) struct Leaves<'n> {
    next: Option<&'n Node>,
    groups: Vec<std::slice::Iter<'n, Node>>,
}

impl<'n> Iterator for Leaves<'n> {
    type Item = &'n Node;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Some(node) = self.next.take().or_else(|| self.groups.last_mut().and_then(Iterator::next))
            else {
                drop(self.groups.pop()?);
                continue;
            };
            match node {
                Node::And(group) | Node::Or(group) => self.groups.push(group.iter()),
                Node::Not(negation) => self.next = Some(negation.node()),
                leaf => return Some(leaf),
            }
        }
    }
}

impl Term {
    /// Encodes the value of an operand.
    pub(crate) fn encode<T: Attribute>(value: &T) -> Self {
        if value.is_absent() {
            return Self::Refused(ValueError::new(
                "this value is stored by leaving the attribute out, so nothing is equal to it: use \
                `not_exists()`",
            ));
        }
        let mut encoder = Encoder::default();
        match value.encode(&mut encoder) {
            Ok(()) => Self::Value(encoder.into_bytes()),
            Err(error) => Self::Refused(error.discreet()),
        }
    }

    pub(crate) fn compare(self, operator: Comparison, right: Self) -> Node {
        Node::Compare { left: self, operator, right }
    }

    pub(crate) fn between(self, low: Self, high: Self) -> Node {
        Node::Between { term: self, low, high }
    }

    pub(crate) fn one_of(self, values: Vec<Self>) -> Node {
        Node::In { term: self, values }
    }

    pub(crate) fn begins_with(self, prefix: Self) -> Node {
        Node::BeginsWith { term: self, prefix }
    }

    pub(crate) fn contains(self, element: Self) -> Node {
        Node::Contains { term: self, element }
    }

    fn is_of(&self, attribute: &str) -> bool {
        matches!(self, Self::Path(path) | Self::Size(path) if path.attribute == attribute)
    }

    fn operators(&self) -> usize {
        usize::from(matches!(self, Self::Size(_)))
    }

    fn render(&self, expression: &mut Expression) -> Result<String, ValueError> {
        match self {
            Self::Path(path) => Ok(path.render(expression)),
            Self::Size(path) => Ok(format!("size({})", path.render(expression))),
            Self::Value(json) => Ok(expression.encoded_value(json.clone())),
            Self::Refused(error) => Err(error.clone()),
        }
    }
}

impl Expression {
    /// Sets the condition of a write. A write has only one.
    pub(crate) fn set_condition(&mut self, node: &Node) -> Result<(), ValueError> {
        check_operators("the condition has", node.operators())?;
        let text = node.render(self)?;
        self.set_condition_text(text)
    }
}

/// Shows the text of the expression without its values, which must not reach logs: `age >= ? AND
/// attribute_exists(name)`.
impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(group) => group.show(" AND ", f),
            Self::Or(group) => group.show(" OR ", f),
            Self::Not(negation) => {
                f.write_str("NOT (")?;
                fmt::Debug::fmt(negation.node(), f)?;
                f.write_str(")")
            }
            leaf => leaf.show_leaf(f),
        }
    }
}

impl Node {
    #[inline(never)]
    fn show_leaf(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compare { left, operator, right } => write!(f, "{left:?} {} {right:?}", operator.symbol()),
            Self::Between { term, low, high } => write!(f, "{term:?} BETWEEN {low:?} AND {high:?}"),
            Self::In { term, values } => {
                let values = values.len();
                write!(f, "{term:?} IN ({values} value{})", if values == 1 { "" } else { "s" })
            }
            Self::Exists(path) => write!(f, "attribute_exists({path:?})"),
            Self::NotExists(path) => write!(f, "attribute_not_exists({path:?})"),
            Self::BeginsWith { term, prefix } => write!(f, "begins_with({term:?}, {prefix:?})"),
            Self::Contains { term, element } => write!(f, "contains({term:?}, {element:?})"),
            Self::Refused(_) => f.write_str("a condition that is too large"),
            Self::And(_) | Self::Or(_) | Self::Not(_) => fmt::Debug::fmt(self, f),
        }
    }
}

impl fmt::Debug for Term {
    /// Hides values, which must not reach logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.fmt(f),
            Self::Size(path) => write!(f, "size({path:?})"),
            Self::Value(_) | Self::Refused(_) => f.write_str("?"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Comparison, MAX_OPERATORS, Node, Term};
    use crate::expression::{DocumentPath, Expression};

    fn render(node: &Node) -> String {
        let mut expression = Expression::default();
        node.render(&mut expression).unwrap()
    }

    fn size(name: &'static str) -> Node {
        let size = Term::Size(DocumentPath::of(name));
        size.compare(Comparison::Less, Term::encode(&1))
    }

    #[test]
    fn every_name_is_a_placeholder_and_the_nesting_is_kept() {
        let node = Node::exists("a.b").or(Node::exists("size")).or(Node::exists("a.b").negated());
        let node = node.and(Node::exists("c-d"));
        assert_eq!(
            render(&node),
            "((attribute_exists(#0)) OR (attribute_exists(#1)) OR (NOT (attribute_exists(#0)))) AND \
            (attribute_exists(#2))"
        );
        assert_eq!(
            format!("{node:?}"),
            "(attribute_exists(a.b) OR attribute_exists(size) OR NOT (attribute_exists(a.b))) AND \
            attribute_exists(c-d)"
        );
    }

    #[test]
    fn no_parentheses_are_there_twice_however_a_condition_is_put_together() {
        let leaf = || Node::exists("a");
        let (mut all, mut queue) = (vec![leaf()], vec![leaf()]);
        for _ in 0..3 {
            let made: Vec<Node> = queue
                .iter()
                .flat_map(|node| {
                    let group = |nodes: [Option<Node>; 2]| Node::all(nodes.into_iter().flatten());
                    [
                        Some(node.clone().negated()),
                        Some(node.clone().and(leaf())),
                        Some(leaf().and(node.clone())),
                        Some(node.clone().or(leaf())),
                        Some(leaf().or(node.clone())),
                        Some(node.clone().and(node.clone())),
                        Some(node.clone().or(node.clone())),
                        group([Some(node.clone()), None]),
                    ]
                })
                .flatten()
                .collect();
            all.extend(made.iter().cloned());
            queue = made;
        }
        for node in all {
            let text = render(&node);
            assert!(!text.contains("((attribute_exists(#0)))"), "{text}");
            // A pair that contains only another pair.
            let (mut open, mut pairs) = (Vec::new(), std::collections::HashSet::new());
            for (at, character) in text.char_indices() {
                match character {
                    '(' => open.push(at),
                    ')' => {
                        let start = open.pop().unwrap();
                        assert!(!pairs.contains(&(start + 1, at - 1)), "{text}");
                        pairs.insert((start, at));
                    }
                    _ => {}
                }
            }
            assert!(!text.starts_with('(') || !pairs.contains(&(0, text.len() - 1)), "{text}");
        }
    }

    #[test]
    fn operators_are_counted_as_dynamodb_counts_them() {
        for (node, operators) in [
            (Node::exists("a"), 1),
            (size("a"), 2),
            (Node::exists("a").negated(), 2),
            (Node::exists("a").and(size("b")), 4),
            (Node::exists("a").and(size("b")).and(Node::exists("c")), 6),
            (Node::exists("a").and(size("b")).or(Node::exists("c").and(Node::exists("d"))), 8),
        ] {
            assert_eq!(node.operators(), operators, "{node:?}");
        }
    }

    #[test]
    fn a_condition_is_as_deep_as_dynamodb_permits_and_no_deeper() {
        let nest =
            |levels, level: &dyn Fn(Node) -> Node| (0..levels).fold(Node::exists("a"), |node, _| level(node));
        let flip = |node| match node {
            Node::And(_) => Node::or(node, Node::exists("b")),
            node => node.and(Node::exists("b")),
        };
        let levels: [&dyn Fn(Node) -> Node; 3] =
            [&Node::negated, &flip, &|node| Node::exists("b").or(Node::exists("b").and(node))];
        for level in levels {
            for count in [0, 1, 50, 149] {
                assert!(!matches!(nest(count, level), Node::Refused(_)), "{count}");
            }
            for count in [MAX_OPERATORS + 1, 10_000] {
                let Node::Refused(error) = nest(count, level) else { panic!("{count}") };
                assert!(error.to_string().contains("300 operators"), "{error}");
            }
        }
        assert!(!matches!(nest(MAX_OPERATORS, &Node::negated), Node::Refused(_)));
        // A group of any length is one level deep.
        let flat = nest(299, &|node| node.and(Node::exists("b")));
        assert_eq!((flat.operators(), flat.leaves().count()), (599, 300));
        let flat = nest(100_000, &|node| node.and(Node::exists("b")));
        assert!(matches!(flat, Node::Refused(_)));
    }
}
