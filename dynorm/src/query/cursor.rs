//! Where a query goes on, as a text that may travel through a browser.

use std::fmt;
use std::str::FromStr;

use super::evaluate::matches;
use super::plan::Plan;
use super::run::{Next, Reader};
use crate::attribute::ScalarType;
use crate::codec::{Item, Scanner, ValueError, compare_numbers};
use crate::entity::IndexInfo;
use crate::error::{Error, Result, Subject};
use crate::expression::{DocumentPath, Node, Term};

/// Where a query goes on: an opaque text of letters, digits, `-` and `_`, which can stand in a URL.
///
/// It belongs to its query: with other conditions, another order or another entity it is refused. It holds the keys of the
/// item that the page ended with, so whoever has it can read those keys, and forge others;
/// [`PageQuery::signed`](super::PageQuery::signed) protects against the latter.
///
/// ```
/// # use dynorm::prelude::*;
/// # #[derive(Entity, Clone, Debug, Default)]
/// # struct User { #[entity(id)] id: Id<User>, #[entity(index = "by_city")] city: String }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> dynorm::Result<()> {
/// # let db = Database::memory()?;
/// # db.create_table::<User>().await?;
/// # db.install();
/// # UserRepo::batch_save(vec![User { city: "Paris".into(), ..Default::default() }; 30]).await?;
/// let first = UserRepo::by_city("Paris").page(20).await?;
/// let text = first.next.expect("there is more").to_string();
///
/// let cursor: dynorm::Cursor = text.parse()?;
/// let second = UserRepo::by_city("Paris").page(20).after(cursor).await?;
/// assert_eq!((first.items.len(), second.items.len()), (20, 10));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Cursor(String);

/// The first character of every cursor: the version of its format.
const VERSION: char = '1';

impl Cursor {
    pub(super) fn new(reader: &Reader, positions: &[Next], key: Option<&[u8]>) -> Result<Self> {
        let fingerprint = fingerprint(reader)?;
        let mut json = format!("[\"{fingerprint:016x}\"").into_bytes();
        for position in positions {
            json.push(b',');
            match position {
                Next::Start => json.extend_from_slice(b"null"),
                Next::End => json.extend_from_slice(b"true"),
                Next::After(key) => json.extend_from_slice(key),
            }
        }
        json.push(b']');
        let mut text = format!("{VERSION}{}", encode(&json));
        if let Some(key) = key {
            let signature = sign(key, text.as_bytes());
            text.push('.');
            text.push_str(&signature);
        }
        Ok(Self(text))
    }

    /// The places that it stands for, if it belongs to this query.
    pub(super) fn positions(&self, reader: &Reader, key: Option<&[u8]>) -> Result<Vec<Next>> {
        let refuse = |why: &str| {
            let why = format!("the cursor {why}; begin again with the first page");
            Error::invalid_cursor(reader.subject().clone(), why)
        };
        let text = match (key, self.0.split_once('.')) {
            (None, None) => self.0.as_str(),
            (Some(key), Some((text, signature)))
                if equal(sign(key, text.as_bytes()).as_bytes(), signature.as_bytes()) =>
            {
                text
            }
            (Some(_), Some(_)) => {
                return Err(refuse("has another signature: it was altered, or signed with another key"));
            }
            (Some(_), None) => return Err(refuse("is not signed")),
            (None, Some(_)) => return Err(refuse("is signed: give the key to `signed`")),
        };
        let altered = || refuse("cannot be read: it was altered, or is none");
        let json = text.strip_prefix(VERSION).and_then(decode).ok_or_else(altered)?;
        let json = String::from_utf8(json).map_err(|_| altered())?;
        let (found, positions) = read(&json).map_err(|_| altered())?;
        if found != format!("{:016x}", fingerprint(reader)?) || positions.len() != reader.lanes() {
            return Err(refuse("belongs to another query"));
        }
        // One that nobody signed may hold anything, and DynamoDB refuses keys that the query could not have ended with.
        for (lane, position) in positions.iter().enumerate() {
            if let Next::After(key) = position
                && !is_within(key, &reader.plan, lane).map_err(|_| altered())?
            {
                return Err(altered());
            }
        }
        Ok(positions)
    }
}

/// The fingerprint and the places.
fn read(json: &str) -> std::result::Result<(String, Vec<Next>), ValueError> {
    let (mut found, mut positions) = (None, Vec::new());
    let mut scanner = Scanner::new(json);
    scanner.array(|scanner| {
        if found.is_none() {
            found = Some(scanner.string()?.unescape()?.into_owned());
            return Ok(());
        }
        positions.push(match scanner.skip()? {
            "null" => Next::Start,
            "true" => Next::End,
            key => Next::After(key.as_bytes().to_vec()),
        });
        Ok(())
    })?;
    Ok((found.unwrap_or_default(), positions))
}

