//! The matches of a query as a stream.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::Stream;

use super::builder::Query;
use super::run::Run;
use super::select::{Selection, Whole};
use crate::database::Database;
use crate::entity::Entity;
use crate::error::{Error, Result};

/// A `Stream` of the matches of a query. Made by [`Query::stream`].
///
/// While the items of a page are consumed, the next page is fetched. The stream ends after an error.
///
/// Memory: for each partition or segment, two pages of at most 1 MB each as DynamoDB counts, and the
/// responses in flight, whatever the number of matches. The size of a page as entities depends on their
/// fields: the smaller the items, the larger the overhead of their structs. In dynorm's repository, `cargo
/// bench --workspace --all-features --bench suite -- memory` compares it with [`get_all`](Query::get_all).
///
/// ```
/// use futures_util::TryStreamExt;
/// # use dynorm::prelude::*;
/// # #[derive(Entity, Clone, Debug, Default)]
/// # struct User { #[entity(id)] id: Id<User>, #[entity(index = "by_city")] city: String }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> dynorm::Result<()> {
/// # let db = Database::memory()?;
/// # db.create_table::<User>().await?;
/// # db.install();
/// # UserRepo::batch_save(vec![User { city: "Paris".into(), ..Default::default() }; 30]).await?;
/// let mut users = UserRepo::by_city("Paris").stream();
/// let mut count = 0;
/// while let Some(user) = users.try_next().await? {
///     assert_eq!(user.city, "Paris");
///     count += 1;
/// }
/// assert_eq!(count, 30);
/// # Ok(())
/// # }
/// ```
#[must_use = "a stream does nothing until it is polled"]
pub struct QueryStream<E: Entity, S: Selection<E> = Whole<E>> {
    query: Option<Query<E, S>>,
    left: Option<u64>,
    current: VecDeque<S::Output>,
    ahead: Option<Vec<S::Output>>,
    /// The running query, while nothing is being fetched.
    run: Option<Run<E, S>>,
    fetching: Option<Fetching<E, S>>,
    failed: Option<Error>,
}

type Fetching<E, S> =
    Pin<Box<dyn Future<Output = Result<(Run<E, S>, Vec<<S as Selection<E>>::Output>)>> + Send>>;

impl<E: Entity, S: Selection<E>> Query<E, S> {
    /// Returns a stream of the matches; see [`QueryStream`].
    pub fn stream(self) -> QueryStream<E, S> {
        QueryStream::new(self)
    }
}

impl<E: Entity, S: Selection<E>> QueryStream<E, S> {
    fn new(query: Query<E, S>) -> Self {
        Self {
            left: query.limit,
            query: Some(query),
            current: VecDeque::new(),
            ahead: None,
            run: None,
            fetching: None,
            failed: None,
        }
    }

    /// Uses this database instead of the installed one.
    pub fn on(mut self, database: &Database) -> Self {
        self.query = self.query.map(|query| query.on(database));
        self
    }
}

fn fetch<E: Entity, S: Selection<E>>(mut run: Run<E, S>, most: usize) -> Fetching<E, S> {
    Box::pin(async move {
        let chunk = run.chunk(most).await?;
        Ok((run, chunk))
    })
}

impl<E: Entity, S: Selection<E>> Unpin for QueryStream<E, S> {}

impl<E: Entity, S: Selection<E>> Stream for QueryStream<E, S> {
    type Item = Result<S::Output>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(query) = self.query.take() {
            let (limit, doing) = (query.limit, query.doing());
            match query.run(limit, doing, |_| Ok(None)) {
                Ok(run) => self.run = Some(run),
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
        if self.left == Some(0) {
            return Poll::Ready(None);
        }
        loop {
            if self.ahead.is_none()
                && let Some(run) = self.run.take()
            {
                let most = self.left.map_or(usize::MAX, |left| usize::try_from(left).unwrap_or(usize::MAX));
                self.fetching = Some(fetch(run, most.saturating_sub(self.current.len())));
            }
            if let Some(fetching) = &mut self.fetching
                && let Poll::Ready(fetched) = fetching.as_mut().poll(context)
            {
                self.fetching = None;
                match fetched {
                    Ok((_, chunk)) if chunk.is_empty() => {}
                    Ok((run, chunk)) => (self.run, self.ahead) = (Some(run), Some(chunk)),
                    Err(error) => self.failed = Some(error),
                }
            }
            if let Some(item) = self.current.pop_front() {
                self.left = self.left.map(|left| left.saturating_sub(1));
                return Poll::Ready(Some(Ok(item)));
            }
            if let Some(ahead) = self.ahead.take() {
                self.current = ahead.into();
                continue;
            }
            return match self.failed.take() {
                Some(error) => Poll::Ready(Some(Err(error))),
                None if self.fetching.is_some() => Poll::Pending,
                None => Poll::Ready(None),
            };
        }
    }
}

impl<E: Entity, S: Selection<E>> fmt::Debug for QueryStream<E, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueryStream").field("entity", &E::INFO.name).finish_non_exhaustive()
    }
}
