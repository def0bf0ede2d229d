//! The planner: from conditions to the table or the index that serves them best.
//!
//! A key serves a query if the conditions fix its whole partition key, by `eq` or by `is_in`. Of several that do, the one
//! wins whose sort key the conditions narrow most (equality, then two bounds, then one bound or a beginning, then nothing);
//! then one partition before several; then the table before its indexes, and those in the order of the struct. With an
//! order, only keys that have it are considered.

use std::borrow::Cow;

use super::evaluate::order_of_values;
use super::refusal::{needs_scan, no_such_field, no_such_index, not_served_by, other_index, unordered};
use super::{MAX_PARTITIONS, Order, Source, Spec};
use crate::codec::ValueError;
use crate::entity::{EntityInfo, IndexInfo};
use crate::expression::{DocumentPath, Node, Term};
use crate::key::{EncodedPart, KeyRole, KeySource, Part, Segment, Template, check_key};
use crate::transport::Operation;

/// How a query is carried out.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(super) info: &'static EntityInfo,
    pub(super) operation: Operation,
    pub(super) index: Option<&'static IndexInfo>,
    /// The attribute of the partition key, and its values: a query for each. Empty for a scan.
    pub(super) partition: &'static str,
    pub(super) partitions: Vec<Vec<u8>>,
    pub(super) sort: Option<Node>,
    /// What DynamoDB checks after reading.
    pub(super) filter: Option<Node>,
    /// What is checked here, since DynamoDB takes no filter on the keys of what is queried.
    pub(super) local: Option<Node>,
    pub(super) descending: bool,
    /// The attribute that the items of a partition are in order of.
    pub(super) sort_attribute: Option<&'static str>,
    pub(super) consistent: bool,
}

/// A key that serves the conditions.
struct Candidate {
    index: Option<&'static IndexInfo>,
    partition: &'static str,
    partitions: Vec<Vec<u8>>,
    sort: Option<Node>,
    sort_attribute: Option<&'static str>,
    /// The conditions that the key says already.
    used: Vec<usize>,
    /// How much the sort key is narrowed.
    narrowed: u8,
}

impl Plan {
    pub(super) fn new(spec: &Spec) -> Result<Self, ValueError> {
        let conditions = conjuncts(spec)?;
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
            Source::Scan => Self::scan(spec, conditions),
            Source::Index(index, _) => {
                let index = spec.info.indexes.get(*index);
                let index = index.ok_or_else(|| ValueError::new("the entity has no such index"))?;
                match candidate(spec, Some(index), &conditions)? {
                    Some(candidate) => Self::query(spec, candidate, conditions),
                    None => Err(unordered(spec)),
                }
            }
            Source::Filter => Self::best(spec, conditions),
        }
    }

    fn best(spec: &Spec, conditions: Vec<Node>) -> Result<Self, ValueError> {
        let mut keys: Vec<Option<&'static IndexInfo>> = vec![None];
        keys.extend(spec.info.indexes.iter().map(Some));
        if let Some(using) = &spec.using {
            let named = spec.info.indexes.iter().find(|index| index.name == *using);
            keys = vec![Some(named.ok_or_else(|| no_such_index(spec.info, using))?)];
        }
        let mut best: Option<Candidate> = None;
        for index in keys {
            let Some(found) = candidate(spec, index, &conditions)? else { continue };
            let rank = |candidate: &Candidate| (candidate.narrowed, candidate.partitions.len() == 1);
            if best.as_ref().is_none_or(|best| rank(&found) > rank(best)) {
                best = Some(found);
            }
        }
        match best {
            Some(best) => Self::query(spec, best, conditions),
            None if serves_unordered(spec, &conditions)? => Err(unordered(spec)),
            None if spec.using.is_some() => Err(not_served_by(spec)),
            None if spec.allow_scan => Self::scan(spec, conditions),
            None => Err(needs_scan(spec.info, &conditions)),
        }
    }

    fn query(spec: &Spec, candidate: Candidate, conditions: Vec<Node>) -> Result<Self, ValueError> {
        let Candidate { index, partition, partitions, sort, sort_attribute, used, .. } = candidate;
        if spec.consistent && index.is_some_and(|index| !index.local) {
            let name = index.map_or("", |index| index.name);
            return Err(ValueError::new(format!(
                "the index `{name}` is global, and DynamoDB reads only tables and local indexes consistently: leave out `.consistent()`, or query by the key of the table"
            )));
        }
        let keys: Vec<&str> = keys_of(spec.info, index).map(|source| spec.info.attribute(source)).collect();
        let (mut filter, mut local) = (Vec::new(), Vec::new());
        for (position, node) in conditions.into_iter().enumerate() {
            if used.contains(&position) {
                continue;
            }
            let on_keys = keys.iter().any(|key| node.mentions(key));
            if on_keys { local.push(node) } else { filter.push(node) }
        }
        Ok(Self {
            info: spec.info,
            operation: Operation::Query,
            index,
            partition,
            partitions,
            sort,
            filter: all_of(filter),
            local: all_of(local),
            descending: spec.order.as_ref().is_some_and(|order| order.descending),
            sort_attribute,
            consistent: spec.consistent,
        })
    }

    fn scan(spec: &Spec, conditions: Vec<Node>) -> Result<Self, ValueError> {
        if spec.order.is_some() {
            return Err(ValueError::new(
                "a scan has no order: query by an index whose sort key it is, or sort the result with `.sorted_by(…)`",
            ));
        }
        Ok(Self {
            info: spec.info,
            operation: Operation::Scan,
            index: None,
            partition: "",
            partitions: Vec::new(),
            sort: None,
            filter: all_of(conditions),
            local: None,
            descending: false,
            sort_attribute: None,
            consistent: spec.consistent,
        })
    }

    /// The keys that a place in the answer is told by: those of the table and of the index.
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
}

