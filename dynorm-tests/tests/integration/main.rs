//! Behaviour against a real engine: the embedded database, or the one that `DYNORM_TEST_ENDPOINT` names.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "that is how a test fails")]

#[allow(unreachable_pub, reason = "the code of the public face is as its users write it")]
mod api;
mod batch_options;
mod batch_rules;
mod batches;
mod create;
mod deadline;
mod delete;
mod dropped;
mod error_messages;
mod errors;
mod exactly_once;
mod explain;
mod fates;
mod faults;
mod first_or_create;
mod hooks;
mod large_batches;
mod lossless;
mod mixed;
mod names;
mod oracle;
mod pace;
mod patience;
mod projections;
mod queries;
mod rules;
mod save;
mod scans;
mod storm;
mod streams;
mod tables;
mod time_to_live;
mod tracked;
mod transact_faults;
mod transact_get;
mod transaction;
mod unique;
mod update;
mod update_keys;
mod update_or_create;
mod upsert;
mod validation;
mod values;
