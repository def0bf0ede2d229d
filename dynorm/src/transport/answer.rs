//! Checking that a successful response is an answer of DynamoDB to the operation.
//!
//! A proxy, a captive portal or a broken server may send the status 200 with an HTML page, an empty body, or
//! an error. Every answer is checked here before it is used, so a write never counts as done because of a
//! status alone.

use std::fmt;

use aws_smithy_types::body::SdkBody;

use crate::codec::{RawString, Scanner, Value, ValueError};

/// The body of a successful answer.
pub struct Answer(SdkBody);

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").finish_non_exhaustive()
    }
}

impl Answer {
    /// Returns the answer of an operation that has none.
    pub(crate) fn empty() -> Self {
        Self(SdkBody::from("{}"))
    }

    /// Checks that `body` is an answer with these members to the request `asked`.
    pub(super) fn new(members: &[Member], asked: &[u8], body: SdkBody) -> Result<Self, ValueError> {
        let answer = Self(body);
        let text = answer.text()?;
        if !is_checked_by_its_reader(members, asked, text)? {
            check(members, asked, text)?;
        }
        Ok(answer)
    }

    pub(crate) fn text(&self) -> Result<&str, ValueError> {
        std::str::from_utf8(self.0.bytes().unwrap_or_default())
            .map_err(|_| ValueError::new("the answer is not UTF-8"))
    }

    /// Returns the consumed capacity in the answer, as JSON.
    pub(super) fn consumed_capacity(&self) -> Option<&str> {
        let mut found = None;
        let search = |text| {
            Scanner::new(text).object(|member, scanner| {
                let value = scanner.skip()?;
                if member.text == "ConsumedCapacity" {
                    found = Some(value);
                }
                Ok(())
            })
        };
        self.text().and_then(search).ok()?;
        found
    }
}

/// A member of an answer.
#[derive(Clone, Copy)]
pub(super) struct Member {
    name: &'static str,
    kind: Kind,
    is_required: bool,
}

#[derive(Clone, Copy)]
enum Kind {
    Object,
    List,
    /// The item that was requested or written.
    Item,
    /// A list of objects, each with the item of the read at the same position.
    Reads,
}

/// The members that the answer to each operation has. Other members are ignored.
impl Member {
    pub(super) const GET: &[Self] = &[Self::optional("Item", Kind::Item)];
    /// The answer to a single write.
    pub(super) const WRITE: &[Self] = &[Self::optional("Attributes", Kind::Item)];
    /// The answer to a query or a scan. One that counts has a number instead, which its reader checks.
    pub(super) const PAGE: &[Self] = &[Self::optional("Items", Kind::List)];
    pub(super) const BATCH_WRITE: &[Self] = &[Self::required("UnprocessedItems", Kind::Object)];
    pub(super) const BATCH_GET: &[Self] =
        &[Self::required("Responses", Kind::Object), Self::optional("UnprocessedKeys", Kind::Object)];
    pub(super) const TRANSACTION: &[Self] = &[];
    pub(super) const TRANSACT_GET: &[Self] = &[Self::required("Responses", Kind::Reads)];

    const fn required(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, is_required: true }
    }

    const fn optional(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, is_required: false }
    }

    /// Skips the member, and returns whether it is present: an optional member that is null is not.
    fn check(self, scanner: &mut Scanner<'_>, asked: &[u8]) -> Result<bool, ValueError> {
        if scanner.peek() == Some(b'n') && !self.is_required {
            scanner.skip()?;
            return Ok(false);
        }
        let checked = match self.kind {
            Kind::Object => container(scanner, b'{', "an object"),
            Kind::List => container(scanner, b'[', "a list"),
            Kind::Item => match asked_keys(asked)?.first() {
                Some(Some(key)) => item(scanner, key),
                _ => container(scanner, b'{', "an object"),
            },
            Kind::Reads => reads(scanner, &asked_keys(asked)?),
        };
        checked.map(|()| true).map_err(|error| error.in_field(self.name))
    }
}

