//! An independent parser of condition expressions: it refuses what DynamoDB refuses, and evaluates conditions
//! on items.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Attributes, in DynamoDB's JSON.
pub(super) type Attributes = BTreeMap<String, Value>;

#[derive(Debug)]
pub(super) enum Condition {
    Or(Vec<Condition>),
    And(Vec<Condition>),
    Not(Box<Condition>),
    Compare(String, String, Value),
    In(String, Vec<Value>),
    Exists(String),
    NotExists(String),
}

/// Parses the condition of a request, and checks that it uses exactly the placeholders that the request
/// defines.
pub(super) fn read(request: &Value) -> Result<Option<Condition>, String> {
    let Some(text) = request.get("ConditionExpression") else { return Ok(None) };
    let text = text.as_str().ok_or("no text")?;
    let mut reader = Reader { tokens: tokens(text), at: 0, request, used: BTreeSet::new() };
    let condition = reader.or()?;
    if reader.at != reader.tokens.len() {
        return Err(format!("something is left of {text}"));
    }
    let update = request.get("UpdateExpression").and_then(Value::as_str).unwrap_or_default();
    let of_update = tokens(update).into_iter().filter(|token| token.starts_with(['#', ':']));
    let used: BTreeSet<String> = reader.used.into_iter().chain(of_update).collect();
    let defined = ["ExpressionAttributeNames", "ExpressionAttributeValues"]
        .into_iter()
        .filter_map(|member| request.get(member)?.as_object())
        .flat_map(|object| object.keys().cloned());
    let defined: BTreeSet<String> = defined.collect();
    if used != defined {
        return Err(format!("uses {used:?} and defines {defined:?}"));
    }
    Ok(Some(condition))
}

fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut in_word = false;
    for character in text.chars() {
        let is_word = character.is_alphanumeric() || "_#:".contains(character);
        let is_operator = "<>=".contains(character);
        match tokens.last_mut() {
            Some(last) if (is_word && in_word) || (is_operator && last.ends_with(['<', '>'])) => {
                last.push(character);
            }
            _ if character.is_whitespace() => {}
            _ => tokens.push(character.to_string()),
        }
        in_word = is_word;
    }
    tokens
}

struct Reader<'r> {
    tokens: Vec<String>,
    at: usize,
    request: &'r Value,
    used: BTreeSet<String>,
}

impl Reader<'_> {
    fn peek(&self) -> &str {
        self.tokens.get(self.at).map_or("", String::as_str)
    }

    fn next(&mut self) -> String {
        let token = self.peek().to_owned();
        self.at += 1;
        token
    }

    fn take(&mut self, token: &str) -> Result<(), String> {
        let next = self.next();
        if next == token { Ok(()) } else { Err(format!("expected {token}, found {next:?}")) }
    }

    fn group(
        &mut self,
        word: &str,
        member: fn(&mut Self) -> Result<Condition, String>,
        group: fn(Vec<Condition>) -> Condition,
    ) -> Result<Condition, String> {
        let mut members = vec![member(self)?];
        while self.peek() == word {
            self.at += 1;
            members.push(member(self)?);
        }
        Ok(if members.len() == 1 { members.remove(0) } else { group(members) })
    }

    fn or(&mut self) -> Result<Condition, String> {
        self.group("OR", Self::and, Condition::Or)
    }

    fn and(&mut self) -> Result<Condition, String> {
        self.group("AND", Self::not, Condition::And)
    }

    fn not(&mut self) -> Result<Condition, String> {
        if self.peek() != "NOT" {
            return self.primary();
        }
        self.at += 1;
        Ok(Condition::Not(Box::new(self.not()?)))
    }

    fn primary(&mut self) -> Result<Condition, String> {
        match self.peek() {
            "(" => {
                let open = self.at;
                self.at += 1;
                let condition = self.or()?;
                // `((a))`: the inner parentheses end where the outer ones do, which DynamoDB refuses as
                // redundant.
                if self.tokens[open + 1] == "(" && self.close_of(open + 1) + 1 == self.at {
                    return Err("the expression has redundant parentheses".to_owned());
                }
                self.take(")")?;
                Ok(condition)
            }
            function @ ("attribute_exists" | "attribute_not_exists") => {
                let exists = function == "attribute_exists";
                self.at += 1;
                self.take("(")?;
                let name = self.name()?;
                self.take(")")?;
                Ok(if exists { Condition::Exists(name) } else { Condition::NotExists(name) })
            }
            _ => {
                let name = self.name()?;
                let operator = self.next();
                if operator == "IN" {
                    self.take("(")?;
                    let mut values = vec![self.value()?];
                    while self.peek() == "," {
                        self.at += 1;
                        values.push(self.value()?);
                    }
                    self.take(")")?;
                    return Ok(Condition::In(name, values));
                }
                if !["=", "<>", "<", "<=", ">", ">="].contains(&operator.as_str()) {
                    return Err(format!("no operator: {operator:?}"));
                }
                Ok(Condition::Compare(name, operator, self.value()?))
            }
        }
    }

    /// Returns where the parentheses that open here are closed.
    fn close_of(&self, open: usize) -> usize {
        let mut depth = 0;
        for (at, token) in self.tokens.iter().enumerate().skip(open) {
            match token.as_str() {
                "(" => depth += 1,
                ")" => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return at;
            }
        }
        self.tokens.len()
    }

    fn name(&mut self) -> Result<String, String> {
        self.placeholder("ExpressionAttributeNames", '#')?
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| "a name is no text".to_owned())
    }

    fn value(&mut self) -> Result<Value, String> {
        self.placeholder("ExpressionAttributeValues", ':')
    }

    fn placeholder(&mut self, member: &str, sign: char) -> Result<Value, String> {
        let token = self.next();
        if !token.starts_with(sign) {
            return Err(format!("expected a placeholder, found {token:?}"));
        }
        let defined = self.request.get(member).and_then(|object| object.get(&token)).cloned();
        self.used.insert(token.clone());
        defined.ok_or_else(|| format!("{token} is not defined"))
    }
}

