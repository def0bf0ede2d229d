//! The condition of a write: existence, version, unique values and the caller's own condition in one.

use super::intent::{Action, Intent};
use super::nulls::Nulls;
use crate::codec::ValueError;
use crate::entity::EntityInfo;
use crate::expression::Node;
use crate::rules::{Existence, Visibility, can_raise_version, expired, has_version, of_type};

/// Returns the condition of a write; `None` if it needs none.
pub(super) fn of(
    intent: &Intent<'_>,
    version: Option<u64>,
    under: Nulls,
) -> Result<Option<Node>, ValueError> {
    let Intent { info, existence, .. } = *intent;
    if let Some(asked) = intent.condition {
        asked.check_names(info)?;
    }
    // A creation replaces nothing, or an expired item, whose unique values no longer count.
    let known = intent.uniques.as_ref().filter(|_| existence != Existence::Absent);
    let all = [
        of_existence(info, existence),
        intent.condition.cloned(),
        of_version(info, intent.action, version),
        under.condition(info, intent.nulls),
        known.map(|uniques| uniques.known.before.condition(info)),
    ];
    Ok(Node::all(all.into_iter().flatten()))
}

fn of_existence(info: &'static EntityInfo, existence: Existence) -> Option<Node> {
    let visible = || [Visibility::default().of_deletion(info), Visibility::default().of_expiry(info)];
    match existence {
        Existence::Any => of_type(info).map(|own| absent(info).or(own)),
        Existence::Absent => Some(match expired(info) {
            Some(expired) => absent(info).or(of_type(info).map_or(expired.clone(), |own| own.and(expired))),
            None => absent(info),
        }),
        Existence::Stored => Some(stored(info)),
        Existence::Present => Node::all([Some(stored(info))].into_iter().chain(visible()).flatten()),
        Existence::PresentOrAbsent => {
            let present = Node::all([of_type(info)].into_iter().chain(visible()).flatten())?;
            Some(absent(info).or(present))
        }
    }
}

fn of_version(info: &'static EntityInfo, action: Action<'_>, version: Option<u64>) -> Option<Node> {
    match (version, action) {
        // A missing item need not be deleted.
        (Some(version), Action::Delete) => Some(absent(info).or(has_version(info, version)?)),
        (Some(version), _) => has_version(info, version),
        (None, action) if action.raises_version(info) => can_raise_version(info),
        (None, _) => None,
    }
}

/// Every item has its key, so a missing key means a missing item.
fn absent(info: &'static EntityInfo) -> Node {
    Node::absent(info.attribute(&info.partition))
}

fn stored(info: &'static EntityInfo) -> Node {
    of_type(info).unwrap_or_else(|| Node::exists(info.attribute(&info.partition)))
}
