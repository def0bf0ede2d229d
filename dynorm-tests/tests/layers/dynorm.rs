//! The layers of the crate `dynorm`, and the permitted exceptions.

use crate::rules::{Exception, Layers};

/// From the bottom up, as in ARCHITECTURE.md. Planned files have their place already: `raw_item` with the
/// entities, `write/` above the database, `relation/`, `entities/`, `changes/`, `files/`, `schema/` and
/// `vector/` above the queries.
pub(crate) const LAYERS: Layers<'static> = &[
    ("bytes", &["codec/", "backoff.rs", "embedded.rs", "validation.rs"]),
    ("types that can be stored", &["attribute/", "codec/nested_serde/"]),
    ("keys and fields", &["key.rs", "field.rs"]),
    ("what an entity is", &["entity/", "encoded.rs"]),
    ("errors", &["error.rs", "error/", "batch/fate.rs"]),
    ("entities as bytes", &["entity/encode.rs", "entity/bridge.rs"]),
    ("expressions", &["expression/", "snapshot.rs", "rules.rs"]),
    ("the database", &["database.rs", "transport.rs", "transport/", "hooks.rs"]),
    ("what is read together", &["collection.rs", "batch/stats.rs", "query/cursor.rs"]),
    ("single operations", &["operation/", "unique.rs", "tracked.rs"]),
    ("transactions", &["transaction/"]),
    ("batches", &["batch/"]),
    ("queries", &["query/"]),
    ("repositories", &["repository.rs"]),
    ("the crate", &["lib.rs", "testing.rs", "testing/"]),
    ("what generated code names", &["private.rs"]),
];

pub(crate) const EXCEPTIONS: &[Exception<'static>] = &[
    Exception {
        from: "attribute/mod.rs",
        to: "attribute/shape.rs",
        reason: "an attribute has a shape, and what a shape counts is an attribute: each is a bound of the \
            other",
    },
    Exception {
        from: "error.rs",
        to: "error/batch.rs",
        reason: "the error of a batch or of a transaction holds the errors of its parts",
    },
    Exception {
        from: "error.rs",
        to: "error/transaction.rs",
        reason: "the error of a batch or of a transaction holds the errors of its parts",
    },
    Exception { from: "error.rs", to: "rules.rs", reason: "the assembly of writes is to take it over" },
    Exception {
        from: "error/transaction.rs",
        to: "operation/write.rs",
        reason: "the assembly of writes is to take it over",
    },
    Exception {
        from: "operation/claiming.rs",
        to: "transaction/request.rs",
        reason: "the assembly of writes is to take it over",
    },
    Exception {
        from: "operation/exactly_once.rs",
        to: "transaction/request.rs",
        reason: "the assembly of writes is to take it over",
    },
    Exception {
        from: "operation/retry_on_conflict.rs",
        to: "transaction/request.rs",
        reason: "the assembly of writes is to take it over",
    },
    Exception {
        from: "batch/keys.rs",
        to: "batch/restore.rs",
        reason: "the assembly of writes is to take it over",
    },
    Exception {
        from: "operation/write.rs",
        to: "operation/update_item.rs",
        reason: "the assembly of writes is to take it over",
    },
    Exception {
        from: "tracked.rs",
        to: "operation/save_tracked.rs",
        reason: "the assembly of writes is to take it over",
    },
    Exception {
        from: "operation/update_item.rs",
        to: "operation/delete.rs",
        reason: "the assembly of writes is to take it over",
    },
    Exception {
        from: "operation/update_item.rs",
        to: "operation/exactly_once.rs",
        reason: "the assembly of writes is to take it over",
    },
    Exception {
        from: "operation/update_item.rs",
        to: "operation/update.rs",
        reason: "the assembly of writes is to take it over",
    },
    Exception {
        from: "operation/update.rs",
        to: "operation/delete.rs",
        reason: "the assembly of writes is to take it over",
    },
];
