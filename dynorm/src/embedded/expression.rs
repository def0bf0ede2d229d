//! The limits of expressions, and the types of their operands, as DynamoDB checks them.
//!
//! An expression is only split into tokens: the engine parses it, and refuses what is not well-formed.

use std::fmt;

use serde_json::{Map, Value};

/// The longest expression in bytes, which the engine checks before anything else.
const MAX_BYTES: usize = 4096;
const MAX_OPERATORS: usize = 300;
const MAX_OPERANDS_OF_IN: usize = 100;

/// How deep the engine recurses for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Load {
    Light,
    /// Deeper than every stack surely allows.
    Heavy,
}

/// An expression of a request, with the names and values of its placeholders.
pub(super) struct Expression<'a> {
    /// The member of the request, such as `FilterExpression`.
    pub(super) kind: &'static str,
    tokens: Vec<&'a str>,
    names: Option<&'a Map<String, Value>>,
    values: Option<&'a Map<String, Value>>,
}

/// What DynamoDB refuses in an expression.
pub(super) enum Fault {
    TooManyOperators,
    TooManyOperandsOfIn(usize),
    RedundantParentheses,
    OperandType { operator: String, value_type: String },
    UnknownType(String),
    BoundTypes { low: String, high: String },
    CrossedBounds { low: String, high: String },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyOperators => {
                let count = MAX_OPERATORS + 1;
                write!(f, "The expression contains too many operators; operator count: {count}")
            }
            Self::TooManyOperandsOfIn(count) => {
                write!(f, "The IN operator is provided with too many operands; number of operands: {count}")
            }
            Self::RedundantParentheses => f.write_str("The expression has redundant parentheses;"),
            Self::OperandType { operator, value_type } => write!(
                f,
                "Incorrect operand type for operator or function; operator or function: {operator}, \
                 operand type: {value_type}"
            ),
            Self::UnknownType(name) => write!(
                f,
                "Invalid attribute type name found; type: {name}, \
                 valid types: {{N,BS,L,B,NULL,M,S,SS,NS,BOOL}}"
            ),
            Self::BoundTypes { low, high } => write!(
                f,
                "The BETWEEN operator requires same data type for lower and upper bounds; \
                 lower bound operand: AttributeValue: {low}, upper bound operand: AttributeValue: {high}"
            ),
            Self::CrossedBounds { low, high } => write!(
                f,
                "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; \
                 lower bound operand: AttributeValue: {low}, upper bound operand: AttributeValue: {high}"
            ),
        }
    }
}

const KEYWORDS: [&str; 5] = ["AND", "OR", "NOT", "BETWEEN", "IN"];

fn is_keyword(token: &str, keyword: &str) -> bool {
    token.eq_ignore_ascii_case(keyword)
}

impl<'a> Expression<'a> {
    pub(super) fn new(
        kind: &'static str,
        text: &'a str,
        names: Option<&'a Map<String, Value>>,
        values: Option<&'a Map<String, Value>>,
    ) -> Self {
        // The engine refuses a longer one without reading it.
        let tokens = if text.len() > MAX_BYTES { Vec::new() } else { tokens(text) };
        Self { kind, tokens, names, values }
    }

    pub(super) fn check(&self) -> Result<Load, Fault> {
        let (operators, parentheses) = (self.operators(), self.nesting());
        if operators > MAX_OPERATORS {
            return Err(Fault::TooManyOperators);
        }
        // Each further pair would need an operator or a function of its own.
        if parentheses > MAX_OPERATORS + 1 {
            return Err(Fault::RedundantParentheses);
        }
        for position in 0..self.tokens.len() {
            self.check_operator(position)?;
        }
        Ok(if operators + parentheses > 16 { Load::Heavy } else { Load::Light })
    }

    /// The number of operators and functions as DynamoDB counts them. The assignments of an update are none.
    fn operators(&self) -> usize {
        let is_update = self.kind == "UpdateExpression";
        let mut open_ranges = 0_usize;
        let mut count = 0;
        for (position, token) in self.tokens.iter().enumerate() {
            let is_operator = match *token {
                "+" | "-" => true,
                "=" | "<>" | "<" | "<=" | ">" | ">=" => !is_update,
                token if is_keyword(token, "BETWEEN") => {
                    open_ranges += 1;
                    true
                }
                token if is_keyword(token, "AND") && open_ranges > 0 => {
                    open_ranges -= 1;
                    false
                }
                token if KEYWORDS.iter().any(|keyword| is_keyword(token, keyword)) => true,
                token => token.starts_with(is_word) && self.token(position + 1) == "(",
            };
            count += usize::from(is_operator);
        }
        count
    }

    /// The most parentheses that are open at once.
    fn nesting(&self) -> usize {
        let (mut open, mut most) = (0_usize, 0);
        for token in &self.tokens {
            match *token {
                "(" => open += 1,
                ")" => open = open.saturating_sub(1),
                _ => {}
            }
            most = most.max(open);
        }
        most
    }

    fn check_operator(&self, position: usize) -> Result<(), Fault> {
        let token = self.token(position);
        let before = position.checked_sub(1).map_or("", |before| self.token(before));
        match token {
            "<" | "<=" | ">" | ">=" => {
                self.check_ordered(token, before)?;
                self.check_ordered(token, self.token(position + 1))
            }
            _ if is_keyword(token, "BETWEEN") => {
                let is_range = is_keyword(self.token(position + 2), "AND");
                let low = self.token(position + 1);
                let high = if is_range { self.token(position + 3) } else { "" };
                for operand in [before, low, high] {
                    self.check_ordered("BETWEEN", operand)?;
                }
                self.check_bounds(low, high)
            }
            _ if is_keyword(token, "IN") && self.token(position + 1) == "(" => {
                let operands = self.operands(position + 1);
                if operands > MAX_OPERANDS_OF_IN {
                    return Err(Fault::TooManyOperandsOfIn(operands));
                }
                Ok(())
            }
            "attribute_type" if self.token(position + 1) == "(" => self.check_type_name(position + 2),
            _ => Ok(()),
        }
    }

