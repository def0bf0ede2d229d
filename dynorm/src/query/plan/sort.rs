//! The conditions on a sort key, which is a field, a template or several attributes.

use super::conditions::Conditions;
use crate::attribute::ScalarType;
use crate::codec::ValueError;
use crate::entity::EntityInfo;
use crate::expression::{Comparison, DocumentPath, Json, Node, Term};
use crate::key::{EncodedPart, KeySource, Part, Segment, Template};
use crate::query::evaluate::order_of_values;
use crate::query::spec::Order;

/// The conditions on a sort key.
#[derive(Default)]
pub(super) struct Narrowed {
    pub(super) nodes: Vec<Node>,
    /// How far the key is narrowed.
    pub(super) rank: u8,
    /// The conditions that the key covers.
    pub(super) used: Vec<usize>,
    /// No value can be within the bounds, so nothing is read.
    pub(super) is_nothing: bool,
}

/// One value is left.
pub(super) const EQUAL: u8 = 3;

/// The conditions that narrow a sort key most. Of several attributes: equality on the first ones, then one
/// more condition.
pub(super) fn narrowed(
    info: &'static EntityInfo,
    sort: &'static [KeySource],
    conditions: &Conditions,
) -> Result<Narrowed, ValueError> {
    let mut all = Narrowed::default();
    for source in sort {
        let found = match source {
            KeySource::Field(_) => bounds(info.attribute(source), conditions)?,
            KeySource::Template(template) => beginning(info, template, conditions)?,
        }
        .without_empty();
        all.nodes.extend(found.node);
        all.used.extend(found.used);
        if found.is_nothing {
            return Ok(Narrowed { rank: u8::MAX, is_nothing: true, ..all });
        }
        all.rank = all.rank.saturating_add(found.rank);
        if found.rank < EQUAL {
            break;
        }
    }
    Ok(all)
}

/// The conditions on one attribute of a sort key.
#[derive(Default)]
struct Bound {
    node: Option<Node>,
    rank: u8,
    used: Vec<usize>,
    is_nothing: bool,
}

impl Bound {
    /// Removes empty bounds: DynamoDB accepts no empty key value, and every key is greater than the empty
    /// one.
    fn without_empty(self) -> Self {
        let is_empty = |term: &Term| match term {
            Term::Value(json) => matches!(json.as_slice(), br#"{"S":""}"# | br#"{"B":""}"#),
            _ => false,
        };
        match &self.node {
            Some(Node::Compare { operator, right, .. }) if is_empty(right) => {
                let is_nothing = !matches!(operator, Comparison::Greater | Comparison::GreaterOrEqual);
                Self { node: None, is_nothing, ..self }
            }
            Some(Node::Between { high, .. }) if is_empty(high) => {
                Self { node: None, is_nothing: true, ..self }
            }
            Some(Node::Between { term, low, high }) if is_empty(low) => {
                let node = term.clone().compare(Comparison::LessOrEqual, high.clone());
                Self { node: Some(node), ..self }
            }
            Some(Node::BeginsWith { prefix, .. }) if is_empty(prefix) => Self { node: None, ..self },
            _ => self,
        }
    }
}

/// The condition on a sort key that narrows it most.
fn bounds(name: &'static str, conditions: &Conditions) -> Result<Bound, ValueError> {
    let one = |node: &Node, rank: u8, position: usize| Bound {
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
            Node::Compare { operator: Comparison::Equal, .. } => return Ok(one(node, EQUAL, position)),
            Node::Compare {
                operator: operator @ (Comparison::Greater | Comparison::GreaterOrEqual),
                right,
                ..
            } => {
                low.get_or_insert((position, right, *operator == Comparison::Greater));
            }
            Node::Compare { operator, right, .. } => {
                high.get_or_insert((position, right, *operator == Comparison::Less));
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
                return Ok(Bound { is_nothing: true, ..Bound::default() });
            }
            // A value for a field by name may have another type, so the marker must be kept.
            let by_name = [low, high].into_iter().find_map(|position| match conditions.get(position)? {
                Node::Compare { left: Term::Path(path), .. } if path.by_name => Some(path.clone()),
                _ => None,
            });
            let term = Term::Path(by_name.unwrap_or_else(|| DocumentPath::of(name)));
            let node = term.between(from.clone(), to.clone());
            // BETWEEN includes its bounds; excluded ones are checked here.
            let used = [(low, above), (high, below)];
            let used = used.into_iter().filter(|(_, strict)| !strict).map(|(used, _)| used).collect();
            Bound { node: Some(node), rank: 2, used, is_nothing: false }
        }
        (Some((position, ..)), None, None) | (None, Some((position, ..)), None) => {
            conditions.get(position).map_or_else(Bound::default, |node| one(node, 1, position))
        }
        (_, _, Some((position, node))) => one(node, 1, position),
        (None, None, None) => Bound::default(),
    })
}