/// Returns true for the answer to a read that begins as DynamoDB writes it and, for a single item, has the key
/// that was asked for. Its reader steps over all of it and refuses what is malformed, so that a large answer is
/// not scanned twice. An answer to a write is always checked here: it must not count as done otherwise.
fn is_checked_by_its_reader(members: &[Member], asked: &[u8], answer: &str) -> Result<bool, ValueError> {
    let Some(first) = members.first().filter(|_| answer.ends_with('}')) else { return Ok(false) };
    let begins = |name: &str, opening: &str| {
        let rest = answer.strip_prefix("{\"").and_then(|rest| rest.strip_prefix(name));
        rest.and_then(|rest| rest.strip_prefix("\":")).is_some_and(|rest| rest.starts_with(opening))
    };
    Ok(match (first.name, first.kind) {
        ("Item", Kind::Item) if begins("Item", "{") => match asked_keys(asked)?.first() {
            Some(Some(key)) => key.iter().all(|(name, value)| holds(answer, name.text, value)),
            _ => false,
        },
        ("Items", Kind::List) => begins("Items", "["),
        ("Responses", Kind::Object) => begins("Responses", "{"),
        _ => false,
    })
}

/// Returns true if the attribute stands in the answer, in the spelling of the request.
fn holds(answer: &str, name: &str, value: &str) -> bool {
    memchr::memmem::find_iter(answer.as_bytes(), value).any(|at| {
        let before = answer.get(..at).and_then(|before| before.strip_suffix("\":"));
        before.and_then(|before| before.strip_suffix(name)).is_some_and(|before| before.ends_with('"'))
    })
}

fn check(members: &[Member], asked: &[u8], answer: &str) -> Result<(), ValueError> {
    let mut found = [false; 2];
    let mut scanner = Scanner::new(answer);
    scanner.object(|name, scanner| {
        if matches!(name.text, "__type" | "message" | "Message") {
            return Err(ValueError::new("the answer is an error with the status of a success"));
        }
        match members.iter().zip(&mut found).find(|(member, _)| member.name == name.text) {
            Some((member, found)) => *found |= member.check(scanner, asked)?,
            None => drop(scanner.skip()?),
        }
        Ok(())
    })?;
    if scanner.peek().is_some() {
        return Err(ValueError::new("the answer goes on behind its end"));
    }
    match members.iter().zip(found).find(|(member, found)| member.is_required && !found) {
        Some((member, _)) => Err(ValueError::new(format!("the answer has no `{}`", member.name))),
        None => Ok(()),
    }
}

fn container(scanner: &mut Scanner<'_>, opening: u8, expected: &str) -> Result<(), ValueError> {
    if scanner.peek() != Some(opening) {
        return Err(ValueError::new(format!("expected {expected}")));
    }
    scanner.skip().map(drop)
}

/// A key in a request: names and values as they were written.
type Key<'a> = Vec<(RawString<'a>, &'a str)>;

/// Returns the keys in a request: one for a single operation, one for each operation of a transaction. A put
/// has none.
fn asked_keys(asked: &[u8]) -> Result<Vec<Option<Key<'_>>>, ValueError> {
    let text = std::str::from_utf8(asked).map_err(|_| ValueError::new("not UTF-8"))?;
    let (mut alone, mut several) = (None, Vec::new());
    Scanner::new(text).object(|member, scanner| {
        match member.text {
            "Key" => alone = Some(key(scanner)?),
            "TransactItems" => scanner.array(|scanner| {
                let mut its = None;
                scanner.object(|_, scanner| {
                    scanner.object(|member, scanner| {
                        match member.text {
                            "Key" => its = Some(key(scanner)?),
                            _ => drop(scanner.skip()?),
                        }
                        Ok(())
                    })
                })?;
                several.push(its);
                Ok(())
            })?,
            _ => drop(scanner.skip()?),
        }
        Ok(())
    })?;
    Ok(if several.is_empty() { vec![alone] } else { several })
}

