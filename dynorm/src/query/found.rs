//! What a query reports beside its items.

use super::cursor::Cursor;
use crate::batch::Stats;
use crate::collection::Collection;
use crate::database::Database;

/// What a query reports beside its items.
#[derive(Debug)]
pub struct Found {
    pub(super) stats: Stats,
    pub(super) scanned: u64,
    pub(super) next: Option<Cursor>,
    pub(super) database: Database,
}

impl Found {
    pub(crate) fn into_collection<T>(self, items: Vec<T>) -> Collection<T> {
        let Self { stats, scanned, next, database } = self;
        Collection::new(items, Some(database)).with_stats(stats).with_page(scanned, next)
    }
}
