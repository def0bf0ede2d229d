//! The results of a query that can be awaited: all matches, the first, the only one, their number, and
//! whether there is one.

use std::fmt;

use super::builder::Query;
use super::cursor::Cursor;
use super::found::Found;
use super::select::{Selection, Whole};
use crate::codec::ValueError;
use crate::database::Database;
use crate::entity::Entity;
use crate::error::{Doing, Error, Result};
use crate::operation::OperationFuture;

impl<E: Entity, S: Selection<E>> Query<E, S> {
    /// Gives all matches.
    pub fn get_all(self) -> GetAll<E, S> {
        GetAll(self)
    }

    /// Gives the first match, or `None`.
    pub fn first(self) -> First<E, S> {
        First(self)
    }

    /// Gives the only match. Fails if there is none or if there are several.
    pub fn one(self) -> One<E, S> {
        One(self)
    }

    /// Counts the matches. Reads and costs the same as [`get_all`](Self::get_all).
    pub fn count(self) -> Count<E, S> {
        Count(self)
    }

    /// Gives true if there is a match.
    pub fn exists(self) -> Exists<E, S> {
        Exists(self)
    }
}

macro_rules! terminals {
    ($($(#[$doc:meta])* $name:ident -> $output:ty, |$query:ident| $run:block)*) => {$(
        $(#[$doc])*
        #[must_use = "a query does nothing until it is awaited"]
        pub struct $name<E: Entity, S: Selection<E> = Whole<E>>(Query<E, S>);

        impl<E: Entity, S: Selection<E>> $name<E, S> {
            /// Reads consistently: sees all writes that succeeded before, at twice the read capacity. Not
            /// possible on global indexes.
            pub fn consistent(self) -> Self {
                Self(self.0.consistent())
            }

            /// Uses this database instead of the installed one.
            pub fn on(self, database: &Database) -> Self {
                Self(self.0.on(database))
            }
        }

        impl<E: Entity, S: Selection<E>> IntoFuture for $name<E, S> {
            type Output = Result<$output>;
            type IntoFuture = OperationFuture<'static, Self::Output>;

            fn into_future(self) -> Self::IntoFuture {
                let $query = self.0;
                OperationFuture::new(async move $run)
            }
        }

        impl<E: Entity, S: Selection<E>> fmt::Debug for $name<E, S> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.0).finish()
            }
        }
    )*};
}

terminals! {
    /// All matches of a query. Made by [`Query::get_all`].
    GetAll -> S::Many, |query| {
        let (limit, doing) = (query.limit, query.doing());
        let mut run = query.run(limit, doing, |_| Ok(None))?;
        let mut items = Vec::new();
        while limit.is_none_or(|limit| (items.len() as u64) < limit)
            && let Some(item) = run.pop().await?
        {
            items.push(item);
        }
        let cursor = || Cursor::new(&run.reader, &run.positions(), None);
        let next = if run.is_at_end() { None } else { Some(cursor()?) };
        let (stats, scanned) = (run.finish(items.len() as u64), run.evaluated);
        Ok(S::many(items, Found { stats, scanned, next, database: run.reader.database().clone() }))
    }
    /// The first match of a query. Made by [`Query::first`].
    First -> Option<S::Output>, |query| {
        let doing = query.doing();
        query.run(Some(1), doing, |_| Ok(None))?.pop().await
    }
    /// The only match of a query. Made by [`Query::one`].
    One -> S::Output, |query| {
        let doing = query.doing();
        let mut run = query.run(Some(2), doing, |_| Ok(None))?;
        let Some(one) = run.pop().await? else {
            return Err(Error::not_found(run.reader.subject().clone()));
        };
        if run.pop().await?.is_some() {
            let error = ValueError::new("several items match, and `one` takes exactly one: use `first`, or \
                narrow the conditions");
            return Err(Error::invalid(run.reader.subject().clone(), &error));
        }
        Ok(one)
    }
    /// The number of matches of a query. Made by [`Query::count`] and
    /// [`Repository::count`](crate::Repository::count).
    Count -> u64, |query| {
        let (limit, max) = (query.limit, query.max_evaluated);
        let mut run = query.run(limit, Doing::Counting, |_| Ok(None))?;
        if limit.is_none() && max.is_none() && !run.reader.plan.counts_here() {
            return run.count_all().await;
        }
        let mut count = 0;
        while limit.is_none_or(|limit| count < limit) && run.skip().await? {
            count += 1;
        }
        Ok(count)
    }
    /// Whether a query has a match. Made by [`Query::exists`].
    Exists -> bool, |query| {
        let doing = query.doing();
        query.run(Some(1), doing, |_| Ok(None))?.skip().await
    }
}
