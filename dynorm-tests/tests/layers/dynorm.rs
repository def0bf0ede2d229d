//! The layers of the crate `dynorm`, and the permitted exceptions.

use crate::rules::{Exception, Layers};

/// From the bottom up, as in ARCHITECTURE.md. Planned files have their place already: `raw_item` with the
/// entities; `relation/`, `entities/`, `changes/`, `files/`, `schema/` and `vector/` above the queries.
pub(crate) const LAYERS: Layers<'static> = &[
    ("bytes", &["codec/", "backoff.rs", "sealed.rs", "validation.rs"]),
    ("types that can be stored", &["attribute/", "codec/nested_serde/"]),
    ("keys and fields", &["key.rs", "key/", "field.rs"]),
    ("what an entity is", &["entity/", "encoded.rs"]),
    ("errors", &["error.rs", "error/", "batch/fate.rs"]),
    ("entities as bytes", &["entity/encode.rs", "entity/bridge.rs"]),
    ("expressions", &["expression/", "snapshot.rs"]),
    ("rules of entities", &["rules.rs"]),
    ("the database", &["database.rs", "embedded.rs", "embedded/", "transport.rs", "transport/", "hooks.rs"]),
    ("writes", &["write/", "unique.rs"]),
    ("what is read together", &["collection.rs", "batch/stats.rs", "query/cursor.rs", "tracked.rs"]),
    ("single operations", &["operation/"]),
    ("transactions and batches", &["transaction/", "batch/"]),
    ("queries", &["query/"]),
    ("repositories", &["repository.rs"]),
    ("the crate", &["lib.rs", "testing.rs", "testing/"]),
    ("what generated code names", &["private.rs"]),
];

const REPORT: &str = "the error of a batch or of a transaction holds the errors of its parts";

pub(crate) const EXCEPTIONS: &[Exception<'static>] = &[
    Exception { from: "error.rs", to: "error/batch.rs", reason: REPORT },
    Exception { from: "error.rs", to: "error/transaction.rs", reason: REPORT },
];
