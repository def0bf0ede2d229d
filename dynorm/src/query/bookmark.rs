//! Makes a cursor from the positions of a query, and reads it back.

use super::cursor::{Cursor, VERSION};
use super::plan::Plan;
use super::position::{Next, is_within};
use super::reader::Reader;
use crate::codec::{Item, Scanner, ValueError};
use crate::error::{Error, Result};
use crate::expression::Expression;

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

    /// Reads the positions of the lanes, if the cursor belongs to this query.
    pub(super) fn positions(&self, reader: &Reader, key: Option<&[u8]>) -> Result<Vec<Next>> {
        let refuse = |why: &str| {
            let why = format!("the cursor {why}; start again with the first page");
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
            (None, Some(_)) => return Err(refuse("is signed: pass the key to `signed`")),
        };
        let altered = || refuse("cannot be read: it was altered, or is not a cursor");
        let json = text.strip_prefix(VERSION).and_then(decode).ok_or_else(altered)?;
        let json = String::from_utf8(json).map_err(|_| altered())?;
        let (found, positions) = read(&json).map_err(|_| altered())?;
        if found != format!("{:016x}", fingerprint(reader)?) || positions.len() != reader.lanes() {
            return Err(refuse("belongs to another query"));
        }
        // An unsigned cursor may have been forged, and DynamoDB refuses a start key that does not match the
        // key conditions.
        for (lane, position) in positions.iter().enumerate() {
            if let Next::After(key) = position
                && !is_position(key, &reader.plan, lane).map_err(|_| altered())?
            {
                return Err(altered());
            }
        }
        Ok(positions)
    }
}

/// Reads the fingerprint and the positions.
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

/// True if the query can continue after an item with these keys.
fn is_position(key: &[u8], plan: &Plan, lane: usize) -> std::result::Result<bool, ValueError> {
    if !plan.keys.is_empty() && !plan.keys.iter().any(|planned| planned.json == key) {
        return Ok(false);
    }
    let text = std::str::from_utf8(key).map_err(|_| ValueError::new("not UTF-8"))?;
    is_within(&Item::next(&mut Scanner::new(text))?, plan, lane)
}

/// The fingerprint of a query (FNV-1a): equal for equal queries, and almost always different for others.
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
        let mut expression = Expression::default();
        let text = local.render(&mut expression);
        let text = text.map_err(|error| Error::invalid(reader.subject().clone(), &error))?;
        add(text.as_bytes());
        expression.each_placeholder(&mut add);
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

/// Compares in constant time.
fn equal(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |sum, (one, other)| sum | (one ^ other)) == 0
}

/// Base64 for URLs, without padding.
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
