//! Conditions evaluated here, with the meaning that they have at DynamoDB: for what it does not take in a filter, such as a
//! condition on the keys of what is queried.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::codec::{Item, Scanner, Value, ValueError, ValueType, compare_numbers};
use crate::expression::{DocumentPath, Node, Step, Term};

type Result<T> = std::result::Result<T, ValueError>;

/// True if the item meets the condition.
pub(super) fn matches(node: &Node, item: &Item<'_>) -> Result<bool> {
    Ok(match node {
        Node::Compare { left, operator, right } => {
            let (Some(left), Some(right)) = (operand(left, item)?, operand(right, item)?) else {
                // Nothing is equal to what is not there, and all is different from it.
                return Ok(*operator == "<>");
            };
            match *operator {
                "=" => left.equals(&right)?,
                "<>" => !left.equals(&right)?,
                "<" => left.order(&right)? == Some(Ordering::Less),
                "<=" => matches!(left.order(&right)?, Some(Ordering::Less | Ordering::Equal)),
                ">" => left.order(&right)? == Some(Ordering::Greater),
                _ => matches!(left.order(&right)?, Some(Ordering::Greater | Ordering::Equal)),
            }
        }
        Node::Between { term, low, high } => {
            match (operand(term, item)?, operand(low, item)?, operand(high, item)?) {
                (Some(value), Some(low), Some(high)) => {
                    let above = matches!(value.order(&low)?, Some(Ordering::Greater | Ordering::Equal));
                    above && matches!(value.order(&high)?, Some(Ordering::Less | Ordering::Equal))
                }
                _ => false,
            }
        }
        Node::In { term, values } => {
            let Some(value) = operand(term, item)? else { return Ok(false) };
            for other in values {
                if let Some(other) = operand(other, item)?
                    && value.equals(&other)?
                {
                    return Ok(true);
                }
            }
            false
        }
        Node::Function { name, arguments } => function(name, arguments, item)?,
        Node::And(nodes) => {
            for node in nodes {
                if !matches(node, item)? {
                    return Ok(false);
                }
            }
            true
        }
        Node::Or(nodes) => {
            for node in nodes {
                if matches(node, item)? {
                    return Ok(true);
                }
            }
            false
        }
        Node::Not(node) => !matches(node, item)?,
    })
}

fn function(name: &str, arguments: &[Term], item: &Item<'_>) -> Result<bool> {
    let mut operands = arguments.iter().map(|term| operand(term, item));
    let first = operands.next().transpose()?.flatten();
    match name {
        "attribute_exists" => return Ok(first.is_some()),
        "attribute_not_exists" => return Ok(first.is_none()),
        _ => {}
    }
    let second = operands.next().transpose()?.flatten();
    let (Some(Operand::Value(value)), Some(Operand::Value(part))) = (first, second) else { return Ok(false) };
    let (kind, of_part) = (value.value_type(), part.value_type());
    Ok(match (name, kind, of_part) {
        ("begins_with", ValueType::String, ValueType::String) => {
            value.as_str()?.starts_with(&*part.as_str()?)
        }
        ("begins_with", ValueType::Binary, ValueType::Binary) => {
            value.as_bytes()?.starts_with(&part.as_bytes()?)
        }
        ("contains", ValueType::String, ValueType::String) => value.as_str()?.contains(&*part.as_str()?),
        ("contains", ValueType::List, _) => any(value.as_list()?, &part)?,
        ("contains", ValueType::StringSet | ValueType::NumberSet | ValueType::BinarySet, _) => {
            any(value.as_set()?, &part)?
        }
        _ => false,
    })
}

fn any<'v>(values: impl Iterator<Item = Result<Value<'v>>>, wanted: &Value<'_>) -> Result<bool> {
    for value in values {
        if value?.equals(wanted)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What stands on a side of a comparison.
enum Operand<'a> {
    Value(Value<'a>),
    Size(usize),
}

impl Operand<'_> {
    fn equals(&self, other: &Self) -> Result<bool> {
        match (self, other) {
            (Self::Value(one), Self::Value(other)) => one.equals(other),
            _ => Ok(self.order(other)? == Some(Ordering::Equal)),
        }
    }

    /// Values of different types, and those that have no order, are in none.
    fn order(&self, other: &Self) -> Result<Option<Ordering>> {
        let number = |operand: &Self| -> Result<Option<Cow<'static, str>>> {
            Ok(match operand {
                Self::Size(size) => Some(size.to_string().into()),
                Self::Value(value) if value.value_type() == ValueType::Number => {
                    Some(value.as_number()?.to_owned().into())
                }
                Self::Value(_) => None,
            })
        };
        if let (Some(one), Some(other)) = (number(self)?, number(other)?) {
            return Ok(compare_numbers(&one, &other));
        }
        let (Self::Value(one), Self::Value(other)) = (self, other) else { return Ok(None) };
        Ok(match (one.value_type(), other.value_type()) {
            (ValueType::String, ValueType::String) => Some(one.as_str()?.cmp(&other.as_str()?)),
            (ValueType::Binary, ValueType::Binary) => Some(one.as_bytes()?.cmp(&other.as_bytes()?)),
            _ => None,
        })
    }
}

/// The order of two encoded scalars of one type.
pub(super) fn order_of_values(one: &[u8], other: &[u8]) -> Result<Option<Ordering>> {
    Operand::Value(parse(one)?).order(&Operand::Value(parse(other)?))
}

fn operand<'a>(term: &'a Term, item: &Item<'a>) -> Result<Option<Operand<'a>>> {
    Ok(match term {
        Term::Path(path) => find(path, item)?.map(Operand::Value),
        Term::Size(path) => {
            find(path, item)?.map(|value| size(&value)).transpose()?.flatten().map(Operand::Size)
        }
        Term::Value(json) => Some(Operand::Value(parse(json)?)),
        Term::Refused(error) => return Err(error.clone()),
    })
}

fn parse(json: &[u8]) -> Result<Value<'_>> {
    let text = std::str::from_utf8(json).map_err(|_| ValueError::new("not UTF-8"))?;
    Value::parse(&mut Scanner::new(text))
}

/// The value at a path.
pub(super) fn find<'a>(path: &DocumentPath, item: &Item<'a>) -> Result<Option<Value<'a>>> {
    let Some(mut value) = item.get(&path.attribute)? else { return Ok(None) };
    for step in &path.steps {
        let inner = match (step, value.value_type()) {
            (Step::Member(name), ValueType::Map) => {
                let mut entries = value.as_map()?;
                loop {
                    match entries.next().transpose()? {
                        Some((found, inner)) if found == *name => break Some(inner),
                        Some(_) => {}
                        None => break None,
                    }
                }
            }
            (Step::Element(index), ValueType::List) => value.as_list()?.nth(*index).transpose()?,
            _ => None,
        };
        let Some(inner) = inner else { return Ok(None) };
        value = inner;
    }
    Ok(Some(value))
}

fn size(value: &Value<'_>) -> Result<Option<usize>> {
    Ok(match value.value_type() {
        // As DynamoDB Local counts it: 📦 is two.
        ValueType::String => Some(value.as_str()?.encode_utf16().count()),
        ValueType::Binary => Some(value.as_bytes()?.len()),
        ValueType::List => Some(value.as_list()?.count()),
        ValueType::Map => Some(value.as_map()?.count()),
        ValueType::StringSet | ValueType::NumberSet | ValueType::BinarySet => Some(value.as_set()?.count()),
        ValueType::Number | ValueType::Bool | ValueType::Null => None,
    })
}
