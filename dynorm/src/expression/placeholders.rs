//! The expressions of one request, and the names and values of their placeholders.

use crate::codec::{Request, ValueError};

/// The expressions of one request, with the names and values of their placeholders.
#[derive(Debug, Default)]
pub(crate) struct Expression {
    names: Vec<String>,
    values: Vec<Vec<u8>>,
    key_condition: String,
    filter: String,
    update: String,
    condition: String,
}

/// The maximum number of operators of an expression.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
pub(super) const MAX_OPERATORS: usize = 300;
const MAX_EXPRESSION_BYTES: usize = 4096;

impl Expression {
    /// Returns the placeholder of a name.
    pub(crate) fn name(&mut self, name: &str) -> String {
        let index = self.names.iter().position(|known| known == name).unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        format!("#{index}")
    }

    /// Returns the placeholder of an encoded value.
    pub(crate) fn encoded_value(&mut self, json: Vec<u8>) -> String {
        self.values.push(json);
        format!(":{}", self.values.len() - 1)
    }

    pub(super) fn set_update(&mut self, text: String) -> Result<(), ValueError> {
        self.update = text;
        check_bytes("the changes make", self.update.len())
    }

    pub(super) fn set_condition_text(&mut self, text: String) -> Result<(), ValueError> {
        self.condition = text;
        check_bytes("the condition makes", self.condition.len())
    }

    pub(crate) fn has_condition(&self) -> bool {
        !self.condition.is_empty()
    }

    pub(crate) fn set_filter(&mut self, text: String) {
        self.filter = text;
    }

    /// Adds an equality to the key condition.
    pub(crate) fn add_key_condition(&mut self, name: &str, json: Vec<u8>) {
        let equality = format!("{} = {}", self.name(name), self.encoded_value(json));
        self.and_key_condition(&equality);
    }

    /// Adds a rendered condition to the key condition.
    pub(crate) fn and_key_condition(&mut self, text: &str) {
        if !self.key_condition.is_empty() {
            self.key_condition.push_str(" AND ");
        }
        self.key_condition.push_str(text);
    }

    /// Calls `visit` with every name and every value.
    pub(crate) fn each_placeholder(&self, visit: &mut dyn FnMut(&[u8])) {
        self.names.iter().for_each(|name| visit(name.as_bytes()));
        self.values.iter().for_each(|value| visit(value));
    }

    /// The length of the longest expression, in bytes.
    pub(crate) fn longest(&self) -> usize {
        [&self.key_condition, &self.filter, &self.update, &self.condition]
            .into_iter()
            .map(String::len)
            .max()
            .unwrap_or_default()
    }

    /// Writes the expressions, names and values into a request.
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
