//! Requests that DynamoDB refuses and the engine would accept: they are refused before they reach it.
//!
//! The rules and the messages are those of DynamoDB. Only requests that have an expression, or a string long
//! enough to break the limit of a key, are read here; the others pass at the cost of one search.

use dynoxide::{Database, DynoxideError};
use serde_json::{Map, Value};

use super::expression::{Expression, Fault, Load};

/// The most bytes of a partition key and of a sort key.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
const MAX_PARTITION_BYTES: usize = 2048;
const MAX_SORT_BYTES: usize = 1024;

/// Checks a request. The answer says how much stack the engine needs for its expressions.
///
/// What is malformed passes, since the engine refuses it.
pub(super) fn check(database: &Database, operation: &str, body: &[u8]) -> Result<Load, DynoxideError> {
    let has_expression = memchr::memmem::find(body, b"Expression\"").is_some();
    let has_long_string = has_long_string(body);
    if !has_expression && !has_long_string {
        return Ok(Load::Light);
    }
    let Ok(Value::Object(request)) = serde_json::from_slice(body) else { return Ok(Load::Light) };

    let mut load = Load::Light;
    for part in parts(operation, &request) {
        let expressions = part.expressions();
        for expression in &expressions {
            load = load.max(expression.check().map_err(|fault| refuse(operation, expression.kind, &fault))?);
        }
        let has_index = part.text("IndexName").is_some() && !expressions.is_empty();
        if !has_index && !has_long_string {
            continue;
        }
        let indexes = Index::of_table(database, part.table);
        part.check_projection(&indexes, &expressions)?;
        part.check_index_keys(&indexes, &expressions)?;
    }
    Ok(load)
}

/// True if the JSON has a string that is longer than a sort key can be.
fn has_long_string(body: &[u8]) -> bool {
    if body.len() <= MAX_SORT_BYTES {
        return false;
    }
    // The position after the last quote, and of a character that a backslash escapes.
    let (mut start, mut escaped) = (0, None);
    for position in memchr::memchr2_iter(b'"', b'\\', body) {
        if escaped == Some(position) {
            continue;
        }
        if body.get(position) == Some(&b'\\') {
            escaped = Some(position.saturating_add(1));
            continue;
        }
        if position.saturating_sub(start) > MAX_SORT_BYTES {
            return true;
        }
        start = position.saturating_add(1);
    }
    false
}

/// A part of a request that concerns one table, and has its own expressions.
struct Part<'a> {
    table: &'a str,
    request: &'a Map<String, Value>,
}

fn parts<'a>(operation: &str, request: &'a Map<String, Value>) -> Vec<Part<'a>> {
    let objects = |value: &'a Value| value.as_object().into_iter();
    let named =
        |request: &'a Map<String, Value>| Some(Part { table: request.get("TableName")?.as_str()?, request });
    match operation {
        "TransactWriteItems" | "TransactGetItems" => {
            let items = request.get("TransactItems").and_then(Value::as_array).into_iter().flatten();
            items.flat_map(objects).flat_map(Map::values).flat_map(objects).filter_map(named).collect()
        }
        "BatchWriteItem" => {
            let tables = request.get("RequestItems").into_iter().flat_map(objects).flatten();
            let writes = tables.flat_map(|(table, writes)| {
                writes.as_array().into_iter().flatten().map(move |write| (table, write))
            });
            let puts = writes.filter_map(|(table, write)| {
                Some(Part { table, request: write.get("PutRequest")?.as_object()? })
            });
            puts.collect()
        }
        "BatchGetItem" => {
            let tables = request.get("RequestItems").into_iter().flat_map(objects).flatten();
            tables.filter_map(|(table, gets)| Some(Part { table, request: gets.as_object()? })).collect()
        }
        _ => named(request).into_iter().collect(),
    }
}