fn keys_of(
    info: &'static EntityInfo,
    index: Option<&'static IndexInfo>,
) -> impl Iterator<Item = &'static KeySource> {
    let (partition, sort) = match index {
        Some(index) => (&index.partition, index.sort.as_ref()),
        None => (&info.partition, info.sort.as_ref()),
    };
    std::iter::once(partition).chain(sort)
}

/// The conditions that must all hold, those of a starter first.
fn conjuncts(spec: &Spec) -> Result<Vec<Node>, ValueError> {
    let mut conditions = Vec::new();
    if let Source::Index(_, parts) = &spec.source {
        for (field, value) in parts {
            let name = spec.info.fields.get(*field).map_or("", |field| field.name);
            let value = value.clone().map_err(|error| error.in_field(name))?;
            let path = Term::Path(DocumentPath::of(name));
            conditions.push(Node::Compare { left: path, operator: "=", right: Term::Value(value) });
        }
    }
    for node in &spec.conditions {
        flatten(node, &mut conditions);
    }
    for node in &conditions {
        check(node)?;
        let mut unknown = None;
        node.each_path(&mut |path| {
            let is_known = spec.info.fields.iter().any(|field| field.name == path.attribute);
            if path.is_by_name() && !is_known {
                unknown.get_or_insert_with(|| path.attribute.clone());
            }
        });
        if let Some(name) = unknown {
            return Err(no_such_field(spec.info, &name));
        }
        super::operands::check_types(spec.info, node)?;
    }
    Ok(conditions)
}

fn flatten(node: &Node, into: &mut Vec<Node>) {
    match node {
        Node::And(nodes) => nodes.iter().for_each(|node| flatten(node, into)),
        node => into.push(node.clone()),
    }
}

/// What can be said of a condition before anything is sent.
fn check(node: &Node) -> Result<(), ValueError> {
    let refused = |term: &Term| if let Term::Refused(error) = term { Err(error.clone()) } else { Ok(()) };
    match node {
        Node::Compare { left, right, .. } => {
            refused(left)?;
            refused(right)
        }
        Node::Between { term, low, high } => {
            [term, low, high].into_iter().try_for_each(refused)?;
            if let (Term::Value(one), Term::Value(other)) = (low, high)
                && order_of_values(one, other)?.is_some_and(std::cmp::Ordering::is_gt)
            {
                return Err(ValueError::new(format!(
                    "the bounds of `between` on `{term:?}` are crossed, so nothing can match: give the lower one first"
                )));
            }
            Ok(())
        }
        Node::In { term, values } => {
            if values.is_empty() {
                return Err(ValueError::new(format!(
                    "`is_in` on `{term:?}` was given no values, so nothing can match"
                )));
            }
            values.iter().try_for_each(refused)
        }
        Node::Function { arguments, .. } => arguments.iter().try_for_each(refused),
        Node::And(nodes) | Node::Or(nodes) => nodes.iter().try_for_each(check),
        Node::Not(node) => check(node),
    }
}

fn all_of(mut nodes: Vec<Node>) -> Option<Node> {
    match nodes.len() {
        0 | 1 => nodes.pop(),
        _ => Some(Node::And(nodes)),
    }
}