impl Condition {
    pub(super) fn holds(&self, item: &Attributes) -> bool {
        match self {
            Self::Or(members) => members.iter().any(|member| member.holds(item)),
            Self::And(members) => members.iter().all(|member| member.holds(item)),
            Self::Not(member) => !member.holds(item),
            Self::Exists(name) => item.contains_key(name),
            Self::NotExists(name) => !item.contains_key(name),
            Self::In(name, values) => item.get(name).is_some_and(|found| values.contains(found)),
            Self::Compare(name, operator, value) => {
                let order = item.get(name).and_then(|found| compare(found, value));
                match operator.as_str() {
                    "=" => order == Some(Ordering::Equal),
                    "<>" => order != Some(Ordering::Equal),
                    "<" => order == Some(Ordering::Less),
                    "<=" => order.is_some_and(Ordering::is_le),
                    ">" => order == Some(Ordering::Greater),
                    _ => order.is_some_and(Ordering::is_ge),
                }
            }
        }
    }
}

/// `None` for values of different types.
fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    let ((left_type, left), (right_type, right)) =
        (left.as_object()?.iter().next()?, right.as_object()?.iter().next()?);
    if left_type != right_type {
        return None;
    }
    if left_type == "N" {
        let number = |value: &Value| value.as_str()?.parse::<i128>().ok();
        return Some(number(left)?.cmp(&number(right)?));
    }
    Some(left.to_string().cmp(&right.to_string()))
}

#[test]
fn what_dynamodb_refuses_is_refused() {
    let names = |names: &[&str]| -> Value {
        names
            .iter()
            .map(|name| ((*name).to_owned(), Value::from("a")))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let request = |text: &str, defined: &[&str]| -> Value {
        serde_json::json!({ "ConditionExpression": text, "ExpressionAttributeNames": names(defined) })
    };
    let exists = "attribute_exists(#0)";
    for good in
        [exists, "(attribute_exists(#0)) AND (attribute_exists(#0))", "NOT (NOT (attribute_exists(#0)))"]
    {
        assert!(read(&request(good, &["#0"])).is_ok(), "{good}: {:?}", read(&request(good, &["#0"])));
    }
    let group = "((attribute_exists(#0)) OR (attribute_exists(#0))) AND (attribute_exists(#0))";
    assert!(read(&request(group, &["#0"])).is_ok());
    for bad in [
        "((attribute_exists(#0)))",
        "((attribute_exists(#0)) AND ((attribute_exists(#0))))",
        "(((attribute_exists(#0)) AND (attribute_exists(#0))))",
        "()",
        "attribute_exists(#0) AND",
        "AND attribute_exists(#0)",
        "",
    ] {
        assert!(read(&request(bad, &["#0"])).is_err(), "{bad}");
    }
    assert!(read(&request(exists, &[])).is_err());
    assert!(read(&request(exists, &["#0", "#1"])).is_err());
}
