//! Examples of dynorm. Each runs on the embedded database, with nothing to install.
//!
//! - `cargo run --example quickstart`: an entity, a table, one item, an index, a batch
//! - `cargo run --example planes`: an import: streams a CSV file, reports the fate of every row, then a bulk
//!   change and a clean-up
//! - `cargo run --example queries`: queries by keys and indexes, filters, orders, counts, streams, scans,
//!   template keys, and the plan of each kind by `explain`
//! - `cargo run --example pages`: a paged HTTP endpoint with signed cursors; `-- --demo` walks through its
//!   pages
//! - `cargo run --example orders`: an order service with transactions, versions, hooks and soft deletes; `--
//!   --faults` injects failures meanwhile
//! - `cargo run --example batch_operations`: all batch operations, their options and errors, and four jobs
//!   built from them
//! - `cargo run --example pace`: the rate of batches on tables with little capacity, with a limit, idle, and
//!   with a hot range of keys; prints a table and draws a plot
//! - `cargo run --release --example million`: saves a million items to a table that fails in many ways, and
//!   compares the fate of each with the table
