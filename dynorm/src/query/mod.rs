//! Queries: conditions, in any order, become a query of the table or of an index, or a scan where that is
//! asked for.
//!
//! From the ground up, each file standing on those before it:
//!
//! | what | where |
//! |---|---|
//! | what is asked for | `spec.rs` |
//! | conditions evaluated here, as DynamoDB would | `evaluate.rs` |
//! | how it is carried out: the key, the filter, the refusals | `plan/`; in words, `explain.rs` |
//! | where a page begins, and whether pages come forward | `position.rs`, `progress.rs` |
//! | what a page says | `answer.rs` |
//! | the requests of a plan | `reader.rs` |
//! | what is made of the items | `select.rs`, `found.rs` |
//! | page after page, in lanes side by side | `run.rs` |
//! | a position as text | `cursor.rs` |
//! | the builder, and what it ends in | `builder.rs`, `order.rs`; `terminals.rs`, `page.rs`, `stream.rs` |

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
mod select;
mod spec;
mod stream;
mod terminals;

pub use builder::Query;
pub use cursor::{Cursor, IntoCursor};
pub use explain::Explanation;
pub use order::{IntoOrder, OrderBy};
pub use page::{Page, PageQuery};
#[doc(hidden)]
pub use select::{PartOf, part};
pub use select::{Places, Projected, Projection, Selection, Whole};
pub use stream::QueryStream;
pub use terminals::{Count, Exists, First, GetAll, One};