    /// Only strings, numbers and binary data have an order.
    fn check_ordered(&self, operator: &str, operand: &str) -> Result<(), Fault> {
        match self.value_type(operand) {
            None | Some("S" | "N" | "B") => Ok(()),
            Some(other) => {
                Err(Fault::OperandType { operator: operator.to_owned(), value_type: other.to_owned() })
            }
        }
    }

    /// Both bounds of a range have one type, and the upper one is not below the lower.
    fn check_bounds(&self, low: &str, high: &str) -> Result<(), Fault> {
        let bound = |token: &str| {
            let (kind, value) = self.value(token)?.as_object()?.iter().next()?;
            Some((kind.as_str(), value.as_str()?))
        };
        let (Some(low), Some(high)) = (bound(low), bound(high)) else { return Ok(()) };
        let is_crossed = match (low.0, high.0) {
            ("S", "S") => low.1 > high.1,
            // Rounding keeps the order, so no range is refused that DynamoDB accepts.
            ("N", "N") => {
                let number = |text: &str| text.parse::<f64>().unwrap_or(f64::NAN);
                number(low.1) > number(high.1)
            }
            (one, other) if one == other => false,
            _ => return Err(Fault::BoundTypes { low: shown(low), high: shown(high) }),
        };
        if is_crossed {
            return Err(Fault::CrossedBounds { low: shown(low), high: shown(high) });
        }
        Ok(())
    }

    /// The operand of `attribute_type` is the name of a type.
    fn check_type_name(&self, start: usize) -> Result<(), Fault> {
        let arguments = self.tokens.iter().skip(start).take_while(|token| **token != ")");
        let Some(value) = arguments.copied().find(|token| token.starts_with(':')) else { return Ok(()) };
        if let Some(other) = self.value_type(value).filter(|kind| *kind != "S") {
            let operator = "attribute_type".to_owned();
            return Err(Fault::OperandType { operator, value_type: other.to_owned() });
        }
        match self.value(value).and_then(|value| value.get("S")?.as_str()) {
            None | Some("S" | "N" | "B" | "SS" | "NS" | "BS" | "BOOL" | "NULL" | "L" | "M") => Ok(()),
            Some(unknown) => Err(Fault::UnknownType(unknown.to_owned())),
        }
    }

    /// The number of operands in the parentheses that open at a position.
    fn operands(&self, start: usize) -> usize {
        let (mut open, mut commas) = (0_usize, 0);
        for token in self.tokens.iter().skip(start) {
            match *token {
                "(" => open += 1,
                ")" => open = open.saturating_sub(1),
                "," if open == 1 => commas += 1,
                _ => {}
            }
            if open == 0 {
                break;
            }
        }
        commas + 1
    }

    /// The attributes of the item that the expression names, each once.
    pub(super) fn attributes(&self) -> Vec<&'a str> {
        let mut attributes = Vec::new();
        for (position, token) in self.tokens.iter().copied().enumerate() {
            let before = position.checked_sub(1).map_or("", |before| self.token(before));
            let is_attribute = token.starts_with(is_word)
                && !token.starts_with(':')
                && !matches!(before, "." | "[")
                && self.token(position + 1) != "("
                && !KEYWORDS.iter().any(|keyword| is_keyword(token, keyword));
            let attribute = if is_attribute { self.name(token) } else { None };
            if let Some(attribute) = attribute.filter(|attribute| !attributes.contains(attribute)) {
                attributes.push(attribute);
            }
        }
        attributes
    }

    /// The attributes that an update sets to a value of the request, with the values.
    pub(super) fn assignments(&self) -> Vec<(&'a str, &'a Value)> {
        if self.kind != "UpdateExpression" {
            return Vec::new();
        }
        let mut assignments = Vec::new();
        for (position, token) in self.tokens.iter().copied().enumerate() {
            let before = position.checked_sub(1).map_or("", |before| self.token(before));
            let is_attribute = before == "," || is_keyword(before, "SET");
            if is_attribute
                && self.token(position + 1) == "="
                && let (Some(name), Some(value)) = (self.name(token), self.value(self.token(position + 2)))
            {
                assignments.push((name, value));
            }
        }
        assignments
    }

    fn token(&self, position: usize) -> &'a str {
        self.tokens.get(position).copied().unwrap_or_default()
    }

    /// Resolves a name. A placeholder without a name is for the engine to refuse.
    fn name(&self, token: &'a str) -> Option<&'a str> {
        if token.starts_with('#') { self.names?.get(token)?.as_str() } else { Some(token) }
    }

    fn value(&self, token: &str) -> Option<&'a Value> {
        if token.starts_with(':') { self.values?.get(token) } else { None }
    }

    fn value_type(&self, token: &str) -> Option<&'a str> {
        self.value(token)?.as_object()?.keys().next().map(String::as_str)
    }
}

/// A value as DynamoDB's messages have it.
fn shown((kind, value): (&str, &str)) -> String {
    format!("{{{kind}:{value}}}")
}

/// Splits an expression into words, placeholders and operators.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if is_word(first) {
            rest.find(|character| !is_word(character)).unwrap_or(rest.len())
        } else if ["<=", "<>", ">="].iter().any(|operator| rest.starts_with(operator)) {
            2
        } else {
            first.len_utf8()
        };
        let (token, more) = rest.split_at_checked(length).unwrap_or((rest, ""));
        tokens.push(token);
        rest = more.trim_start();
    }
    tokens
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '#' | ':')
}
