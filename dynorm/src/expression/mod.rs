//! Expressions: the one place where their text is built. Every name and every value in it is a placeholder, so that no
//! reserved word, dot or dash in the name of an attribute ever matters.

mod arithmetic;
mod by_name;
mod condition;
mod operators;
mod path;
mod target;
mod update;

pub use arithmetic::{Addend, Sum};
pub use by_name::{FieldByName, IntoValue, field};
pub use condition::{Condition, Operand, OperandList};
pub(crate) use condition::{MAX_IN, Node, Term};
pub use operators::{ContainerAttribute, OrderedAttribute, PrefixedAttribute, Size, SizedAttribute};
pub(crate) use path::{DocumentPath, Step};
pub use path::{ListAttribute, MapAttribute, Path, StructIn};
pub use target::{
    Assign, GrowingAttribute, IntoElement, NumberAttribute, Removable, SetAttribute, Stored, Target,
    TargetKind,
};
pub(crate) use target::{list_of, set_of};
pub(crate) use update::{Action, Change, Json, Number, Source, Start, check_overlaps};

use crate::codec::{Encoder, Request, ValueError};
use crate::entity::EntityInfo;
use crate::rules::{self, Existence};

/// The expressions of one request, with the names and values that their placeholders stand for.
#[derive(Debug, Default)]
pub(crate) struct Expression {
    names: Vec<String>,
    values: Vec<Vec<u8>>,
    key_condition: String,
    filter: String,
    update: String,
    condition: String,
}

/// DynamoDB counts no more operators than this in one expression, and takes no longer one.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
const MAX_OPERATORS: usize = 300;
const MAX_EXPRESSION_BYTES: usize = 4096;

impl Expression {
    /// The placeholder of a name.
    pub(crate) fn name(&mut self, name: &str) -> String {
        let index = self.names.iter().position(|known| known == name).unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        format!("#{index}")
    }

    /// The placeholder of a value that is JSON already.
    pub(crate) fn encoded_value(&mut self, json: Vec<u8>) -> String {
        self.values.push(json);
        format!(":{}", self.values.len() - 1)
    }

    /// The condition of a write: what it needs of the item's existence, and what the caller asks for.
    pub(crate) fn set_condition(
        &mut self,
        info: &'static EntityInfo,
        existence: Existence,
        asked: Option<&Node>,
    ) -> Result<(), ValueError> {
        let existence = self.existence(info, existence)?;
        let asked = match asked {
            Some(node) => {
                node.check_names(info)?;
                // The one with which it is joined, and those of that: eleven at most.
                let ours = if existence.is_some() { 12 } else { 0 };
                check_operators("the condition has", node.operators() + ours)?;
                Some(node.render(self)?)
            }
            None => None,
        };
        self.condition = match (existence, asked) {
            (Some(existence), Some(asked)) => format!("({existence}) AND ({asked})"),
            (one, other) => one.or(other).unwrap_or_default(),
        };
        check_bytes("the condition makes", self.condition.len())
    }

    fn existence(
        &mut self,
        info: &'static EntityInfo,
        existence: Existence,
    ) -> Result<Option<String>, ValueError> {
        let partition = info.attribute(&info.partition);
        let absent = |expression: &mut Self| format!("attribute_not_exists({})", expression.name(partition));
        let own = |expression: &mut Self| {
            let attribute = info.type_attribute?;
            let mut name = Encoder::default();
            name.string(info.name).ok()?;
            Some(format!("{} = {}", expression.name(attribute), expression.encoded_value(name.into_bytes())))
        };
        let stored = |expression: &mut Self| {
            own(expression).unwrap_or_else(|| format!("attribute_exists({})", expression.name(partition)))
        };
        Ok(match existence {
            Existence::Any => None,
            // What has expired is in nobody's way.
            Existence::Absent => Some(match rules::expired(info) {
                Some(expired) => format!("{} OR {}", absent(self), expired.render(self)?),
                None => absent(self),
            }),
            Existence::Stored => Some(stored(self)),
            Existence::Present => Some(match rules::present(info) {
                Some(present) => format!("{} AND {}", stored(self), present.render(self)?),
                None => stored(self),
            }),
            Existence::Own => match (own(self), rules::present(info)) {
                (None, None) => None,
                (Some(own), None) => Some(format!("{} OR {own}", absent(self))),
                (own, Some(present)) => {
                    let own = own.map_or_else(String::new, |own| format!("{own} AND "));
                    Some(format!("{} OR ({own}{})", absent(self), present.render(self)?))
                }
            },
        })
    }

    pub(crate) fn has_condition(&self) -> bool {
        !self.condition.is_empty()
    }

    pub(crate) fn set_filter(&mut self, text: String) {
        self.filter = text;
    }

    /// One more equality that the keys must have.
    pub(crate) fn add_key_condition(&mut self, name: &str, json: Vec<u8>) {
        let equality = format!("{} = {}", self.name(name), self.encoded_value(json));
        self.and_key_condition(&equality);
    }

    /// One more condition that the keys must meet.
    pub(crate) fn and_key_condition(&mut self, text: &str) {
        if !self.key_condition.is_empty() {
            self.key_condition.push_str(" AND ");
        }
        self.key_condition.push_str(text);
    }

    /// Calls `visit` with every name and every value.
    pub(crate) fn each_part(&self, visit: &mut dyn FnMut(&[u8])) {
        self.names.iter().for_each(|name| visit(name.as_bytes()));
        self.values.iter().for_each(|value| visit(value));
    }

    /// The length of its longest text.
    pub(crate) fn longest(&self) -> usize {
        [&self.key_condition, &self.filter, &self.update, &self.condition]
            .into_iter()
            .map(String::len)
            .max()
            .unwrap_or_default()
    }

    /// Writes what there is of it into a request.
    pub(crate) fn write(&self, request: &mut Request) {
        for (member, text) in [
            ("KeyConditionExpression", &self.key_condition),
            ("FilterExpression", &self.filter),
            ("UpdateExpression", &self.update),
            ("ConditionExpression", &self.condition),
        ] {
            if !text.is_empty() {
                request.text(member, text);
            }
        }
        if !self.names.is_empty() {
            let mut object = Request::new(0);
            for (index, name) in self.names.iter().enumerate() {
                object.text(&format!("#{index}"), name);
            }
            request.json("ExpressionAttributeNames", &object.finish());
        }
        if !self.values.is_empty() {
            let mut object = Request::new(0);
            for (index, json) in self.values.iter().enumerate() {
                object.json(&format!(":{index}"), json);
            }
            request.json("ExpressionAttributeValues", &object.finish());
        }
    }
}

pub(crate) fn check_operators(what: &str, operators: usize) -> Result<(), ValueError> {
    if operators <= MAX_OPERATORS {
        return Ok(());
    }
    Err(ValueError::new(format!("{what} {operators} operators, and DynamoDB takes {MAX_OPERATORS}")))
}

pub(crate) fn check_bytes(what: &str, bytes: usize) -> Result<(), ValueError> {
    if bytes <= MAX_EXPRESSION_BYTES {
        return Ok(());
    }
    Err(ValueError::new(format!(
        "{what} an expression of {bytes} bytes, and DynamoDB takes {MAX_EXPRESSION_BYTES}"
    )))
}
