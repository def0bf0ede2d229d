//! Pages with a fixed number of matches.

use std::fmt;

use super::builder::Query;
use super::cursor::{Cursor, IntoCursor};
use super::found::Found;
use super::position::{Next, Position};
use super::run::Run;
use super::select::{Selection, Whole};
use crate::codec::ValueError;
use crate::database::Database;
use crate::entity::Entity;
use crate::error::{Error, Result};
use crate::operation::OperationFuture;

/// A page of a query. Made by [`Query::page`].
///
/// A page is full unless there are no more matches, whatever the filter leaves out. It may have to evaluate
/// many items for that; [`Query::max_evaluated`] limits their number. The last page has no
/// [`next`](Page::next).
///
/// ```
/// # use dynorm::prelude::*;
/// # #[derive(Entity, Clone, Debug, Default)]
/// # struct User { #[entity(id)] id: Id<User>, #[entity(index = "by_city")] city: String }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> dynorm::Result<()> {
/// # let db = Database::memory()?;
/// # db.create_table::<User>().await?;
/// # db.install();
/// # UserRepo::batch_save(vec![User { city: "Paris".into(), ..Default::default() }; 45]).await?;
/// let mut cursor = None;
/// let mut sizes = Vec::new();
/// loop {
///     let page = UserRepo::by_city("Paris").page(20).after(cursor).await?;
///     sizes.push(page.items.len());
///     cursor = page.next;
///     if cursor.is_none() {
///         break;
///     }
/// }
/// assert_eq!(sizes, [20, 20, 5]);
/// # Ok(())
/// # }
/// ```
#[must_use = "a query does nothing until it is awaited"]
pub struct PageQuery<E: Entity, S: Selection<E> = Whole<E>> {
    query: Query<E, S>,
    size: usize,
    from: From,
    key: Option<Vec<u8>>,
}

impl<E: Entity, S: Selection<E>> Query<E, S> {
    /// Gives a page of `size` matches; see [`PageQuery`].
    pub fn page(self, size: usize) -> PageQuery<E, S> {
        PageQuery::new(self, size)
    }
}

enum From {
    Start,
    After(Cursor),
    Before(Cursor),
}

/// Some matches of a query, and the cursors of the pages before and after them.
pub struct Page<T, M = crate::Collection<T>> {
    /// The matches: a `Collection` of entities, or a `Vec` of the selected fields.
    pub items: M,
    /// The cursor for [`PageQuery::after`]; `None` on the last page.
    pub next: Option<Cursor>,
    /// The cursor for [`PageQuery::before`]; `None` on the first page.
    pub previous: Option<Cursor>,
    of: std::marker::PhantomData<fn() -> T>,
}

impl<T, M: fmt::Debug> fmt::Debug for Page<T, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page").field("items", &self.items).field("next", &self.next).finish_non_exhaustive()
    }
}

impl<E: Entity, S: Selection<E>> PageQuery<E, S> {
    pub(super) fn new(query: Query<E, S>, size: usize) -> Self {
        Self { query, size, from: From::Start, key: None }
    }

    /// Starts after the page that gave this cursor, its [`next`](Page::next): a [`Cursor`], or an `Option` of
    /// one, which is `None` for the first page.
    pub fn after(mut self, cursor: impl IntoCursor) -> Self {
        self.from = cursor.into_cursor().map_or(From::Start, From::After);
        self
    }

    /// Ends before the page that gave this cursor, its [`previous`](Page::previous). Not possible for scans
    /// and for queries of several partitions.
    pub fn before(mut self, cursor: impl IntoCursor) -> Self {
        self.from = cursor.into_cursor().map_or(From::Start, From::Before);
        self
    }

    /// Signs the cursors of the page with this key (HMAC-SHA-256), and refuses cursors that are not signed
    /// with it. A signed cursor cannot be forged, but its keys can still be read.
    pub fn signed(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Uses this database instead of the installed one.
    pub fn on(mut self, database: &Database) -> Self {
        self.query = self.query.on(database);
        self
    }
}

impl<E: Entity, S: Selection<E>> IntoFuture for PageQuery<E, S> {
    type Output = Result<Page<S::Output, S::Many>>;
    type IntoFuture = OperationFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { query, size, from, key } = self;
        OperationFuture::new(async move {
            let doing = query.doing();
            let is_limited = query.limit.is_some();
            let size = size as u64;
            let key = key.as_deref();
            let backwards = matches!(from, From::Before(_));
            // Reads one more match than the page, to know whether there is another page.
            let wanted = Some(size.saturating_add(1));
            let mut is_first = true;
            let mut run: Run<E, S> = query.run(wanted, doing, |reader| {
                let invalid =
                    |why: &'static str| Error::invalid(reader.subject().clone(), &ValueError::new(why));
                if is_limited {
                    return Err(invalid("a page has its own size: remove `limit`"));
                }
                if key.is_some_and(<[u8]>::is_empty) {
                    return Err(invalid(
                        "the key that signs the cursors is empty, so anybody could make one",
                    ));
                }
                if size == 0 {
                    return Err(invalid("a page has at least one item: `page(0)` would never end"));
                }
                match &from {
                    From::Start => Ok(None),
                    From::After(cursor) => {
                        is_first = false;
                        cursor.positions(reader, key).map(Some)
                    }
                    From::Before(cursor) => {
                        if reader.lanes() != 1 || reader.plan.partitions.is_empty() {
                            return Err(invalid(
                                "only a query of a single partition can go back: use \
                                `after`",
                            ));
                        }
                        let positions = cursor.positions(reader, key)?;
                        reader.plan.descending = !reader.plan.descending;
                        Ok(Some(positions))
                    }
                }
            })?;
            let (mut items, mut ends) = (Vec::new(), None);
            while (items.len() as u64) < size
                && let Some(row) = run.pop_row().await?
            {
                let first = ends.map_or_else(|| row.position.clone(), |(first, _)| first);
                ends = Some((first, row.position));
                items.push(row.value);
            }
            let has_more = run.has_more().await?;
            let positions = run.positions();
            if backwards {
                items.reverse();
                run.reader.plan.descending = !run.reader.plan.descending;
            }
            let cursor = |positions: &[Next]| Cursor::new(&run.reader, positions, key);
            let at = |position: Position| cursor(&[Next::After(position.json().to_vec())]);
            let can_go_back = positions.len() == 1 && !run.reader.plan.partitions.is_empty();
            let (next, previous) = match (backwards, ends) {
                (false, ends) => {
                    let previous = ends.filter(|_| can_go_back && !is_first).map(|(first, _)| at(first));
                    (has_more.then(|| cursor(&positions)), previous)
                }
                // After the page before a cursor comes the page that gave the cursor.
                (true, Some((last, first))) => (Some(at(last)), has_more.then(|| at(first))),
                (true, None) => (None, None),
            };
            let (next, previous) = (next.transpose()?, previous.transpose()?);
            let (stats, scanned) = (run.finish(items.len() as u64), run.evaluated);
            let found = Found { stats, scanned, next: next.clone(), database: run.reader.database().clone() };
            let items = S::many(items, found);
            Ok(Page { items, next, previous, of: std::marker::PhantomData })
        })
    }
}

impl<E: Entity, S: Selection<E>> fmt::Debug for PageQuery<E, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageQuery")
            .field("query", &self.query)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}