fn key<'a>(scanner: &mut Scanner<'a>) -> Result<Key<'a>, ValueError> {
    let mut key = Vec::with_capacity(2);
    scanner.object(|name, scanner| {
        key.push((name, scanner.skip()?));
        Ok(())
    })?;
    Ok(key)
}

/// Skips an item, and checks that it has this key.
fn item(scanner: &mut Scanner<'_>, key: &Key<'_>) -> Result<(), ValueError> {
    if scanner.peek() != Some(b'{') {
        return Err(ValueError::new("expected an object"));
    }
    let mut found = 0;
    scanner.object(|name, scanner| {
        let value = scanner.skip()?;
        let mut its = None;
        for (asked, value) in key {
            // Names may be escaped in either, and differently.
            if *asked == name || ((asked.escaped || name.escaped) && asked.unescape()? == name.unescape()?) {
                its = Some(value);
            }
        }
        let Some(asked) = its else { return Ok(()) };
        found += 1;
        // Equal values nearly always have the same text.
        if *asked == value {
            return Ok(());
        }
        let (one, other) = (Value::parse(&mut Scanner::new(asked))?, Value::parse(&mut Scanner::new(value))?);
        // A value of another type cannot be decoded, and the decoder says where it stands.
        if one.value_type() != other.value_type() || one.equals(&other)? {
            Ok(())
        } else {
            Err(ValueError::new("the answer is an item of another key"))
        }
    })?;
    if found < key.len() { Err(ValueError::new("the item lacks its key")) } else { Ok(()) }
}

/// Skips the answers of several reads, and checks their keys. Their reader checks that none is missing.
fn reads(scanner: &mut Scanner<'_>, keys: &[Option<Key<'_>>]) -> Result<(), ValueError> {
    if scanner.peek() != Some(b'[') {
        return Err(ValueError::new("expected a list"));
    }
    let mut index = 0;
    scanner.array(|scanner| {
        let Some(key) = keys.get(index) else {
            return Err(ValueError::new("the answer has more items than were asked for"));
        };
        scanner.object(|member, scanner| match key {
            Some(key) if member.text == "Item" && scanner.peek() != Some(b'n') => {
                item(scanner, key).map_err(|error| error.at_index(index))
            }
            _ => scanner.skip().map(drop),
        })?;
        index += 1;
        Ok(())
    })
}

/// Returns true if the items in an error, which failed conditions found, have the keys of the request.
pub(super) fn is_about<'i>(
    asked: &[u8],
    mut items: impl Iterator<Item = (usize, &'i str)>,
) -> Result<bool, ValueError> {
    let keys = asked_keys(asked)?;
    Ok(items.all(|(index, json)| match keys.get(index) {
        Some(Some(key)) => item(&mut Scanner::new(json), key).is_ok(),
        Some(None) => true,
        None => false,
    }))
}

/// The error for a successful response that is not an answer to the operation.
#[derive(Debug)]
pub(super) struct NoAnswer(pub(super) ValueError);

impl std::fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(&self.0, f)
    }
}

impl std::error::Error for NoAnswer {}

#[cfg(test)]
mod tests {
    use super::{check, is_about};
    use crate::transport::Operation;

    const KEY: &[u8] = br#"{"TableName":"t","Key":{"id":{"S":"a/b"},"n":{"N":"10"}}}"#;

