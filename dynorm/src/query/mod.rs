//! Queries: the planner turns conditions into a query of the table or of an index, into a batch get, or, if
//! that is allowed, into a scan.
//!
//! Queries start with [`Repository::filter`](crate::Repository::filter), with the function of an index, or with
//! [`Repository::scan`](crate::Repository::scan).

// From the bottom up, each file uses only those above it in this list:
//
// - `spec.rs`: what the builder passes to the planner
// - `evaluate.rs`: conditions that are evaluated here
// - `plan/`: the planner: key, filter, refusals; `explain.rs`: the plan in words
// - `position.rs`: the position of a page; `progress.rs`: stops a server that repeats pages
// - `answer.rs`: reads a page
// - `reader.rs`: the requests of a plan
// - `select.rs`, `found.rs`: the results: entities, projections, statistics
// - `run.rs`: runs a plan, page by page, several lanes in parallel
// - `cursor.rs`, `bookmark.rs`: positions as text
// - `builder.rs`, `order.rs`: the builder; `terminals.rs`, `page.rs`, `stream.rs`: its results

mod answer;
mod bookmark;
mod builder;
mod cursor;
mod evaluate;
mod explain;
mod found;
mod order;
mod page;
mod plan;
mod position;
mod progress;
mod reader;
mod run;
pub(crate) mod select;
mod spec;
mod stream;
mod terminals;

#[doc(no_inline)]
pub use builder::Query;
#[doc(no_inline)]
pub use cursor::Cursor;
pub use cursor::IntoCursor;
pub use explain::Explanation;
pub use order::{IntoOrder, OrderBy};
#[doc(no_inline)]
pub use page::Page;
pub use page::PageQuery;
#[doc(no_inline)]
pub use select::Projection;
pub use select::{Projected, Selection, Whole};
pub use stream::QueryStream;
pub use terminals::{Count, Exists, First, GetAll, One};

pub use crate::collection::{Chunk, GroupKey};
