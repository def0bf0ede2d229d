//! Checks the types of values in conditions.
//!
//! The compiler checks conditions on typed constants. This checks the rest: fields whose names are known only
//! at run time, and keys, for which DynamoDB accepts no other type.

use crate::attribute::ScalarType;
use crate::codec::{Scanner, Value, ValueError, ValueType};
use crate::entity::{EntityInfo, IndexInfo};
use crate::expression::{DocumentPath, Node, Term};
use crate::key::{KeySource, Segment};

/// Refuses a value of another type than its field is stored as.
pub(super) fn check_types(info: &'static EntityInfo, node: &Node) -> Result<(), ValueError> {
    node.leaves().try_for_each(|leaf| match leaf {
        Node::Compare { left, right, .. } => check_pair(info, left, right),
        Node::Between { term, low, high } => {
            [low, high].into_iter().try_for_each(|value| check_pair(info, term, value))
        }
        Node::In { term, values } => values.iter().try_for_each(|value| check_pair(info, term, value)),
        Node::BeginsWith { term, prefix } => {
            check_pair(info, term, prefix)?;
            check_has_parts(info, "begins_with", term)
        }
        Node::Contains { term, element } => {
            check_pair(info, term, element)?;
            check_has_parts(info, "contains", term)
        }
        _ => Ok(()),
    })
}

fn check_pair(info: &'static EntityInfo, term: &Term, value: &Term) -> Result<(), ValueError> {
    let (Term::Path(path), Term::Value(json)) = (term, value) else { return Ok(()) };
    let Some(stored) = stored_type(info, path) else { return Ok(()) };
    let given = type_of(json)?;
    let is_key = info.fields.iter().any(|field| field.name == path.attribute && field.key);
    // An absent value may be stored as NULL, but not in a key.
    if given == stored || given == ValueType::Null && !is_key {
        return Ok(());
    }
    Err(ValueError::new(format!(
        "`{path:?}` is stored as {stored}, so a condition on it takes {stored}, not {given}"
    )))
}

/// Refuses `begins_with` and `contains` on types that do not support them.
fn check_has_parts(info: &'static EntityInfo, function: &str, term: &Term) -> Result<(), ValueError> {
    let Term::Path(path) = term else { return Ok(()) };
    match stored_type(info, path) {
        Some(stored @ (ValueType::Number | ValueType::Bool)) => Err(ValueError::new(format!(
            "`{path:?}` is stored as {stored}, so `{function}` on it can match nothing"
        ))),
        _ => Ok(()),
    }
}

/// The type of every value at this path, if it is certain and the compiler has not checked it.
fn stored_type(info: &'static EntityInfo, path: &DocumentPath) -> Option<ValueType> {
    let position = info.fields.iter().position(|field| path.is_attribute(field.name))?;
    let field = info.fields.get(position)?;
    if !field.key && !path.by_name {
        return None;
    }
    match field.scalar {
        Some(scalar) => Some(value_type(scalar)),
        // A field in a template is a string, a number or a boolean, and only a boolean has no key type.
        None => stands_in_template(info, position).then_some(ValueType::Bool),
    }
}

fn stands_in_template(info: &'static EntityInfo, field: usize) -> bool {
    let of_indexes = info.indexes.iter().flat_map(IndexInfo::keys);
    info.keys().chain(of_indexes).any(|(_, source)| match source {
        KeySource::Template(template) => template
            .segments
            .iter()
            .any(|segment| matches!(segment, Segment::Field(found, _) if *found == field)),
        KeySource::Field(_) => false,
    })
}

fn value_type(scalar: ScalarType) -> ValueType {
    match scalar {
        ScalarType::String => ValueType::String,
        ScalarType::Number => ValueType::Number,
        ScalarType::Binary => ValueType::Binary,
    }
}

fn type_of(json: &[u8]) -> Result<ValueType, ValueError> {
    let text = std::str::from_utf8(json).map_err(|_| ValueError::new("not UTF-8"))?;
    Ok(Value::parse(&mut Scanner::new(text))?.value_type())
}
