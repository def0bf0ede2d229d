//! Splitting requests and answers of batches, and putting them together again. Values that stay are copied
//! byte by byte.

use crate::codec::{RawString, Scanner, ValueError};

/// Returns the members of an object, as they are written.
pub(super) fn members(object: &str) -> Result<Vec<(RawString<'_>, &str)>, ValueError> {
    let mut members = Vec::new();
    Scanner::new(object).object(|name, rest| {
        members.push((name, rest.skip()?));
        Ok(())
    })?;
    Ok(members)
}

/// Returns one member of an object, as it is written.
pub(super) fn member<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    let found = members(object).ok()?.into_iter().find(|(found, _)| found.is(name).unwrap_or(false));
    found.map(|(_, value)| value)
}

/// Returns the elements of a list, as they are written.
pub(super) fn elements(list: &str) -> Result<Vec<&str>, ValueError> {
    let mut elements = Vec::new();
    Scanner::new(list).array(|rest| {
        elements.push(rest.skip()?);
        Ok(())
    })?;
    Ok(elements)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Write,
    Read,
}

impl Kind {
    fn unprocessed(self) -> &'static str {
        match self {
            Self::Write => "UnprocessedItems",
            Self::Read => "UnprocessedKeys",
        }
    }
}

/// The request of a batch.
#[derive(Debug)]
pub(super) struct Batch<'a> {
    kind: Kind,
    members: Vec<(RawString<'a>, &'a str)>,
    tables: Vec<Table<'a>>,
}

/// The part of a batch for one table.
#[derive(Clone, Debug)]
pub(super) struct Table<'a> {
    name: RawString<'a>,
    /// The members other than the keys of a read, such as a projection.
    beside: Vec<(RawString<'a>, &'a str)>,
    pub(super) items: Vec<&'a str>,
}

impl Table<'_> {
    pub(super) fn name(&self) -> String {
        self.name.readable().into_owned()
    }

    pub(super) fn is_consistent(&self) -> bool {
        self.beside.iter().any(|(name, value)| *value == "true" && name.is("ConsistentRead").unwrap_or(false))
    }
}

impl<'a> Batch<'a> {
    pub(super) fn parse(kind: Kind, request: &'a str) -> Result<Self, ValueError> {
        let members = members(request)?;
        let items = member(request, "RequestItems").ok_or_else(|| ValueError::new("no RequestItems"))?;
        let mut tables = tables(kind, items)?;
        // Sorted, since the SDK keeps the tables in a hash map, and faults must not depend on its order.
        tables.sort_by_key(Table::name);
        Ok(Self { kind, members, tables })
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) fn tables(&self) -> &[Table<'a>] {
        &self.tables
    }

    pub(super) fn len(&self) -> usize {
        self.tables.iter().map(|table| table.items.len()).sum()
    }

    /// Returns the request with only the items that are kept.
    pub(super) fn request(&self, keep: &[bool]) -> String {
        let items = write_tables(self.kind, &self.pick(|position| keep.get(position) == Some(&true)));
        with_member(&self.members, "RequestItems", &items)
    }

    /// Returns the answer to that, with the items that are not kept added to the unprocessed ones of the
    /// engine.
    pub(super) fn answer(&self, answer: &str, keep: &[bool]) -> Result<String, ValueError> {
        let mut handed_back = match member(answer, self.kind.unprocessed()) {
            Some(items) if items != "null" => tables(self.kind, items)?,
            _ => Vec::new(),
        };
        for table in self.pick(|position| keep.get(position) != Some(&true)) {
            match handed_back.iter_mut().find(|other| other.name() == table.name()) {
                Some(other) => other.items.extend(table.items),
                None => handed_back.push(table),
            }
        }
        let items = write_tables(self.kind, &handed_back);
        Ok(with_member(&members(answer)?, self.kind.unprocessed(), &items))
    }

    /// Returns the number of items that the engine itself left unprocessed.
    pub(super) fn handed_back_by_engine(&self, answer: &str) -> usize {
        member(answer, self.kind.unprocessed())
            .and_then(|items| tables(self.kind, items).ok())
            .map_or(0, |tables| tables.iter().map(|table| table.items.len()).sum())
    }

    fn pick(&self, wanted: impl Fn(usize) -> bool) -> Vec<Table<'a>> {
        let mut position = 0;
        let mut picked = Vec::new();
        for table in &self.tables {
            let mut items = Vec::new();
            for item in &table.items {
                if wanted(position) {
                    items.push(*item);
                }
                position += 1;
            }
            if !items.is_empty() {
                picked.push(Table { items, ..table.clone() });
            }
        }
        picked
    }
}

fn tables(kind: Kind, json: &str) -> Result<Vec<Table<'_>>, ValueError> {
    let mut tables = Vec::new();
    for (name, value) in members(json)? {
        tables.push(match kind {
            Kind::Write => Table { name, beside: Vec::new(), items: elements(value)? },
            Kind::Read => {
                let mut table = Table { name, beside: Vec::new(), items: Vec::new() };
                for (name, value) in members(value)? {
                    if name.is("Keys")? {
                        table.items = elements(value)?;
                    } else {
                        table.beside.push((name, value));
                    }
                }
                table
            }
        });
    }
    Ok(tables)
}