/// True if the query may have read an item with these keys: they are all there and of their types, there is nothing else, and
/// what the conditions on the keys say holds for them.
fn is_within(key: &[u8], plan: &Plan, lane: usize) -> std::result::Result<bool, ValueError> {
    let text = std::str::from_utf8(key).map_err(|_| ValueError::new("not UTF-8"))?;
    let item = Item::next(&mut Scanner::new(text))?;
    if item.iter().count() != plan.position_keys().len() {
        return Ok(false);
    }
    let of_index = plan.index.into_iter().flat_map(IndexInfo::keys);
    for (_, source) in plan.info.keys().chain(of_index) {
        let Some(value) = item.get(plan.info.attribute(source))? else { return Ok(false) };
        let could_be_a_key = match plan.info.scalar(source) {
            ScalarType::String => !value.as_str()?.is_empty(),
            ScalarType::Number => compare_numbers(value.as_number()?, value.as_number()?).is_some(),
            ScalarType::Binary => !value.as_bytes()?.is_empty(),
        };
        if !could_be_a_key {
            return Ok(false);
        }
    }
    if !plan.keys.is_empty() && !plan.keys.iter().any(|known| known.json == key) {
        return Ok(false);
    }
    let values = plan.partitions.get(lane).into_iter().flatten();
    let partition: Vec<Node> = (plan.partition.iter().zip(values))
        .map(|(name, value)| Node::Compare {
            left: Term::Path(DocumentPath::of(*name)),
            operator: "=",
            right: Term::Value(value.clone()),
        })
        .collect();
    for node in partition.iter().chain(&plan.sort) {
        if !matches(node, &item)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A number that is the same for the same query, and hardly ever for another (FNV-1a).
fn fingerprint(reader: &Reader) -> Result<u64> {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |bytes: &[u8]| {
        for byte in bytes {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    add(reader.plan.info.name.as_bytes());
    add(format!("{:?}", reader.plan.descending).as_bytes());
    if let Some(local) = &reader.plan.local {
        let mut expression = crate::expression::Expression::default();
        let text = local.render(&mut expression);
        let text = text.map_err(|error| Error::invalid(reader.subject().clone(), &error))?;
        add(text.as_bytes());
        expression.each_part(&mut add);
    }
    for lane in 0..reader.lanes() {
        let body = reader.identity(lane);
        add(&body.map_err(|error| Error::invalid(reader.subject().clone(), &error))?);
    }
    Ok(hash)
}

fn sign(key: &[u8], text: &[u8]) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let Ok(mut mac) = Hmac::<sha2::Sha256>::new_from_slice(key) else { return String::new() };
    mac.update(text);
    encode(&mac.finalize().into_bytes())
}

/// In a time that does not tell where they differ.
fn equal(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |sum, (one, other)| sum | (one ^ other)) == 0
}

/// Base64 as it can stand in a URL, without padding.
fn encode(bytes: &[u8]) -> String {
    aws_smithy_types::base64::encode(bytes).trim_end_matches('=').replace('+', "-").replace('/', "_")
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let mut text = text.replace('-', "+").replace('_', "/");
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    aws_smithy_types::base64::decode(text).ok()
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Without what it holds: the keys may be sensitive.
impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cursor")
    }
}

/// A text that cannot be a cursor is refused; whether it belongs to the query shows when it is used.
impl FromStr for Cursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if text.starts_with(VERSION) && text.bytes().all(is_plain) {
            return Ok(Self(text.to_owned()));
        }
        // It came from whoever asks, and may be of any length, or nearly a cursor, with the keys that are in one.
        let what = match text.len() {
            0..=40 => format!("{text:?}"),
            length => format!("a text of {length} bytes"),
        };
        Err(Error::invalid_cursor(Subject::default(), format!("{what} is not a cursor")))
    }
}

impl serde::Serialize for Cursor {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Cursor {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A cursor, or perhaps none: what [`PageQuery::after`](super::PageQuery::after) takes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no cursor",
    label = "expected a `Cursor`, or an `Option` of one",
    note = "a text becomes one by `text.parse::<dynorm::Cursor>()?`"
)]
pub trait IntoCursor {
    #[doc(hidden)]
    fn into_cursor(self) -> Option<Cursor>;
}

#[diagnostic::do_not_recommend]
impl IntoCursor for Cursor {
    fn into_cursor(self) -> Option<Cursor> {
        Some(self)
    }
}

#[diagnostic::do_not_recommend]
impl IntoCursor for &Cursor {
    fn into_cursor(self) -> Option<Cursor> {
        Some(self.clone())
    }
}

#[diagnostic::do_not_recommend]
impl<C: IntoCursor> IntoCursor for Option<C> {
    fn into_cursor(self) -> Option<Cursor> {
        self.and_then(IntoCursor::into_cursor)
    }
}
