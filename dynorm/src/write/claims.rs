//! The claims on unique values: what has to be claimed and released so that the claims follow an item.

use super::nulls::Nulls;
use crate::attribute::Timestamp;
use crate::codec::{FieldInfo, Item, Request, Scanner, ValueError};
use crate::encoded::{EncodedKey, describe_key};
use crate::entity::{EntityInfo, Uniques, check_type};
use crate::error::{Error, Report, Subject};
use crate::expression::{Expression, Json, Node};
use crate::key::{KeyRole, check_key};
use crate::rules::{Visibility, expired};
use crate::snapshot::Snapshot;
use crate::transport::{Failure, FailureKind};
use crate::unique::{CLAIM, Claimed, ENDS_AT, OWNER, Seen, claims_table, fields};

/// What is known of an item that is about to be written.
#[derive(Clone, Debug)]
pub struct Known {
    pub(crate) before: Claimed,
    /// The claims on its values that turned out to be others': they are not its to release.
    pub(super) foreign: Vec<String>,
    /// What is NULL.
    pub(crate) nulls: Nulls,
}

impl Known {
    pub(crate) fn of(before: Claimed) -> Self {
        Self { before, foreign: Vec::new(), nulls: Nulls::default() }
    }

    /// What an item says. One of another type is an error.
    pub(crate) fn of_item(info: &'static EntityInfo, item: &Item<'_>) -> Result<Self, ValueError> {
        check_type(item, info)?;
        Ok(Self { nulls: Nulls::of(info, item)?, ..Self::of(Claimed::of(info, item)?) })
    }

    pub(crate) fn nothing() -> Self {
        Self::of(Claimed::none())
    }
}

/// The taking of a value, or its release.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    field: &'static FieldInfo,
    takes: bool,
    pub(crate) key: EncodedKey,
    /// The members of its request beside the name of the table, each behind a comma.
    members: Vec<u8>,
}

/// What has to be claimed and released so that the claims follow an item. Those that stay as they are are left alone, unless
/// `renew` says that they may have been lost.
pub(crate) fn claims_of(
    info: &'static EntityInfo,
    owner: &EncodedKey,
    known: &Known,
    after: &Claimed,
    renew: bool,
) -> Result<Vec<Claim>, ValueError> {
    let Some(uniques) = info.unique else { return Ok(Vec::new()) };
    let now = Timestamp::now();
    let before = &known.before;
    // The claims of what is over are over, and may be others' by now.
    let is_over = before.is_over(now);
    let renew = renew || !before.exists || is_over || before.end != after.end || after.is_over(now);
    let mut claims = Vec::new();
    for (at, field) in fields(info).enumerate() {
        let (old, new) = (before.value(at).filter(|_| !is_over), after.value(at));
        if old != new
            && let Some(old) = old
        {
            let text = claim_text(info, field, old);
            if !known.foreign.contains(&text) {
                claims.push(Claim::release(uniques, field, &text, owner)?);
            }
        }
        if let Some(new) = new.filter(|_| old != new || renew) {
            let text = claim_text(info, field, new);
            claims.push(Claim::take(uniques, field, &text, owner, after.end.as_ref())?);
        }
    }
    Ok(claims)
}

/// The claims on the unique values of an entity, in the order of its fields.
pub(crate) fn claim_keys(
    info: &'static EntityInfo,
    entity: &Snapshot,
) -> Result<Vec<EncodedKey>, ValueError> {
    let Some(uniques) = info.unique else { return Ok(Vec::new()) };
    let mut keys = Vec::new();
    for field in fields(info) {
        if let Some(json) = entity.value(field.name)?
            && let Some(seen) = Seen::of_json(&json)?
        {
            keys.push(encoded_key(uniques, field, &claim_text(info, field, &seen))?);
        }
    }
    Ok(keys)
}

/// The key of a claim: the field and the value; of entities that share a table also whose.
fn claim_text(info: &'static EntityInfo, field: &FieldInfo, seen: &Seen) -> String {
    // The value comes last, so that it needs no escape.
    let name = field.name.replace('\\', r"\\").replace('#', r"\#");
    match info.type_attribute {
        Some(_) => format!("{}#{name}#{}", info.oldest_type_name(), seen.text),
        None => format!("{name}#{}", seen.text),
    }
}

fn encoded_key(uniques: Uniques, field: &FieldInfo, text: &str) -> Result<EncodedKey, ValueError> {
    let json = Json::text(text);
    check_key(&json, KeyRole::Partition, &"the table of its unique values")
        .map_err(|error| field.locate(error))?;
    Ok(EncodedKey::new(uniques.claims, std::iter::once(json.as_slice())))
}

