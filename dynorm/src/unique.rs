//! Values that no two items have. DynamoDB keeps only keys apart, so each value is the key of an item in a table beside the
//! entity's, the claim of its owner; an item and its claims are written in one transaction.

use crate::attribute::{ScalarType, Timestamp};
use crate::codec::{
    FieldInfo, Item, Request, Scanner, Value, ValueError, ValueType, compare_numbers, normal_number,
};
use crate::encoded::{EncodedKey, describe_key};
use crate::entity::{EntityInfo, Uniques};
use crate::error::{Error, Report, Subject};
use crate::expression::{Action, Change, DocumentPath, Expression, Json, Node, Source, Term};
use crate::key::{KeyRole, check_key};
use crate::rules::{Existence, Visibility};
use crate::snapshot::Snapshot;
use crate::transport::{CancellationReason, Failure, FailureKind};

const CLAIM: &str = "claim";
const OWNER: &str = "owner";
const ENDS_AT: &str = "ends_at";

const FIELDS: &[FieldInfo] = &[
    FieldInfo::key(CLAIM, Some(ScalarType::String)),
    FieldInfo::new(OWNER, None),
    FieldInfo::new(ENDS_AT, Some(ScalarType::Number)),
];

/// The table of the claims of an entity; its items end if those of the entity do.
#[must_use]
pub const fn claims(entity: &'static str, table: &'static str, ends: bool) -> EntityInfo {
    let info = EntityInfo { fields: FIELDS, key_fields: &[0], ..EntityInfo::new(entity, table) };
    if ends { info.ttl(2) } else { info }
}

/// The claims lie beside the items, under the same prefix.
pub(crate) fn claims_table(table: &str) -> String {
    format!("{table}-unique")
}

/// What an item says that its claims must follow: its unique values, in the order of the fields, and when it ends.
#[derive(Clone, Debug)]
pub(crate) struct Claimed {
    exists: bool,
    values: Vec<Option<Seen>>,
    end: Option<Seen>,
}

/// A value, and one spelling for all of its spellings.
#[derive(Clone)]
struct Seen {
    json: Json,
    text: String,
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

impl PartialEq for Seen {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl PartialEq for Claimed {
    fn eq(&self, other: &Self) -> bool {
        self.exists == other.exists
            && self.end == other.end
            && (0..self.values.len().max(other.values.len())).all(|at| self.value(at) == other.value(at))
    }
}

impl Seen {
    fn of(value: Value<'_>) -> Result<Self, ValueError> {
        let text = value.raw().unescape()?;
        let text = if value.value_type() == ValueType::Number { normal_number(&text) } else { text };
        Ok(Self { json: Json::of(value), text: text.into_owned() })
    }

    fn of_json(json: &Json) -> Result<Option<Self>, ValueError> {
        let text = std::str::from_utf8(&json.0).map_err(|_| ValueError::new("not UTF-8"))?;
        let value = Value::parse(&mut Scanner::new(text))?;
        if value.is_null() { Ok(None) } else { Self::of(value).map(Some) }
    }
}

impl Claimed {
    /// There is no item.
    pub(crate) const fn none() -> Self {
        Self { exists: false, values: Vec::new(), end: None }
    }

    pub(crate) fn of(info: &'static EntityInfo, item: &Item<'_>) -> Result<Self, ValueError> {
        let seen = |name: &str| match item.get(name)? {
            Some(value) if !value.is_null() => Seen::of(value).map(Some),
            _ => Ok(None),
        };
        let values = names(info).map(seen).collect::<Result<_, _>>()?;
        Ok(Self { exists: true, values, end: info.end().map(seen).transpose()?.flatten() })
    }

    pub(crate) fn of_json(info: &'static EntityInfo, json: &[u8]) -> Result<Self, ValueError> {
        let text = std::str::from_utf8(json).map_err(|_| ValueError::new("not UTF-8"))?;
        Self::of(info, &Item::next(&mut Scanner::new(text))?)
    }

