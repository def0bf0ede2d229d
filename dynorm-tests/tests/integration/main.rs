//! Behaviour against a real engine: the embedded database, or the one that `DYNORM_TEST_ENDPOINT` names.

mod api;
mod errors;
mod tables;