/// How the key of the table or of an index serves the conditions; `None` if it does not.
fn candidate(
    spec: &Spec,
    index: Option<&'static IndexInfo>,
    conditions: &[Node],
) -> Result<Option<Candidate>, ValueError> {
    let info = spec.info;
    let (partition, sort) = match index {
        Some(index) => (&index.partition, index.sort.as_ref()),
        None => (&info.partition, info.sort.as_ref()),
    };
    let Some((mut partitions, mut used)) = partition_values(info, partition, conditions)? else {
        return Ok(None);
    };
    let of: Cow<'static, str> = match index {
        Some(index) => format!("the index `{}`", index.name).into(),
        None => "the table".into(),
    };
    for value in &partitions {
        check_key(value, KeyRole::Partition, &of)
            .map_err(|error| error.in_field(info.attribute(partition)))?;
    }
    let mut narrowed = (None, 0);
    let mut sort_attribute = None;
    if let Some(sort) = sort {
        let found = match sort {
            KeySource::Field(_) => bounds(info.attribute(sort), conditions)?,
            KeySource::Template(template) => beginning(info, template, conditions)?,
        };
        if found.is_nothing {
            partitions.clear();
        }
        narrowed = (found.node, found.rank);
        used.extend(found.used);
        sort_attribute = Some(info.attribute(sort));
    }
    if let Some(order) = &spec.order
        && !sort.is_some_and(|sort| has_order(info, sort, order, conditions))
    {
        return Ok(None);
    }
    let (sort, narrowed) = narrowed;
    let partition = info.attribute(partition);
    Ok(Some(Candidate { index, partition, partitions, sort, sort_attribute, used, narrowed }))
}

/// The encoded values of a partition key, and the conditions that say so.
type Fixed = (Vec<Vec<u8>>, Vec<usize>);

/// The values that the conditions leave to a partition key, with the positions of those conditions.
fn partition_values(
    info: &'static EntityInfo,
    source: &'static KeySource,
    conditions: &[Node],
) -> Result<Option<Fixed>, ValueError> {
    match source {
        KeySource::Field(_) => {
            let name = info.attribute(source);
            if let Some((position, value)) = equality(name, conditions) {
                return Ok(Some((vec![value.to_vec()], vec![position])));
            }
            let several = conditions.iter().enumerate().find_map(|(position, node)| match node {
                Node::In { term: Term::Path(path), values } if path.is_attribute(name) => {
                    let values = values.iter().map(|value| match value {
                        Term::Value(json) => Some(json.clone()),
                        _ => None,
                    });
                    Some((values.collect::<Option<Vec<_>>>()?, position))
                }
                _ => None,
            });
            let Some((values, position)) = several else { return Ok(None) };
            let mut different: Vec<Vec<u8>> = Vec::with_capacity(values.len());
            for value in values {
                let mut known = false;
                for other in &different {
                    known |= order_of_values(other, &value)?.is_some_and(std::cmp::Ordering::is_eq);
                }
                if !known {
                    different.push(value);
                }
            }
            if different.len() > MAX_PARTITIONS {
                return Err(ValueError::new(format!(
                    "`is_in` on the partition key `{name}` was given {} values, and a query reads at most {MAX_PARTITIONS} partitions",
                    different.len()
                )));
            }
            Ok(Some((different, vec![position])))
        }
        KeySource::Template(template) => {
            let (text, rendered, used) = render(info, template, conditions)?;
            Ok((rendered == template.segments.len()).then(|| (vec![text_value(&text)], used)))
        }
    }
}

/// The value that a condition says an attribute is equal to.
pub(super) fn equality<'c>(name: &str, conditions: &'c [Node]) -> Option<(usize, &'c [u8])> {
    conditions.iter().enumerate().find_map(|(position, node)| match node {
        Node::Compare { left: Term::Path(path), operator: "=", right: Term::Value(json) }
            if path.is_attribute(name) =>
        {
            Some((position, json.as_slice()))
        }
        _ => None,
    })
}

/// The text of a template as far as the conditions fix it: with the number of its segments, and the conditions.
fn render(
    info: &'static EntityInfo,
    template: &Template,
    conditions: &[Node],
) -> Result<(String, usize, Vec<usize>), ValueError> {
    let fields = template.segments.iter().filter_map(|segment| match segment {
        Segment::Field(field, _) => Some(*field),
        Segment::Text(_) => None,
    });
    let known: Vec<(usize, EncodedPart, usize)> = fields
        .filter_map(|field| {
            let (position, json) = equality(info.fields.get(field)?.name, conditions)?;
            Some((field, EncodedPart(json.to_vec()), position))
        })
        .collect();
    let part =
        |field: usize| known.iter().find(|(known, ..)| *known == field).map(|(_, part, _)| part as &dyn Part);
    let (text, rendered) =
        template.render_start(&part).map_err(|error| error.in_field(template.attribute))?;
    let is_rendered = |field: usize| {
        let segments = template.segments.get(..rendered).unwrap_or_default();
        // The value has ended if something stands behind it.
        segments.iter().enumerate().any(|(position, segment)| {
            matches!(segment, Segment::Field(found, _) if *found == field)
                && (rendered == template.segments.len() || position + 1 < rendered)
        })
    };
    let used = known.iter().filter(|(field, ..)| is_rendered(*field)).map(|(.., position)| *position);
    let used = used.collect();
    Ok((text, rendered, used))
}