    /// What it will say after these changes.
    pub(crate) fn after(&self, info: &'static EntityInfo, changes: &[Change]) -> Result<Self, ValueError> {
        let mut after = Self { exists: true, ..self.clone() };
        after.values.resize(names(info).count(), None);
        let slots = after.values.iter_mut().chain(std::iter::once(&mut after.end));
        for (slot, name) in slots.zip(watched(info)) {
            for change in changes.iter().filter(|change| change.path.attribute == name) {
                let refused = || {
                    Err(ValueError::new(format!(
                        "`{}` leaves open what the value will be, and its claim must say it: set it to a value, or read the item and save it",
                        change.action.name()
                    ))
                    .in_field(name))
                };
                if change.path.depth() > 0 {
                    return refused();
                }
                match &change.action {
                    Action::Set(Source::Value(json)) => *slot = Seen::of_json(json)?,
                    Action::SetIfAbsent(Source::Value(json)) if slot.is_none() => {
                        *slot = Seen::of_json(json)?;
                    }
                    Action::SetIfAbsent(Source::Value(_)) => {}
                    Action::Set(Source::Absent) | Action::Remove => *slot = None,
                    _ => return refused(),
                }
            }
        }
        Ok(after)
    }

    fn value(&self, at: usize) -> Option<&Seen> {
        self.values.get(at)?.as_ref()
    }

    /// True if its end has passed, so that others may have taken its values.
    fn is_over(&self, now: Timestamp) -> bool {
        let now = now.unix_micros().div_euclid(1_000_000).to_string();
        self.end
            .as_ref()
            .is_some_and(|end| compare_numbers(&end.text, &now).is_some_and(std::cmp::Ordering::is_le))
    }

