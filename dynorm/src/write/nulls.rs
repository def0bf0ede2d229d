//! Attributes that are NULL. A read treats them as absent, but `if_not_exists` does not. So a change that
//! depends on the old value is written in two forms: for a value or an absent attribute, and for NULL. The
//! condition of each requires the state that it was made for.

use std::borrow::Cow;

use crate::codec::{Item, ValueError};
use crate::entity::EntityInfo;
use crate::expression::{Action, Change, Json, Node, Number, Source, Start};
use crate::rules::Existence;

/// A set of attributes of an entity's rules: those that are NULL, or those on which a write depends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Nulls {
    pub(super) version: bool,
    pub(super) deleted_at: bool,
}

impl Nulls {
    /// Returns the attributes of an item that are NULL.
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

    /// Returns the attributes on which the changes depend: for example the deletion time in a soft delete,
    /// which keeps an earlier one.
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

    /// Returns the condition that the attributes in `self` are NULL exactly if `is` says so.
    pub(super) fn condition(self, info: &'static EntityInfo, is: Self) -> Option<Node> {
        let of = |((name, builds), (_, is_null)): ((&'static str, bool), (&'static str, bool))| {
            let null = Node::equals(name, Json::NULL.to_vec());
            builds.then(|| if is_null { null } else { null.negated() })
        };
        Node::all(self.names(info).zip(is.names(info)).filter_map(of))
    }

    /// Returns the changes, starting anew where they depend on an attribute that is NULL.
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