fn write_tables(kind: Kind, tables: &[Table<'_>]) -> String {
    let values = tables.iter().map(|table| {
        let items = format!("[{}]", table.items.join(","));
        let value = match kind {
            Kind::Write => items,
            Kind::Read => with_member(&table.beside, "Keys", &items),
        };
        (table.name.text, value)
    });
    write_object(values)
}

/// Returns an object of the members, with one of them replaced or added.
fn with_member(members: &[(RawString<'_>, &str)], name: &str, value: &str) -> String {
    let is_it = |(found, _): &(RawString<'_>, &str)| found.is(name).unwrap_or(false);
    let missing = (!members.iter().any(is_it)).then_some((name, value));
    let present = members.iter().map(|member| (member.0.text, if is_it(member) { value } else { member.1 }));
    write_object(present.chain(missing))
}

/// Writes an object of members whose names are already escaped.
fn write_object<'a>(members: impl IntoIterator<Item = (&'a str, impl AsRef<str>)>) -> String {
    let members: Vec<String> =
        members.into_iter().map(|(name, value)| format!("\"{name}\":{}", value.as_ref())).collect();
    format!("{{{}}}", members.join(","))
}

#[cfg(test)]
mod tests {
    use super::{Batch, Kind};

    #[test]
    fn what_is_kept_is_kept_byte_by_byte_and_the_rest_is_handed_back() {
        let request = concat!(
            r#"{"ReturnConsumedCapacity":"TOTAL","RequestItems":{"a":["#,
            r#"{"PutRequest":{"Item":{"k":{"S":"\u0041, ]}\""}}}},"#,
            r#"{"DeleteRequest":{"Key":{"k":{"N":"1.0"}}}}],"#,
            r#""b\u002d":[{"DeleteRequest":{"Key":{"k":{"B":"AA=="}}}}]}}"#
        );
        let batch = Batch::parse(Kind::Write, request).unwrap();
        assert_eq!(batch.len(), 3);
        assert_eq!(batch.request(&[true; 3]), request);
        assert_eq!(
            batch.request(&[true, false, false]),
            concat!(
                r#"{"ReturnConsumedCapacity":"TOTAL","RequestItems":{"a":["#,
                r#"{"PutRequest":{"Item":{"k":{"S":"\u0041, ]}\""}}}}]}}"#
            )
        );
        assert_eq!(
            batch.answer(r#"{"UnprocessedItems":{},"ConsumedCapacity":[]}"#, &[true, false, false]).unwrap(),
            concat!(
                r#"{"UnprocessedItems":{"a":[{"DeleteRequest":{"Key":{"k":{"N":"1.0"}}}}],"#,
                r#""b\u002d":[{"DeleteRequest":{"Key":{"k":{"B":"AA=="}}}}]},"ConsumedCapacity":[]}"#
            )
        );
        // The engine may leave items unprocessed too, and may omit the member.
        assert_eq!(
            batch.answer(r#"{"UnprocessedItems":{"b-":[7]}}"#, &[true, true, false]).unwrap(),
            r#"{"UnprocessedItems":{"b-":[7,{"DeleteRequest":{"Key":{"k":{"B":"AA=="}}}}]}}"#
        );
        assert_eq!(
            batch.answer("{}", &[true, true, false]).unwrap(),
            r#"{"UnprocessedItems":{"b\u002d":[{"DeleteRequest":{"Key":{"k":{"B":"AA=="}}}}]}}"#
        );
    }

    #[test]
    fn keys_are_handed_back_with_what_was_asked_of_them() {
        let request = concat!(
            r#"{"RequestItems":{"a":{"Keys":[1,2,3],"ConsistentRead":true,"ProjectionExpression":"x"},"#,
            r#""b":{"Keys":[4]}}}"#
        );
        let batch = Batch::parse(Kind::Read, request).unwrap();
        assert!(batch.tables()[0].is_consistent() && !batch.tables()[1].is_consistent());
        assert_eq!(
            batch.request(&[true, false, true, false]),
            r#"{"RequestItems":{"a":{"ConsistentRead":true,"ProjectionExpression":"x","Keys":[1,3]}}}"#
        );
        assert_eq!(
            batch.answer(r#"{"Responses":{}}"#, &[true, false, true, false]).unwrap(),
            concat!(
                r#"{"Responses":{},"UnprocessedKeys":{"a":{"ConsistentRead":true,"#,
                r#""ProjectionExpression":"x","Keys":[2]},"b":{"Keys":[4]}}}"#
            )
        );
    }

    #[test]
    fn what_is_no_batch_is_left_alone() {
        for request in ["", "{", "[]", "{}", r#"{"RequestItems":7}"#, r#"{"RequestItems":{"a":{}}}"#] {
            assert!(Batch::parse(Kind::Write, request).is_err(), "{request}");
        }
    }
}