/// The same for an attribute with a template: its value is fixed, or its prefix, or it lies between two
/// texts.
fn beginning(
    info: &'static EntityInfo,
    template: &Template,
    conditions: &Conditions,
) -> Result<Bound, ValueError> {
    let Rendered { text, segments, used } = render(info, template, conditions)?;
    if segments == template.segments.len() {
        let node = Some(Node::equals(template.attribute, Json::text(&text)));
        return Ok(Bound { node, rank: EQUAL, used, is_nothing: false });
    }
    if let Some(Segment::Field(field, _)) = template.segments.get(segments)
        && let Some(field) = info.fields.get(*field)
    {
        let found = bounds(field.name, conditions)?;
        if found.is_nothing {
            return Ok(found);
        }
        let within = found.node.as_ref().map(|node| within(info, template, &text, segments, node));
        if let Some((node, exact)) = within.transpose()?.flatten() {
            let mut used = used;
            if exact {
                used.extend(found.used);
            }
            return Ok(Bound { node: Some(node), rank: found.rank, used, is_nothing: false });
        }
    }
    if text.is_empty() {
        return Ok(Bound::default());
    }
    let node = Some(attribute(template).begins_with(Term::Value(Json::text(&text))));
    Ok(Bound { node, rank: u8::from(!used.is_empty()), used, is_nothing: false })
}

/// A template, rendered as far as the conditions fix its fields.
struct Rendered {
    text: String,
    /// The number of rendered segments.
    segments: usize,
    /// The conditions that the text covers.
    used: Vec<usize>,
}

fn render(
    info: &'static EntityInfo,
    template: &Template,
    conditions: &Conditions,
) -> Result<Rendered, ValueError> {
    let fields = template.segments.iter().enumerate().filter_map(|(at, segment)| match segment {
        Segment::Field(field, _) => Some((at, *field)),
        Segment::Text(_) => None,
    });
    let known: Vec<(usize, EncodedPart, usize)> = fields
        .filter_map(|(at, field)| {
            let (position, json) = conditions.equality(info.fields.get(field)?.name)?;
            rendered_value(info, template, at, json)?;
            Some((field, EncodedPart(json.to_vec()), position))
        })
        .collect();
    let part =
        |field: usize| known.iter().find(|(known, ..)| *known == field).map(|(_, part, _)| part as &dyn Part);
    let (text, rendered) =
        template.render_start(&part).map_err(|error| error.in_field(template.attribute))?;
    let is_rendered = |field: usize| {
        let segments = template.segments.get(..rendered).unwrap_or_default();
        // The value is complete if something follows it.
        segments.iter().enumerate().any(|(position, segment)| {
            matches!(segment, Segment::Field(found, _) if *found == field)
                && (rendered == template.segments.len() || position + 1 < rendered)
        })
    };
    let used = known.iter().filter(|(field, ..)| is_rendered(*field)).map(|(.., position)| *position);
    let used = used.collect();
    Ok(Rendered { text, segments: rendered, used })
}

/// The bounds of a field as bounds of the template's text, which begins with `start` and continues with the
/// field. They are exact or slightly too wide; `None` if the texts do not sort as the values do.
fn within(
    info: &'static EntityInfo,
    template: &Template,
    start: &str,
    at: usize,
    node: &Node,
) -> Result<Option<(Node, bool)>, ValueError> {
    let is_last = at + 1 == template.segments.len();
    // The texts of one value end before those that continue with the next character.
    let end = match template.segments.get(at + 1) {
        Some(Segment::Text(text)) => text.chars().next().and_then(next_character),
        _ => None,
    };
    let by_name = match node {
        Node::Compare { left: Term::Path(path), .. } | Node::Between { term: Term::Path(path), .. } => {
            path.by_name
        }
        _ => false,
    };
    let is_padded = matches!(template.segments.get(at), Some(Segment::Field(_, 1..)));
    // By name, a timestamp may be compared with a prefix of one, which is not a complete value.
    let is_whole = is_padded || !by_name || is_last;
    if !in_order(info, template, at) || !is_whole || (!is_last && end.is_none()) {
        return Ok(None);
    }
    let text = |term: &Term| match term {
        Term::Value(json) => Some(format!("{start}{}", rendered_value(info, template, at, json)?)),
        _ => None,
    };
    let behind = |mut text: String| {
        text.extend(end);
        text
    };
    let (low, high, exact) = match node {
        Node::Compare { operator: Comparison::GreaterOrEqual, right, .. } => (text(right), None, true),
        Node::Compare { operator: Comparison::Greater, right, .. } => {
            (text(right).map(behind), None, !is_last)
        }
        Node::Compare { operator: Comparison::LessOrEqual, right, .. } => {
            (None, text(right).map(behind), true)
        }
        Node::Compare { operator: Comparison::Less, right, .. } => (None, text(right), !is_last),
        Node::Between { low, high, .. } => (text(low), text(high).map(behind), true),
        Node::BeginsWith { prefix, .. } => {
            let Some(text) = text(prefix).filter(|_| !is_padded) else { return Ok(None) };
            let node = attribute(template).begins_with(Term::Value(Json::text(&text)));
            return Ok(Some((node, is_last)));
        }
        _ => return Ok(None),
    };
    if low.is_none() && high.is_none()
        || matches!(node, Node::Between { .. }) && (low.is_none() || high.is_none())
    {
        return Ok(None);
    }
    // The items of other entities may come before and after those with this prefix.
    let low = low.or_else(|| (!start.is_empty()).then(|| start.to_owned()));
    let high = high.or_else(|| next_text(start));
    let term = attribute(template);
    let value = |text: String| Term::Value(Json::text(&text));
    let node = match (low, high) {
        (Some(low), Some(high)) => term.between(value(low), value(high)),
        (Some(low), None) => term.compare(Comparison::GreaterOrEqual, value(low)),
        (None, Some(high)) => term.compare(Comparison::LessOrEqual, value(high)),
        (None, None) => return Ok(None),
    };
    Ok(Some((node, exact)))
}

