//! The consumed capacity that an answer reports.

use super::{Scanner, ValueError};

/// More capacity units than any request consumes: a transaction that writes a hundred items of 400 KB to a
/// table with 25 indexes consumes about two million. A larger number is taken for an error of the server.
const MOST_UNITS: f64 = 1e7;

/// Calls `visit` with each table and its capacity units in the `ConsumedCapacity` of an answer, which is a
/// list or a single object. Invalid values are ignored rather than errors, since the items of the answer
/// matter more.
pub(crate) fn consumed_capacity(json: &str, visit: &mut dyn FnMut(&str, f64)) {
    let mut tables = Vec::new();
    let mut one = |scanner: &mut Scanner<'_>| {
        let (mut table, mut units) = (String::new(), 0.0);
        scanner.object(|member, scanner| {
            match member.text {
                "TableName" => table = scanner.string()?.unescape()?.into_owned(),
                "CapacityUnits" => units = scanner.skip()?.parse().unwrap_or(0.0),
                _ => drop(scanner.skip()?),
            }
            Ok(())
        })?;
        if (0.0..=MOST_UNITS).contains(&units) {
            tables.push((table, units));
        }
        Ok::<_, ValueError>(())
    };
    let mut scanner = Scanner::new(json);
    let read = if scanner.peek() == Some(b'[') { scanner.array(one) } else { one(&mut scanner) };
    if read.is_ok() {
        tables.iter().for_each(|(table, units)| visit(table, *units));
    }
}

#[cfg(test)]
mod tests {
    fn consumed_capacity(json: &str) -> Vec<(String, f64)> {
        let mut tables = Vec::new();
        super::consumed_capacity(json, &mut |table, units| tables.push((table.to_owned(), units)));
        tables
    }

    #[test]
    fn lists_and_single_answers_are_read() {
        let list =
            r#"[{"TableName":"a","CapacityUnits":2.5},{"CapacityUnits":1,"TableName":"b","Table":{}}]"#;
        assert_eq!(consumed_capacity(list), [("a".to_owned(), 2.5), ("b".to_owned(), 1.0)]);
        assert_eq!(consumed_capacity(r#"{"TableName":"a","CapacityUnits":3.0}"#), [("a".to_owned(), 3.0)]);
        for broken in ["", "null", "[1]", r#"[{"TableName":1}]"#, r#"{"TableName":"a""#] {
            assert_eq!(consumed_capacity(broken), [], "{broken}");
        }
    }

    #[test]
    fn what_no_request_consumes_counts_as_nothing() {
        for units in ["-1", "1e300", "-1e300", "1e999", "18446744073709551616", "NaN", "null", "\"1\""] {
            let json = format!(r#"[{{"TableName":"a","CapacityUnits":{units}}},{{"CapacityUnits":1}}]"#);
            let sum: f64 = consumed_capacity(&json).iter().map(|(_, units)| units).sum();
            assert!((0.0..=1.0).contains(&sum), "{units}: {sum}");
        }
    }
}
