//! Evaluates conditions on items as DynamoDB does, for conditions that DynamoDB does not accept in a filter,
//! such as those on the keys of the queried table or index.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::codec::{Item, Scanner, Value, ValueError, ValueType, compare_numbers};
use crate::expression::{Comparison, DocumentPath, Node, Step, Term};

type Result<T> = std::result::Result<T, ValueError>;

/// True if the item meets the condition.
pub(super) fn matches(node: &Node, item: &Item<'_>) -> Result<bool> {
    match node {
        Node::And(group) => {
            for node in group.iter() {
                if !matches(node, item)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Node::Or(group) => {
            for node in group.iter() {
                if matches(node, item)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Node::Not(negation) => Ok(!matches(negation.node(), item)?),
        leaf => matches_leaf(leaf, item),
    }
}

/// Not inlined into `matches`, whose stack frame would grow at every level.
#[inline(never)]
fn matches_leaf(leaf: &Node, item: &Item<'_>) -> Result<bool> {
    Ok(match leaf {
        Node::Compare { left, operator, right } => {
            let (Some(left), Some(right)) = (operand(left, item)?, operand(right, item)?) else {
                // An absent attribute is not equal to anything, and different from everything.
                return Ok(*operator == Comparison::NotEqual);
            };
            match operator {
                Comparison::Equal => left.equals(&right)?,
                Comparison::NotEqual => !left.equals(&right)?,
                _ => left.order(&right)?.is_some_and(|order| operator.holds(order)),
            }
        }
        Node::Between { term, low, high } => {
            match (operand(term, item)?, operand(low, item)?, operand(high, item)?) {
                (Some(value), Some(low), Some(high)) => {
                    value.order(&low)?.is_some_and(Ordering::is_ge)
                        && value.order(&high)?.is_some_and(Ordering::is_le)
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
        Node::Exists(path) => find(path, item)?.is_some(),
        Node::NotExists(path) => find(path, item)?.is_none(),
        Node::BeginsWith { term, prefix } => match values(term, prefix, item)? {
            Some((value, prefix)) => begins_with(&value, &prefix)?,
            None => false,
        },
        Node::Contains { term, element } => match values(term, element, item)? {
            Some((value, element)) => contains(&value, &element)?,
            None => false,
        },
        Node::Refused(error) => return Err(error.clone()),
        Node::And(_) | Node::Or(_) | Node::Not(_) => return matches(leaf, item),
    })
}

fn values<'a>(one: &'a Term, other: &'a Term, item: &Item<'a>) -> Result<Option<(Value<'a>, Value<'a>)>> {
    Ok(match (operand(one, item)?, operand(other, item)?) {
        (Some(Operand::Value(one)), Some(Operand::Value(other))) => Some((one, other)),
        _ => None,
    })
}

fn begins_with(value: &Value<'_>, prefix: &Value<'_>) -> Result<bool> {
    Ok(match (value.value_type(), prefix.value_type()) {
        (ValueType::String, ValueType::String) => value.as_str()?.starts_with(&*prefix.as_str()?),
        (ValueType::Binary, ValueType::Binary) => value.as_bytes()?.starts_with(&prefix.as_bytes()?),
        _ => false,
    })
}

fn contains(value: &Value<'_>, element: &Value<'_>) -> Result<bool> {
    Ok(match (value.value_type(), element.value_type()) {
        (ValueType::String, ValueType::String) => value.as_str()?.contains(&*element.as_str()?),
        (ValueType::List, _) => any(value.as_list()?, element)?,
        (ValueType::StringSet | ValueType::NumberSet | ValueType::BinarySet, _) => {
            any(value.as_set()?, element)?
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

/// The value of an operand.
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

    /// The order of two values; `None` for values of different types or of a type without an order.
    fn order(&self, other: &Self) -> Result<Option<Ordering>> {
        if let (Some(one), Some(other)) = (self.number()?, other.number()?) {
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

impl<'a> Operand<'a> {
    fn number(&self) -> Result<Option<Cow<'a, str>>> {
        Ok(match self {
            Self::Size(size) => Some(size.to_string().into()),
            Self::Value(value) if value.value_type() == ValueType::Number => Some(value.as_number()?.into()),
            Self::Value(_) => None,
        })
    }
}

/// The order of two encoded scalars of the same type.
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
        // In UTF-16 code units, as DynamoDB Local counts: 📦 is two.
        ValueType::String => Some(value.as_str()?.encode_utf16().count()),
        ValueType::Binary => Some(value.as_bytes()?.len()),
        ValueType::List => Some(value.as_list()?.count()),
        ValueType::Map => Some(value.as_map()?.count()),
        ValueType::StringSet | ValueType::NumberSet | ValueType::BinarySet => Some(value.as_set()?.count()),
        ValueType::Number | ValueType::Bool | ValueType::Null => None,
    })
}
