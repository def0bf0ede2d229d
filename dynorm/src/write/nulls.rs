//! Attributes that are NULL. To a read they are absent, and `if_not_exists` does not take them for it, so what builds on the
//! value before is written in two forms: over a value or none, and over a NULL. Each needs to find what it was made for.

use std::borrow::Cow;

use crate::codec::{Item, ValueError};
use crate::entity::EntityInfo;
use crate::expression::{Action, Change, Json, Node, Number, Source, Start};
use crate::rules::Existence;

/// The attributes of an entity's rules that are NULL, or that a write builds on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Nulls {
    pub(super) version: bool,
    pub(super) deleted_at: bool,
}

impl Nulls {
    /// Those of an item.
    pub(super) fn of(info: &'static EntityInfo, item: &Item<'_>) -> Result<Self, ValueError> {
        let is_null = |name: Option<&'static str>| match name {
            Some(name) => Ok(item.get(name)?.is_some_and(|value| value.is_null())),
            None => Ok(false),
        };
        Ok(Self {
            version: is_null(info.version_attribute())?,
            deleted_at: is_null(info.deleted_at_attribute())?,
        })
    }

    /// Those that the changes build on. Of the time of deletion that is the soft delete of an item, which keeps an earlier one.
    pub(super) fn under(info: &'static EntityInfo, changes: &[Change], existence: Existence) -> Self {
        let builds = |name: Option<&'static str>, is: fn(&Action) -> bool| {
            let of = |name| changes.iter().any(|change| change.path.is_attribute(name) && is(&change.action));
            name.is_some_and(of)
        };
        let is_sum = |action: &Action| matches!(action, Action::Add { .. });
        let is_first = |action: &Action| matches!(action, Action::SetIfAbsent(_));
        Self {
            version: builds(info.version_attribute(), is_sum),
            deleted_at: existence == Existence::Stored && builds(info.deleted_at_attribute(), is_first),
        }
    }

    pub(super) const fn and(self, other: Self) -> Self {
        Self { version: self.version && other.version, deleted_at: self.deleted_at && other.deleted_at }
    }

    fn names(self, info: &'static EntityInfo) -> impl Iterator<Item = (&'static str, bool)> {
        let version = info.version_attribute().map(|name| (name, self.version));
        let deleted_at = info.deleted_at_attribute().map(|name| (name, self.deleted_at));
        version.into_iter().chain(deleted_at)
    }

    /// The condition that what a write builds on, `self`, is NULL as far as it `is` taken to be, and is not otherwise.
    pub(super) fn condition(self, info: &'static EntityInfo, is: Self) -> Option<Node> {
        let of = |((name, builds), (_, is_null)): ((&'static str, bool), (&'static str, bool))| {
            let null = Node::equals(name, Json::NULL.to_vec());
            builds.then(|| if is_null { null } else { null.negated() })
        };
        Node::all(self.names(info).zip(is.names(info)).filter_map(of))
    }

    /// The changes, where they build on what is NULL: from the start.
    pub(super) fn start_over<'c>(
        self,
        info: &'static EntityInfo,
        changes: &'c [Change],
        start: Start<'_>,
    ) -> Cow<'c, [Change]> {
        if self == Self::default() {
            return Cow::Borrowed(changes);
        }
        let is_null =
            |change: &Change| self.names(info).any(|(name, null)| null && change.path.is_attribute(name));
        let over = |change: &Change| {
            let action = match &change.action {
                Action::Add { operand, minus, .. } if is_null(change) => {
                    let left = start(&change.path.attribute).unwrap_or_else(|| br#"{"N":"0"}"#.to_vec());
                    let (left, right) = (Number::Value(Json(left)), operand.clone());
                    Action::Set(Source::Sum { left, minus: *minus, right })
                }
                Action::SetIfAbsent(source) if is_null(change) => Action::Set(source.clone()),
                _ => return change.clone(),
            };
            Change { action, ..change.clone() }
        };
        Cow::Owned(changes.iter().map(over).collect())
    }
}
