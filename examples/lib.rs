//! Examples of dynorm: one file per idea, each of which runs on the embedded database, with nothing to install.
//!
//! | run it | what it shows |
//! |---|---|
//! | `cargo run --example quickstart` | the first steps: an entity, a table, one item, an index, a batch |
//! | `cargo run --example planes` | an import: a CSV file as a stream, batches that say what became of every row, a bulk change, a clean-up |
//! | `cargo run --example queries` | queries: by keys and indexes, filters, orders, counts, streams and scans; an order history in one table with template keys; what `explain` says of each kind |
//! | `cargo run --example pages` | a paged HTTP endpoint with signed cursors; `-- --demo` walks through its pages |
//! | `cargo run --example orders` | writes with rules: a small order service whose books balance, by transactions and versions; hooks and soft deletes; with `-- --faults` on a database that fails meanwhile |
//! | `cargo run --example batch_operations` | all that batches do, a function each: get, save, delete, collections, chunks, retries, errors, and four jobs made of them |
//! | `cargo run --example pace` | how fast a batch goes: onto a table of little capacity, within a limit of its own, onto an idle table, and onto one with a hot range of keys; a table and a plot |
//! | `cargo run --release --example million` | nothing is lost: a million items saved to a table that fails in every way, and then the fate of each compared with the table |
