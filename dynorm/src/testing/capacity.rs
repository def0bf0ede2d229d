//! Provisioned capacity: a token bucket for each table, and the cost of requests.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::batch::{Table, elements, member, members};
use crate::codec::{Scanner, item_size};

/// The capacity units that an operation consumes on a table.
#[derive(Clone, Debug)]
pub(super) struct Cost {
    pub(super) table: String,
    pub(super) units: f64,
}

#[derive(Debug)]
pub(super) struct Capacity {
    units_per_second: f64,
    most: f64,
    tables: Mutex<HashMap<String, Bucket>>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// Negative while there is a debt.
    units: f64,
    at: Instant,
}

impl Capacity {
    pub(super) fn new(units_per_second: u32, burst: Duration) -> Self {
        let units_per_second = f64::from(units_per_second);
        let most = (units_per_second * burst.as_secs_f64()).max(1.0);
        let most = if units_per_second > 0.0 { most } else { 0.0 };
        Self { units_per_second, most, tables: Mutex::default() }
    }

    /// Takes the units if the table has them.
    pub(super) fn take(&self, table: &str, units: f64) -> bool {
        self.take_all(&[Cost { table: table.to_owned(), units }])
    }

    /// Takes all of the units if every table has enough, and nothing otherwise.
    pub(super) fn take_all(&self, costs: &[Cost]) -> bool {
        let mut sums: HashMap<&str, f64> = HashMap::new();
        for cost in costs {
            *sums.entry(&cost.table).or_default() += cost.units;
        }
        let now = Instant::now();
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        // A request larger than a bucket would never pass, so a full bucket is enough for it. The tolerance
        // is for rounding in sums of many small numbers.
        let enough = sums.iter().all(|(table, units)| {
            self.most > 0.0 && self.refill(&mut tables, table, now) + 1e-6 >= units.min(self.most)
        });
        if enough {
            for (table, units) in sums {
                self.charge_at(&mut tables, table, units, now);
            }
        }
        enough
    }

    /// Takes the units, with a debt if there are not enough.
    pub(super) fn charge(&self, table: &str, units: f64) {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        self.charge_at(&mut tables, table, units, Instant::now());
    }

    fn charge_at(&self, tables: &mut HashMap<String, Bucket>, table: &str, units: f64, now: Instant) {
        self.refill(tables, table, now);
        if let Some(bucket) = tables.get_mut(table) {
            bucket.units -= units;
        }
    }

    fn refill(&self, tables: &mut HashMap<String, Bucket>, table: &str, now: Instant) -> f64 {
        let full = Bucket { units: self.most, at: now };
        let bucket = tables.entry(table.to_owned()).or_insert(full);
        let elapsed = now.saturating_duration_since(bucket.at).as_secs_f64();
        bucket.units = (bucket.units + elapsed * self.units_per_second).min(self.most);
        bucket.at = now;
        bucket.units
    }
}

/// Returns the write units of an item, given as JSON.
fn put_units(item: &str) -> f64 {
    units(item_size(item.as_bytes()).unwrap_or_default(), 1024)
}

/// Returns the units for a number of bytes, at least one.
fn units(bytes: usize, unit: usize) -> f64 {
    bytes.div_ceil(unit).max(1) as f64
}

/// Returns the write units of one element of a `BatchWriteItem`.
pub(super) fn batch_write_units(write: &str) -> f64 {
    let item = member(write, "PutRequest").and_then(|put| member(put, "Item"));
    item.map_or(1.0, put_units)
}

/// Returns the read units of each key of a `BatchGetItem`, before its item is known.
pub(super) fn batch_get_units(table: &Table<'_>) -> f64 {
    read_units(table.is_consistent())
}

fn read_units(consistent: bool) -> f64 {
    if consistent { 1.0 } else { 0.5 }
}

fn is_consistent(request: &str) -> bool {
    member(request, "ConsistentRead") == Some("true")
}

pub(super) fn table_name(request: &str) -> Option<String> {
    let name = Scanner::new(member(request, "TableName")?).string().ok()?;
    Some(name.readable().into_owned())
}

/// Returns the cost of an operation that is not a batch.
pub(super) fn costs(operation: &str, request: &str) -> Vec<Cost> {
    let one = |units: f64| {
        let table = table_name(request);
        table.map(|table| Cost { table, units }).into_iter().collect()
    };
    match operation {
        "PutItem" => one(member(request, "Item").map_or(1.0, put_units)),
        "UpdateItem" | "DeleteItem" => one(1.0),
        "GetItem" | "Query" | "Scan" => one(read_units(is_consistent(request))),
        "TransactWriteItems" | "TransactGetItems" => {
            let items = member(request, "TransactItems").and_then(|items| elements(items).ok());
            items.unwrap_or_default().into_iter().filter_map(transaction_cost).collect()
        }
        _ => Vec::new(),
    }
}

