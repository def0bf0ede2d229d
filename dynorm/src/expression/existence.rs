//! The condition of a write: what it needs of the item, and what the caller asks for.

use super::json::Json;
use super::node::Node;
use super::placeholders::{Expression, check_operators};
use crate::codec::ValueError;
use crate::entity::EntityInfo;
use crate::rules::{self, Existence};

impl Expression {
    /// The condition of a write: what it needs of the item's existence, and what the caller asks for.
    pub(crate) fn set_condition(
        &mut self,
        info: &'static EntityInfo,
        existence: Existence,
        asked: Option<&Node>,
    ) -> Result<(), ValueError> {
        let conditions = needed(existence, info).into_iter().chain(asked.cloned());
        let Some(condition) = Node::all(conditions) else { return Ok(()) };
        check_operators("the condition has", condition.operators())?;
        condition.check_names(info)?;
        let text = condition.render(self)?;
        self.set_condition_text(text)
    }
}

/// What a write needs of the item, as a condition.
fn needed(existence: Existence, info: &'static EntityInfo) -> Option<Node> {
    let partition = info.attribute(&info.partition);
    let absent = || Node::not_exists(partition);
    let own = || Some(Node::equal(info.type_attribute?, Json::text(info.name)));
    let stored = || own().unwrap_or_else(|| Node::exists(partition));
    match existence {
        Existence::Any => None,
        // What has expired is in nobody's way.
        Existence::Absent => Node::any(std::iter::once(absent()).chain(rules::expired(info))),
        Existence::Stored => Some(stored()),
        Existence::Present => Node::all(std::iter::once(stored()).chain(rules::present(info))),
        Existence::Own => {
            let ours = Node::all(own().into_iter().chain(rules::present(info)))?;
            Some(absent().or(ours))
        }
    }
}
