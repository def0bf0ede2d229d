//! Unique values. DynamoDB enforces only unique keys, so each unique value is the key of an item in a second
//! table: the *claim* of its owner. An item and its claims are written in one transaction.
//!
//! The steps of a write with unique fields:
//!
//! 1. The claims are items in the table `…-unique`, one for each value, with the key of their owner and its
//!    expiry. [`Claimed`] holds the values and the expiry of an item, before or after a write.
//! 2. A write starts from a known or assumed state of the stored item (`Known`, `write/claims.rs`). A save
//!    assumes the values of the entity itself, so that a save which changes no unique value is one request.
//!    Other writes read the item.
//! 3. The condition of the write requires that state. `claims_of` compares it with the state after the write,
//!    and returns the claims to take and to release.
//! 4. A write without claims is sent as a single request, and otherwise as one transaction with its claims
//!    (`operation/claiming.rs`). If its condition finds another state, the write is made again for that
//!    state. Batches do the same through `Inputs::again`, and transactions of the caller make the operation
//!    again (`transaction/request.rs`).

use crate::attribute::{ScalarType, Timestamp};
use crate::codec::{FieldInfo, Item, Scanner, Value, ValueError, ValueType, compare_numbers, normal_number};
use crate::entity::EntityInfo;
use crate::expression::{Action, Change, Json, Node, Source};

pub(crate) const CLAIM: &str = "claim";
pub(crate) const OWNER: &str = "owner";
pub(crate) const ENDS_AT: &str = "ends_at";

const FIELDS: &[FieldInfo] = &[
    FieldInfo::key(CLAIM, Some(ScalarType::String)),
    FieldInfo::new(OWNER, None),
    FieldInfo::new(ENDS_AT, Some(ScalarType::Number)),
];

/// Returns the description of the table of the claims of an entity. Claims expire if items of the entity do.
#[must_use]
pub const fn claims(entity: &'static str, table: &'static str, ends: bool) -> EntityInfo {
    let info = EntityInfo { fields: FIELDS, key_fields: &[0], ..EntityInfo::new(entity, table) };
    if ends { info.ttl(2) } else { info }
}

/// Makes the description of that table. The macro has the text of the entity's table name.
#[doc(hidden)]
#[macro_export]
macro_rules! __claims {
    ($entity:expr, $table:literal, $expires:expr) => {
        $crate::__private::claims_in($entity, ::core::concat!($table, $crate::__claims!()), $expires)
    };
    () => {
        "-unique"
    };
}

/// Returns the name of the table of the claims, with the same prefix.
pub(crate) fn claims_table(table: &str) -> String {
    format!("{table}{}", crate::__claims!())
}

/// The attributes of an item that its claims follow: its unique values, in the order of the fields, and its
/// expiry.
#[derive(Clone, Debug)]
pub(crate) struct Claimed {
    pub(crate) exists: bool,
    values: Vec<Option<Seen>>,
    pub(crate) end: Option<Seen>,
}

/// A value, with a text that is the same for all spellings of equal values.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) json: Json,
    pub(crate) text: String,
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

    pub(crate) fn of_json(json: &Json) -> Result<Option<Self>, ValueError> {
        let text = std::str::from_utf8(&json.0).map_err(|_| ValueError::new("not UTF-8"))?;
        let value = Value::parse(&mut Scanner::new(text))?;
        if value.is_null() { Ok(None) } else { Self::of(value).map(Some) }
    }
}

impl Claimed {
    /// The state without an item.
    pub(crate) const fn none() -> Self {
        Self { exists: false, values: Vec::new(), end: None }
    }

    pub(crate) fn of(info: &'static EntityInfo, item: &Item<'_>) -> Result<Self, ValueError> {
        let seen = |name: &str| match item.get(name)? {
            Some(value) if !value.is_null() => Seen::of(value).map(Some),
            _ => Ok(None),
        };
        let values = names(info).map(seen).collect::<Result<_, _>>()?;
        Ok(Self { exists: true, values, end: info.expiry_attribute().map(seen).transpose()?.flatten() })
    }

    pub(crate) fn of_json(info: &'static EntityInfo, json: &[u8]) -> Result<Self, ValueError> {
        let text = std::str::from_utf8(json).map_err(|_| ValueError::new("not UTF-8"))?;
        Self::of(info, &Item::next(&mut Scanner::new(text))?)
    }

    /// Returns the state after these changes.
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

    pub(crate) fn value(&self, at: usize) -> Option<&Seen> {
        self.values.get(at)?.as_ref()
    }

    /// True if it has expired, so that other items may have taken its values.
    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        let now = now.unix_micros().div_euclid(1_000_000).to_string();
        self.end
            .as_ref()
            .is_some_and(|end| compare_numbers(&end.text, &now).is_some_and(std::cmp::Ordering::is_le))
    }

    /// Returns the condition that the item still has this state.
    pub(crate) fn condition(&self, info: &'static EntityInfo) -> Node {
        if !self.exists {
            return Node::absent(info.attribute(&info.partition));
        }
        let values = (0..names(info).count()).map(|at| self.value(at));
        let seen = watched(info).zip(values.chain(std::iter::once(self.end.as_ref())));
        let nodes = seen.map(|(name, seen)| match seen {
            Some(seen) => Node::equals(name, seen.json.0.clone()),
            // NULL claims nothing, like an absent attribute.
            None => Node::absent_or_null(name),
        });
        // There is at least one node, since the entity has unique fields.
        Node::all(nodes).unwrap_or_else(|| Node::exists(info.attribute(&info.partition)))
    }
}

fn names(info: &'static EntityInfo) -> impl Iterator<Item = &'static str> {
    fields(info).map(|field| field.name)
}

pub(crate) fn fields(info: &'static EntityInfo) -> impl Iterator<Item = &'static FieldInfo> {
    let positions = info.unique.map_or::<&'static [usize], _>(&[], |uniques| uniques.fields);
    positions.iter().filter_map(|position| info.fields.get(*position))
}

/// Returns the attributes that claims follow.
fn watched(info: &'static EntityInfo) -> impl Iterator<Item = &'static str> {
    names(info).chain(info.expiry_attribute())
}

/// True if the changes affect an attribute that claims follow.
pub(crate) fn touches(info: &'static EntityInfo, changes: &[Change]) -> bool {
    info.unique.is_some()
        && watched(info).any(|name| changes.iter().any(|change| change.path.attribute == name))
}