/// Returns the cost of an operation in a transaction: twice its cost outside of one.
fn transaction_cost(item: &str) -> Option<Cost> {
    let (operation, request) = members(item).ok()?.into_iter().next()?;
    let units = match member(request, "Item") {
        Some(item) if operation.is("Put").ok()? => put_units(item),
        _ => 1.0,
    };
    Some(Cost { table: table_name(request)?, units: 2.0 * units })
}

/// Returns the cost of a read beyond what was charged before its answer was known.
pub(super) fn read_surplus(operation: &str, request: &str, answer: &str) -> Vec<Cost> {
    let size = |item: &str| item_size(item.as_bytes()).unwrap_or_default();
    let surplus = |bytes: usize, consistent: bool| (units(bytes, 4096) - 1.0) * read_units(consistent);
    let sizes =
        |items: &str| -> Vec<usize> { elements(items).unwrap_or_default().into_iter().map(size).collect() };
    let named = |units: f64| table_name(request).map(|table| Cost { table, units });
    let costs: Vec<Cost> = match operation {
        "GetItem" => {
            let item = member(answer, "Item");
            item.and_then(|item| named(surplus(size(item), is_consistent(request)))).into_iter().collect()
        }
        "Query" | "Scan" => {
            let bytes = member(answer, "Items").map_or(0, |items| sizes(items).into_iter().sum());
            named(surplus(bytes, is_consistent(request))).into_iter().collect()
        }
        "BatchGetItem" => {
            let asked = member(request, "RequestItems").unwrap_or_default();
            let found = member(answer, "Responses").and_then(|found| members(found).ok());
            let cost = |(table, items): (crate::codec::RawString<'_>, &str)| {
                let table = table.readable().into_owned();
                let consistent = member(asked, &table).is_some_and(is_consistent);
                let units = sizes(items).into_iter().map(|bytes| surplus(bytes, consistent)).sum();
                Cost { table, units }
            };
            found.unwrap_or_default().into_iter().map(cost).collect()
        }
        _ => Vec::new(),
    };
    costs.into_iter().filter(|cost| cost.units > 0.0).collect()
}

#[cfg(test)]
mod tests {
    use super::{batch_write_units, costs, read_surplus};

    #[test]
    fn operations_take_what_dynamodb_counts() {
        let item = |bytes: usize| format!(r#"{{"k":{{"S":"{}"}}}}"#, "x".repeat(bytes));
        let units = |operation: &str, request: &str| -> f64 {
            costs(operation, request).iter().map(|cost| cost.units).sum()
        };
        let put = |bytes| format!(r#"{{"TableName":"t","Item":{}}}"#, item(bytes));
        // The name of the attribute is a byte.
        assert_eq!([0, 1023, 1024, 5000].map(|bytes| units("PutItem", &put(bytes))), [1.0, 1.0, 2.0, 5.0]);
        assert_eq!(units("DeleteItem", r#"{"TableName":"t"}"#), 1.0);
        assert_eq!(units("Query", r#"{"TableName":"t"}"#), 0.5);
        assert_eq!(units("GetItem", r#"{"TableName":"t","ConsistentRead":true}"#), 1.0);
        let transaction =
            format!(r#"{{"TransactItems":[{{"Put":{}}},{{"Delete":{{"TableName":"u"}}}}]}}"#, put(1024));
        assert_eq!(units("TransactWriteItems", &transaction), 6.0);
        assert_eq!(batch_write_units(&format!(r#"{{"PutRequest":{{"Item":{}}}}}"#, item(2000))), 2.0);
        assert_eq!(batch_write_units(r#"{"DeleteRequest":{"Key":{}}}"#), 1.0);

        let surplus = |operation: &str, request: &str, answer: &str| -> f64 {
            read_surplus(operation, request, answer).iter().map(|cost| cost.units).sum()
        };
        let found = format!(r#"{{"Item":{}}}"#, item(9000));
        assert_eq!(surplus("GetItem", r#"{"TableName":"t"}"#, &found), 1.0);
        assert_eq!(surplus("GetItem", r#"{"TableName":"t"}"#, "{}"), 0.0);
        let asked = r#"{"RequestItems":{"t":{"Keys":[],"ConsistentRead":true}}}"#;
        let found = format!(r#"{{"Responses":{{"t":[{0},{0}]}}}}"#, item(5000));
        assert_eq!(surplus("BatchGetItem", asked, &found), 2.0);
        let found = format!(r#"{{"Items":[{0},{0}]}}"#, item(3000));
        assert_eq!(surplus("Scan", r#"{"TableName":"t"}"#, &found), 0.5);
    }
}
