//! The report of the failures.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::Case;
use super::write::When;

/// A write with another result than expected. It is reported once for several entities and ways.
pub(super) struct Failure {
    pub(super) entity: &'static str,
    pub(super) case: Case,
    pub(super) expected: String,
    pub(super) got: String,
    /// The text of the error, if there was one.
    pub(super) message: Option<String>,
}

/// The failures as a table, the most frequent first.
pub(super) fn report(total: usize, failures: Vec<Failure>) {
    const SHOWN: usize = 40;
    #[derive(Default)]
    struct Row {
        count: usize,
        entities: BTreeSet<&'static str>,
        ways: BTreeSet<String>,
        message: Option<String>,
    }
    if failures.is_empty() {
        return;
    }
    let count = failures.len();
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    for Failure { entity, case: Case { state, held, write, way, when }, expected, got, message } in failures {
        let what = format!("{write:?} | stored: {state}\n    expected: {expected}\n    got: {got}");
        let row = rows.entry(what).or_default();
        row.count += 1;
        row.entities.insert(entity);
        row.ways.insert(format!("{way:?} of {held:?}{}", described(when)));
        row.message = row.message.take().or(message);
    }
    let mut rows: Vec<_> = rows.into_iter().collect();
    rows.sort_by_key(|(_, row)| std::cmp::Reverse(row.count));
    let mut text = format!("{count} of {total} writes came to something else, in {} ways:\n", rows.len());
    for (what, Row { entities, ways, message, .. }) in rows.iter().take(SHOWN) {
        let list = |names: Vec<&str>| names.join(", ");
        let (entities, ways) =
            (list(entities.iter().copied().collect()), list(ways.iter().map(String::as_str).collect()));
        let _ = write!(text, "{what}\n    entities: {entities}\n    ways: {ways}\n");
        if let Some(message) = message {
            let _ = writeln!(text, "    error: {message}");
        }
    }
    if let Some(more @ 1..) = rows.len().checked_sub(SHOWN) {
        let _ = writeln!(text, "and {more} more");
    }
    panic!("{text}");
}

fn described(when: When) -> &'static str {
    match when {
        When::Nothing => "",
        When::Holds => ", condition holds",
        When::Fails => ", condition fails",
    }
}