/// The text of a value as a segment of a template. `None` for a value that does not fit, which is left to the
/// filter: a negative number, one with more digits than the padding, or, by name, a value of another type.
pub(super) fn rendered_value(
    info: &EntityInfo,
    template: &Template,
    at: usize,
    json: &[u8],
) -> Option<String> {
    let Some(Segment::Field(field, _)) = template.segments.get(at) else { return None };
    let kind: &[u8] = match info.fields.get(*field)?.scalar {
        Some(ScalarType::String) => br#"{"S""#,
        Some(ScalarType::Number) => br#"{"N""#,
        Some(ScalarType::Binary) => br#"{"B""#,
        None => br#"{"BOOL""#,
    };
    let part = json.starts_with(kind).then(|| EncodedPart(json.to_vec()))?;
    template.render_value(at, &part).ok()
}

/// The attribute that holds the template's text.
fn attribute(template: &Template) -> Term {
    Term::Path(DocumentPath::of(template.attribute))
}

/// True if the texts of a template sort as the field at this position of its segments does.
fn in_order(info: &'static EntityInfo, template: &Template, at: usize) -> bool {
    let Some(Segment::Field(field, _)) = template.segments.get(at) else { return false };
    let Some(field) = info.fields.get(*field) else { return false };
    template.keeps_order(at, field.fixed, field.scalar == Some(ScalarType::String))
}

/// The next character in sort order.
fn next_character(character: char) -> Option<char> {
    match character {
        '\u{d7ff}' => Some('\u{e000}'),
        _ => char::from_u32(u32::from(character) + 1),
    }
}

/// The first text after all that begin with `text`.
fn next_text(text: &str) -> Option<String> {
    let mut text = text.to_owned();
    while let Some(last) = text.pop() {
        if let Some(next) = next_character(last) {
            text.push(next);
            return Some(text);
        }
    }
    None
}

/// True if the items of a partition are in this order.
pub(super) fn has_order(
    info: &'static EntityInfo,
    sort: &'static [KeySource],
    order: &Order,
    conditions: &Conditions,
) -> bool {
    let is_order = |field: usize| info.fields.get(field).is_some_and(|field| field.name == order.attribute);
    let is_part = sort.iter().any(|source| match source {
        KeySource::Field(field) => is_order(*field),
        KeySource::Template(template) => template.fields().any(is_order),
    });
    // Items with equal values are in every order.
    (is_part && conditions.equality(order.attribute).is_some())
        || ordered_by(info, sort, conditions) == Some(order.attribute)
}

/// The attribute by which the items of a partition are sorted: the first one that the conditions do not fix.
pub(super) fn ordered_by(
    info: &'static EntityInfo,
    sort: &'static [KeySource],
    conditions: &Conditions,
) -> Option<&'static str> {
    let name = |field: usize| info.fields.get(field).map_or("", |field| field.name);
    let is_free = |name: &str| conditions.equality(name).is_none();
    for source in sort {
        match source {
            KeySource::Field(field) if is_free(name(*field)) => return Some(name(*field)),
            KeySource::Field(_) => {}
            KeySource::Template(template) => {
                let free = template.segments.iter().enumerate().find_map(|(at, segment)| match segment {
                    Segment::Field(field, _) if is_free(name(*field)) => Some((at, *field)),
                    _ => None,
                });
                if let Some((at, field)) = free {
                    return in_order(info, template, at).then(|| name(field));
                }
            }
        }
    }
    None
}
