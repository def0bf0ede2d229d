//! Behaviour against a real engine: the embedded database, or the one that `DYNORM_TEST_ENDPOINT` names.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "that is how a test fails")]

#[allow(unreachable_pub, reason = "the code of the public face is as its users write it")]
mod api;
mod batch_options;
mod batches;
mod errors;
mod explain;
mod fates;
mod faults;
mod lossless;
mod mixed;
mod oracle;
mod pace;
mod projections;
mod queries;
mod streams;
mod tables;
mod values;