    #[test]
    fn an_answer_is_what_its_operation_answers() {
        let reads = br#"{"TransactItems":[{"Get":{"TableName":"t","Key":{"id":{"S":"a"}}}}]}"#.as_slice();
        let every = [
            (Operation::PUT_ITEM, b"{}".as_slice(), "{}"),
            (Operation::GET_ITEM, KEY, "{}"),
            (Operation::GET_ITEM, KEY, r#"{"Item":null}"#),
            (Operation::GET_ITEM, KEY, r#"{"Item":{"n":{"N":"1e1"},"id":{"S":"a\/b"},"x":{"L":[]}}}"#),
            (Operation::UPDATE_ITEM, KEY, r#" {"ConsumedCapacity":{}} "#),
            (Operation::BATCH_WRITE_ITEM, b"{}", r#"{"UnprocessedItems":{}}"#),
            (Operation::BATCH_GET_ITEM, b"{}", r#"{"Responses":{"t":[]}}"#),
            (Operation::TRANSACT_WRITE_ITEMS, b"{}", "{}"),
            (Operation::TRANSACT_GET_ITEMS, reads, r#"{"Responses":[{}]}"#),
            (Operation::TRANSACT_GET_ITEMS, reads, r#"{"Responses":[{"Item":{"id":{"S":"a"}}}]}"#),
            (Operation::QUERY, b"{}", r#"{"Items":[],"Count":0}"#),
            (Operation::SCAN, b"{}", r#"{"Count":0}"#),
        ];
        for (operation, asked, answer) in every {
            assert_eq!(check(operation.answer, asked, answer), Ok(()), "{operation:?} {answer}");
        }
        for (operation, asked, _) in every {
            for answer in [
                "",
                "null",
                "[]",
                "\"{}\"",
                "7",
                "<html></html>",
                "{",
                "{}}",
                "{} {}",
                r#"{"__type":"x#InternalServerError"}"#,
                r#"{"message":"Forbidden"}"#,
            ] {
                assert!(check(operation.answer, asked, answer).is_err(), "{operation:?} {answer}");
            }
        }
        for (operation, asked, answer) in [
            (Operation::GET_ITEM, KEY, r#"{"Item":[]}"#),
            (Operation::GET_ITEM, KEY, r#"{"Item":{}}"#),
            (Operation::GET_ITEM, KEY, r#"{"Item":{"n":{"N":"11"},"id":{"S":"a/b"}}}"#),
            (Operation::GET_ITEM, KEY, r#"{"Item":{"id":{"S":"a/b"}}}"#),
            (Operation::DELETE_ITEM, KEY, r#"{"Attributes":{"n":{"N":"10"},"id":{"S":"a"}}}"#),
            (Operation::PUT_ITEM, b"{}", r#"{"Attributes":7}"#),
            (Operation::BATCH_WRITE_ITEM, b"{}", "{}"),
            (Operation::BATCH_WRITE_ITEM, b"{}", r#"{"UnprocessedItems":null}"#),
            (Operation::BATCH_GET_ITEM, b"{}", r#"{"UnprocessedKeys":{}}"#),
            (Operation::BATCH_GET_ITEM, b"{}", r#"{"Responses":{},"UnprocessedKeys":[]}"#),
            (Operation::TRANSACT_GET_ITEMS, reads, "{}"),
            (Operation::TRANSACT_GET_ITEMS, reads, r#"{"Responses":[{},{}]}"#),
            (Operation::TRANSACT_GET_ITEMS, reads, r#"{"Responses":[{"Item":{"id":{"S":"b"}}}]}"#),
            (Operation::QUERY, b"{}", r#"{"Items":{}}"#),
        ] {
            assert!(check(operation.answer, asked, answer).is_err(), "{operation:?} {answer}");
        }
    }

    #[test]
    fn the_item_that_a_condition_found_is_that_of_its_operation() {
        let item = r#"{"id":{"S":"a/b"},"n":{"N":"10.0"}}"#;
        assert_eq!(is_about(KEY, [(0, item)].into_iter()), Ok(true));
        assert_eq!(is_about(KEY, [(0, r#"{"id":{"S":"a"},"n":{"N":"10"}}"#)].into_iter()), Ok(false));
        assert_eq!(is_about(KEY, [(1, item)].into_iter()), Ok(false));
        // A put names no key.
        assert_eq!(is_about(br#"{"Item":{"id":{"S":"b"}}}"#, [(0, item)].into_iter()), Ok(true));
    }
}
