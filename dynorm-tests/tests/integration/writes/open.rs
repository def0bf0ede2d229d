//! Known deviations from the rules. An entry without a failing case fails the test, so that it is removed.

use super::Case;
use super::state::{Codes, Deletion, Held, Holder, Version};
use super::subject::Rules;
use super::write::{Way, When, Write};

pub(super) struct Open {
    pub(super) what: &'static str,
    pub(super) covers: fn(Rules, &Case) -> bool,
}

pub(super) const OPEN: &[Open] = &[
    Open {
        what: "NULL is absent to reads, no expression starts over one: a version, a time of deletion",
        covers: |rules, case| {
            let is_version = case.state.version == Version::Null
                && match case.write {
                    Write::Delete | Write::DeleteById => rules.soft_delete,
                    Write::Upsert | Write::UpdateOrCreate | Write::Update | Write::UpdateCode => true,
                    Write::Restore => true,
                    _ => false,
                };
            let is_time = case.state.deletion == Deletion::Null
                && matches!(case.write, Write::Delete | Write::DeleteById);
            is_version || is_time
        },
    },
    Open {
        what: "first_or_create gives what is soft-deleted",
        covers: |_, case| case.write == Write::FirstOrCreate && case.state.deletion == Deletion::SoftDeleted,
    },
    Open {
        what: "update_or_create looks for the unique value before it looks for the key",
        covers: |_, case| {
            case.write == Write::UpdateOrCreate
                && matches!(
                    case.state.codes,
                    Codes::Same(Holder::Another) | Codes::Differ(_, Holder::Another)
                )
        },
    },
    Open {
        what: "a transaction takes an entity that says that it is new at its word",
        covers: |rules, case| {
            let is_save = matches!(case.write, Write::Save | Write::Merge);
            rules.unique && case.way == Way::Transaction && is_save && case.held == Held::Fresh
        },
    },
    Open {
        what: "in a transaction another's claim is an error of its own, and where it would be released",
        covers: |rules, case| {
            let is_other = |holder| matches!(holder, Holder::Another | Holder::SoftDeleted);
            let holders = match case.state.codes {
                Codes::Same(holder) => [holder; 2],
                Codes::Differ(of_item, of_entity) => [of_item, of_entity],
            };
            rules.unique && case.way == Way::Transaction && holders.into_iter().any(is_other)
        },
    },
    Open {
        what: "a delete with a condition, by an entity with a version, tells what is gone by the version",
        covers: |rules, case| {
            let is_hard = match case.write {
                Write::Delete => !rules.soft_delete,
                Write::ForceDelete => true,
                _ => false,
            };
            rules.version && is_hard && !case.state.stored && case.when != When::Nothing
        },
    },
];