/// What the conditions say of a sort key.
#[derive(Default)]
struct Narrowed {
    node: Option<Node>,
    /// How much it narrows.
    rank: u8,
    /// The conditions that it stands for.
    used: Vec<usize>,
    /// Nothing can be within the bounds, so nothing is read.
    is_nothing: bool,
}

/// The condition on a sort key that narrows most.
fn bounds(name: &'static str, conditions: &[Node]) -> Result<Narrowed, ValueError> {
    let one = |node: &Node, rank: u8, position: usize| Narrowed {
        node: Some(node.clone()),
        rank,
        used: vec![position],
        is_nothing: false,
    };
    let mut low: Option<(usize, &Term, bool)> = None;
    let mut high: Option<(usize, &Term, bool)> = None;
    let mut other: Option<(usize, &Node)> = None;
    for (position, node) in conditions.iter().enumerate().filter(|(_, node)| node.bounds(name)) {
        match node {
            Node::Compare { operator: "=", .. } => return Ok(one(node, 3, position)),
            Node::Compare { operator, right, .. } if operator.starts_with('>') => {
                low.get_or_insert((position, right, *operator == ">"));
            }
            Node::Compare { operator, right, .. } => {
                high.get_or_insert((position, right, *operator == "<"));
            }
            Node::Between { .. } if !matches!(other, Some((_, Node::Between { .. }))) => {
                other = Some((position, node));
            }
            _ => {
                other.get_or_insert((position, node));
            }
        }
    }
    Ok(match (low, high, other) {
        (_, _, Some((position, node @ Node::Between { .. }))) => one(node, 2, position),
        (Some((low, from, above)), Some((high, to, below)), _) => {
            if let (Term::Value(from), Term::Value(to)) = (from, to)
                && order_of_values(from, to)?.is_some_and(std::cmp::Ordering::is_gt)
            {
                return Ok(Narrowed { rank: 2, is_nothing: true, ..Narrowed::default() });
            }
            let term = Term::Path(DocumentPath::of(name));
            let node = Node::Between { term, low: from.clone(), high: to.clone() };
            // BETWEEN takes the bounds in; those that are not meant to be are checked here.
            let used = [(low, above), (high, below)];
            let used = used.into_iter().filter(|(_, strict)| !strict).map(|(used, _)| used).collect();
            Narrowed { node: Some(node), rank: 2, used, is_nothing: false }
        }
        (Some((position, ..)), None, None) | (None, Some((position, ..)), None) => {
            conditions.get(position).map_or_else(Narrowed::default, |node| one(node, 1, position))
        }
        (_, _, Some((position, node))) => one(node, 1, position),
        (None, None, None) => Narrowed::default(),
    })
}

/// The same for a sort key made by a template: it is fixed, or its beginning is.
fn beginning(
    info: &'static EntityInfo,
    template: &Template,
    conditions: &[Node],
) -> Result<Narrowed, ValueError> {
    let (text, rendered, used) = render(info, template, conditions)?;
    let term = Term::Path(DocumentPath::of(template.attribute));
    let value = Term::Value(text_value(&text));
    Ok(if rendered == template.segments.len() {
        let node = Some(Node::Compare { left: term, operator: "=", right: value });
        Narrowed { node, rank: 3, used, is_nothing: false }
    } else if text.is_empty() {
        Narrowed::default()
    } else {
        let node = Some(Node::Function { name: "begins_with", arguments: vec![term, value] });
        Narrowed { node, rank: u8::from(!used.is_empty()), used, is_nothing: false }
    })
}

/// True if the items of a partition are in this order.
fn has_order(info: &'static EntityInfo, sort: &KeySource, order: &Order, conditions: &[Node]) -> bool {
    match sort {
        KeySource::Field(_) => info.attribute(sort) == order.attribute,
        KeySource::Template(template) => {
            let name = |field: usize| info.fields.get(field).map_or("", |field| field.name);
            let free = template.segments.iter().find_map(|segment| match segment {
                Segment::Field(field, _) if equality(name(*field), conditions).is_none() => Some(*field),
                _ => None,
            });
            free.is_some_and(|field| name(field) == order.attribute)
        }
    }
}

fn text_value(text: &str) -> Vec<u8> {
    let mut json = br#"{"S":"#.to_vec();
    crate::codec::write_json_string(&mut json, text);
    json.push(b'}');
    json
}

/// True if it is for the order alone that nothing serves the conditions.
fn serves_unordered(spec: &Spec, conditions: &[Node]) -> Result<bool, ValueError> {
    if spec.order.is_none() {
        return Ok(false);
    }
    let without = Spec { order: None, ..spec.clone() };
    for index in std::iter::once(None).chain(spec.info.indexes.iter().map(Some)) {
        if candidate(&without, index, conditions)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
