//! What is known to come to something else than the rules say. An entry whose cases all come to what they
//! should fails the test, so that it is taken out.

use super::Case;
use super::subject::Rules;
use super::write::Write;

pub(super) struct Open {
    pub(super) what: &'static str,
    pub(super) covers: fn(Rules, &Case) -> bool,
}

pub(super) const OPEN: &[Open] = &[Open {
    what: "an upsert and an update_or_create that make an item give it version 2",
    covers: |rules, case| rules.version && matches!(case.write, Write::Upsert | Write::UpdateOrCreate),
}];