    /// The condition that the item still says this.
    pub(crate) fn condition(&self, info: &'static EntityInfo) -> Node {
        let path = |name: &'static str| Term::Path(DocumentPath::of(name));
        let absent = |name| Node::Function { name: "attribute_not_exists", arguments: vec![path(name)] };
        if !self.exists {
            return absent(info.attribute(&info.partition));
        }
        let values = (0..names(info).count()).map(|at| self.value(at));
        let nodes = watched(info).zip(values.chain(std::iter::once(self.end.as_ref()))).map(
            |(name, seen)| match seen {
                Some(seen) => {
                    Node::Compare { left: path(name), operator: "=", right: Term::Value(seen.json.0.clone()) }
                }
                // What is NULL claims nothing either.
                None => Node::Or(vec![
                    absent(name),
                    Node::Compare {
                        left: path(name),
                        operator: "=",
                        right: Term::Value(Json::NULL.to_vec()),
                    },
                ]),
            },
        );
        let mut nodes: Vec<Node> = nodes.collect();
        // DynamoDB refuses parentheses that are there twice, and `And` has its own.
        match nodes.pop() {
            Some(only) if nodes.is_empty() => only,
            last => Node::And(nodes.into_iter().chain(last).collect()),
        }
    }
}

fn names(info: &'static EntityInfo) -> impl Iterator<Item = &'static str> {
    fields(info).map(|field| field.name)
}

fn fields(info: &'static EntityInfo) -> impl Iterator<Item = &'static FieldInfo> {
    let positions = info.unique.map_or::<&'static [usize], _>(&[], |uniques| uniques.fields);
    positions.iter().filter_map(|position| info.fields.get(*position))
}

/// The attributes that claims follow.
fn watched(info: &'static EntityInfo) -> impl Iterator<Item = &'static str> {
    names(info).chain(info.end())
}

/// True if the changes are of something that claims follow.
pub(crate) fn touches(info: &'static EntityInfo, changes: &[Change]) -> bool {
    info.unique.is_some()
        && watched(info).any(|name| changes.iter().any(|change| change.path.attribute == name))
}

/// What is known of an item that is about to be written.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) before: Claimed,
    /// The claims on its values that turned out to be others': they are not its to release.
    foreign: Vec<String>,
}

impl Known {
    pub(crate) const fn of(before: Claimed) -> Self {
        Self { before, foreign: Vec::new() }
    }

    pub(crate) const fn nothing() -> Self {
        Self::of(Claimed::none())
    }

    /// What the item turned out to be, if that is not what was known.
    pub(crate) fn observe(&self, failure: &Failure, subject: &Subject) -> Option<Self> {
        let info = subject.info.filter(|_| failure.kind == FailureKind::ConditionFailed)?;
        let before = match &failure.item {
            Some(item) => Claimed::of_json(info, item.json().as_bytes()).ok()?,
            None => Claimed::none(),
        };
        (before != self.before).then(|| Self { before, foreign: self.foreign.clone() })
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
        Some(_) => format!("{}#{name}#{}", info.name, seen.text),
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
        let mut nodes = vec![absent(), is_owned_by(owner)];
        nodes.extend(crate::rules::expired(uniques.claims));
        let mut request = Request::new(512);
        request.json("Item", &item.finish());
        Ok(Self { field, takes: true, key, members: conditioned(uniques, request, nodes)? })
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
        let members = conditioned(uniques, request, vec![absent(), is_owned_by(owner)])?;
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

fn absent() -> Node {
    Node::Function { name: "attribute_not_exists", arguments: vec![Term::Path(DocumentPath::of(CLAIM))] }
}

fn is_owned_by(owner: &EncodedKey) -> Node {
    let map = [br#"{"M":"#.as_slice(), &owner.json, b"}"].concat();
    Node::Compare { left: Term::Path(DocumentPath::of(OWNER)), operator: "=", right: Term::Value(map) }
}

fn conditioned(uniques: Uniques, mut request: Request, any_of: Vec<Node>) -> Result<Vec<u8>, ValueError> {
    let mut expression = Expression::default();
    expression.set_condition(uniques.claims, Existence::Any, Some(&Node::Or(any_of)))?;
    expression.write(&mut request);
    request.text("ReturnValuesOnConditionCheckFailure", "ALL_OLD");
    Ok(request.into_members())
}

/// What a failed write of an item and its claims means: what is known of the item by now, if another attempt may succeed.
/// Nothing is `known` of one that may be as it likes.
pub(crate) fn explain(
    known: Option<&Known>,
    claims: &[Claim],
    mut failure: Failure,
    subject: &Subject,
    of_item: impl FnOnce(Failure, Subject) -> Error,
) -> Result<Known, Error> {
    let mut reasons = std::mem::take(&mut failure.reasons);
    let is_condition = |reason: &CancellationReason| reason.kind() == FailureKind::ConditionFailed;
    let failed = reasons.iter().position(is_condition);
    let failed = failed.or_else(|| reasons.iter().position(|reason| !reason.is_none()));
    let claim = failed.and_then(|position| claims.get(position.checked_sub(1)?));
    if let Some(position) = failed {
        failure = reasons.swap_remove(position).into_failure(failure.outcome_known);
    }
    match (claim, known) {
        (None, Some(known)) if let Some(known) = known.observe(&failure, subject) => Ok(known),
        (None, _) => Err(of_item(failure, subject.clone())),
        (Some(claim), Some(known)) if !claim.takes && failure.kind == FailureKind::ConditionFailed => {
            let foreign = known.foreign.iter().cloned().chain(claim.text()).collect();
            Ok(Known { before: known.before.clone(), foreign })
        }
        (Some(claim), _) => Err(claim.error(failure, subject.clone())),
    }
}

impl Claim {
    fn text(&self) -> Option<String> {
        let json = std::str::from_utf8(&self.key.json).ok()?;
        let item = Item::next(&mut Scanner::new(json)).ok()?;
        Some(item.get(CLAIM).ok()??.as_str().ok()?.into_owned())
    }
}

/// The error of a write whose item is being changed by others.
pub(crate) fn unsettled(subject: Subject) -> Error {
    Error::Conflict(Report::new(subject, "its unique values are being changed", None))
}