impl<'a> Part<'a> {
    fn text(&self, member: &str) -> Option<&'a str> {
        self.request.get(member)?.as_str()
    }

    fn expressions(&self) -> Vec<Expression<'a>> {
        const KINDS: [&str; 5] = [
            "ConditionExpression",
            "FilterExpression",
            "KeyConditionExpression",
            "ProjectionExpression",
            "UpdateExpression",
        ];
        let object = |member: &str| self.request.get(member).and_then(Value::as_object);
        let (names, values) = (object("ExpressionAttributeNames"), object("ExpressionAttributeValues"));
        let read = |kind: &'static str| Some(Expression::new(kind, self.text(kind)?, names, values));
        KINDS.into_iter().filter_map(read).collect()
    }

    /// A global index gives, and filters by, only what it holds. For what a local index does not hold,
    /// DynamoDB reads the table.
    fn check_projection(
        &self,
        indexes: &[Index],
        expressions: &[Expression<'_>],
    ) -> Result<(), DynoxideError> {
        let Some(name) = self.text("IndexName") else { return Ok(()) };
        let held = indexes.iter().find(|index| index.name == name).and_then(|index| index.held.as_ref());
        let Some(held) = held else { return Ok(()) };
        for expression in expressions {
            let paths = expression.attributes();
            let missing: Vec<_> = paths.into_iter().filter(|path| !held.iter().any(|h| h == path)).collect();
            if missing.is_empty() {
                continue;
            }
            let missing = missing.join(", ");
            match expression.kind {
                "ProjectionExpression" => {
                    return Err(invalid(format!(
                        "Global secondary index {name} does not project [{missing}]"
                    )));
                }
                "FilterExpression" => {
                    return Err(invalid(format!(
                        "Secondary index {name} does not project one or more filter attributes: [{missing}]"
                    )));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The values of index keys have the limits of keys, in items and in the values that an update sets.
    fn check_index_keys(
        &self,
        indexes: &[Index],
        expressions: &[Expression<'_>],
    ) -> Result<(), DynoxideError> {
        let item = self.request.get("Item").and_then(Value::as_object);
        let set: Vec<_> = expressions.iter().flat_map(Expression::assignments).collect();
        let written = |name: &str| {
            let of_item = item.and_then(|item| item.get(name));
            of_item.or_else(|| set.iter().find(|(set, _)| *set == name).map(|(_, value)| *value))
        };
        let size = |name: &String| written(name).map_or(0, key_bytes);
        for index in indexes {
            if index.partition.iter().any(|name| size(name) > MAX_PARTITION_BYTES) {
                return Err(invalid("Size of hashkey has exceeded the maximum size limit of2048 bytes"));
            }
            let sort = index.sort.iter().fold(0_usize, |sum, name| sum.saturating_add(size(name)));
            if sort > MAX_SORT_BYTES {
                return Err(invalid(
                    "Aggregated size of all range keys has exceeded the size limit of 1024 bytes",
                ));
            }
        }
        Ok(())
    }
}

/// The operations that write one item count the faults.
fn refuse(operation: &str, kind: &str, fault: &Fault) -> DynoxideError {
    let counted = match operation {
        "DeleteItem" | "PutItem" | "UpdateItem" => "1 validation error detected: ",
        _ => "",
    };
    DynoxideError::ValidationException(format!("{counted}Invalid {kind}: {fault}"))
}

fn invalid(what: impl std::fmt::Display) -> DynoxideError {
    DynoxideError::ValidationException(format!("One or more parameter values were invalid: {what}"))
}

/// The bytes of a string or of binary data. A number is never too long.
fn key_bytes(value: &Value) -> usize {
    let text = |kind: &str| value.get(kind).and_then(Value::as_str);
    match (text("S"), text("B")) {
        (Some(text), _) => text.len(),
        (None, Some(base64)) => (base64.trim_end_matches('=').len() / 4).saturating_mul(3),
        (None, None) => 0,
    }
}

/// A secondary index of a table.
struct Index {
    name: String,
    partition: Vec<String>,
    sort: Vec<String>,
    /// The attributes of its items, if it is global and does not hold all.
    held: Option<Vec<String>>,
}

impl Index {
    /// Reads the indexes of a table from the engine. There are none if it has no such table.
    fn of_table(database: &Database, table: &str) -> Vec<Self> {
        let Ok(Some(table)) = database.get_table_metadata(table) else { return Vec::new() };
        let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
        let keys = key_names(&parse(&table.key_schema), None);
        let of = |definitions: Option<&String>, is_global: bool| {
            let definitions = definitions.map(|text| parse(text)).unwrap_or_default();
            let definitions = definitions.as_array().into_iter().flatten();
            definitions
                .map(|definition| Self::new(definition, is_global.then_some(&*keys)))
                .collect::<Vec<_>>()
        };
        let mut indexes = of(table.gsi_definitions.as_ref(), true);
        indexes.extend(of(table.lsi_definitions.as_ref(), false));
        indexes
    }

    fn new(definition: &Value, keys_of_table: Option<&[String]>) -> Self {
        let member = |name: &str| definition.get(name).unwrap_or(&Value::Null);
        let (schema, projection) = (member("KeySchema"), member("Projection"));
        let holds_all =
            matches!(projection.get("ProjectionType").and_then(Value::as_str), None | Some("ALL"));
        let included = projection.get("NonKeyAttributes").and_then(Value::as_array).into_iter().flatten();
        let included = included.filter_map(Value::as_str).map(str::to_owned);
        Self {
            name: member("IndexName").as_str().unwrap_or_default().to_owned(),
            partition: key_names(schema, Some("HASH")),
            sort: key_names(schema, Some("RANGE")),
            held: keys_of_table
                .filter(|_| !holds_all)
                .map(|keys| keys.iter().cloned().chain(key_names(schema, None)).chain(included).collect()),
        }
    }
}

/// The attributes of a key schema, of one type or of both.
fn key_names(schema: &Value, kind: Option<&str>) -> Vec<String> {
    let elements = schema.as_array().into_iter().flatten();
    let chosen = elements.filter(|key| kind.is_none() || key.get("KeyType").and_then(Value::as_str) == kind);
    chosen.filter_map(|key| key.get("AttributeName")?.as_str()).map(str::to_owned).collect()
}
