//! Queries: conditions, in any order, become a query of the table or of an index, or a scan where that is
//! asked for.
//!
//! [`Repository::filter`](crate::Repository::filter) begins one, and so do the functions of the indexes. The
//! types here are what it is narrowed down with, and what it ends in.

// From the ground up, each file standing on those before it:
//
// | what | where |
// |---|---|
// | what is asked for | `spec.rs` |
// | conditions evaluated here, as DynamoDB would | `evaluate.rs` |
// | how it is carried out: the key, the filter, the refusals | `plan/`; in words, `explain.rs` |
// | where a page begins, and whether pages come forward | `position.rs`, `progress.rs` |
// | what a page says | `answer.rs` |
// | the requests of a plan | `reader.rs` |
// | what is made of the items | `select.rs`, `found.rs` |
// | page after page, in lanes side by side | `run.rs` |
// | a position as text | `cursor.rs` |
// | the builder, and what it ends in | `builder.rs`, `order.rs`; `terminals.rs`, `page.rs`, `stream.rs` |

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
