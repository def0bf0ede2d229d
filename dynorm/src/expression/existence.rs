//! What a write needs of the item, and the condition that says so.

use super::json::Json;
use super::node::Node;
use super::placeholders::{Expression, check_operators};
use crate::codec::ValueError;
use crate::entity::EntityInfo;
use crate::rules;

/// What must be true of the item before a write, whatever else is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Existence {
    Any,
    /// It does not exist.
    Absent,
    /// It exists, and is of the entity: others may share the table. It is neither marked as deleted nor at its end.
    Present,
    /// It exists, and is of the entity.
    Stored,
    /// If it exists, it is of the entity.
    Own,
}

impl Expression {
    /// The condition of a write: what it needs of the item's existence, and what the caller asks for.
    pub(crate) fn set_condition(
        &mut self,
        info: &'static EntityInfo,
        existence: Existence,
        asked: Option<&Node>,
    ) -> Result<(), ValueError> {
        let conditions = existence.condition(info).into_iter().chain(asked.cloned());
        let Some(condition) = Node::all(conditions) else { return Ok(()) };
        check_operators("the condition has", condition.operators())?;
        condition.check_names(info)?;
        let text = condition.render(self)?;
        self.set_condition_text(text)
    }
}

impl Existence {
    fn condition(self, info: &'static EntityInfo) -> Option<Node> {
        let partition = info.attribute(&info.partition);
        let absent = || Node::not_exists(partition);
        let own = || Some(Node::equal(info.type_attribute?, Json::text(info.name)));
        let stored = || own().unwrap_or_else(|| Node::exists(partition));
        match self {
            Self::Any => None,
            // What has expired is in nobody's way.
            Self::Absent => Node::any(std::iter::once(absent()).chain(rules::expired(info))),
            Self::Stored => Some(stored()),
            Self::Present => Node::all(std::iter::once(stored()).chain(rules::present(info))),
            Self::Own => {
                let ours = Node::all(own().into_iter().chain(rules::present(info)))?;
                Some(absent().or(ours))
            }
        }
    }
}