impl Claim {
    fn take(
        uniques: Uniques,
        field: &'static FieldInfo,
        text: &str,
        owner: &EncodedKey,
        end: Option<&Seen>,
    ) -> Result<Self, ValueError> {
        let key = encoded_key(uniques, field, text)?;
        let mut item = Request::new(key.json.len() + owner.json.len() + 64);
        item.json(CLAIM, &Json::text(text));
        item.object(OWNER, |map| map.json("M", &owner.json));
        if let Some(end) = end {
            item.json(ENDS_AT, &end.json.0);
        }
        let condition = Node::absent(CLAIM).or(is_owned_by(owner));
        let condition = match expired(uniques.claims) {
            Some(expired) => condition.or(expired),
            None => condition,
        };
        let mut request = Request::new(512);
        request.json("Item", &item.finish());
        Ok(Self { field, takes: true, key, members: conditioned(request, &condition)? })
    }

    fn release(
        uniques: Uniques,
        field: &'static FieldInfo,
        text: &str,
        owner: &EncodedKey,
    ) -> Result<Self, ValueError> {
        let key = encoded_key(uniques, field, text)?;
        let mut request = Request::new(512);
        request.json("Key", &key.json);
        let members = conditioned(request, &Node::absent(CLAIM).or(is_owned_by(owner)))?;
        Ok(Self { field, takes: false, key, members })
    }

    /// The name of its field.
    pub(crate) const fn field(&self) -> &'static str {
        self.field.name
    }

    /// Its name in a transaction.
    pub(crate) const fn name(&self) -> &'static str {
        if self.takes { "Put" } else { "Delete" }
    }

    /// Its request, beside that of an item in this table.
    pub(crate) fn body(&self, table: &str) -> Vec<u8> {
        let mut request = Request::for_table(&claims_table(table), self.members.len());
        request.members(&self.members);
        request.finish()
    }

    /// The error of a transaction in which it fails.
    pub(crate) fn error(&self, failure: Failure, subject: Subject) -> Error {
        if failure.kind == FailureKind::ConditionFailed {
            return self.conflict(&failure, subject);
        }
        let table = claims_table(&subject.table);
        failure.into_error(subject.in_table(table))
    }

    /// The field whose value another item has.
    fn conflict(&self, failure: &Failure, subject: Subject) -> Error {
        let info = subject.info;
        let owner =
            failure.item.as_ref().zip(info.and_then(|info| info.unique)).and_then(|(item, uniques)| {
                owner_of(&Item::next(&mut Scanner::new(item.json())).ok()?, uniques)
            });
        let by = match (info, owner) {
            (Some(info), Some(owner)) => {
                format!(" by `{}` with {}", info.name, describe_key(info, owner.as_bytes()))
            }
            _ => String::new(),
        };
        let mut report =
            Report::new(subject, format!("its `{}` is taken{by}, and it is unique", self.field.name), None);
        report.outcome_known = failure.outcome_known;
        report.unique = Some(self.field.name);
        Error::UniqueConflict(report)
    }
}

/// The key of the owner, in the item of a claim that still holds.
pub(crate) fn owner_of(claim: &Item<'_>, uniques: Uniques) -> Option<String> {
    if !Visibility::default().sees(uniques.claims, claim).ok()? {
        return None;
    }
    // `{"M":{…}}`
    let json = Json::of(claim.get(OWNER).ok()??).0;
    let json = json.strip_prefix(br#"{"M":"#)?.strip_suffix(b"}")?;
    Some(std::str::from_utf8(json).ok()?.to_owned())
}

fn is_owned_by(owner: &EncodedKey) -> Node {
    Node::equals(OWNER, [br#"{"M":"#.as_slice(), &owner.json, b"}"].concat())
}

fn conditioned(mut request: Request, condition: &Node) -> Result<Vec<u8>, ValueError> {
    let mut expression = Expression::default();
    expression.set_condition(condition)?;
    expression.write(&mut request);
    return_what_fails(&mut request);
    Ok(request.into_members())
}

impl Claim {
    /// The text of its key.
    pub(super) fn text(&self) -> Option<String> {
        let json = std::str::from_utf8(&self.key.json).ok()?;
        let item = Item::next(&mut Scanner::new(json)).ok()?;
        Some(item.get(CLAIM).ok()??.as_str().ok()?.into_owned())
    }

    pub(super) const fn takes(&self) -> bool {
        self.takes
    }
}

/// The error of a write whose item is being changed by others.
pub(crate) fn unsettled(subject: Subject) -> Error {
    Error::Conflict(Report::new(subject, "its unique values are being changed", None))
}

/// Whoever is refused is told what the item is.
pub(super) fn return_what_fails(request: &mut Request) {
    request.text("ReturnValuesOnConditionCheckFailure", "ALL_OLD");
}
