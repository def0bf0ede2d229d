//! Without a tokio runtime, or with one that lacks a clock or sockets, the error names what is missing.

use dynorm::prelude::*;
use dynorm_tests::canned::{self, Answer};

use super::{said, terminals};

#[test]
fn outside_of_tokio_every_operation_says_what_is_missing() {
    for terminal in terminals() {
        for db in [Database::memory().unwrap(), canned::database(|_| Answer::written()).0] {
            let error = futures_util::FutureExt::now_or_never((terminal.run)(db));
            let error = error.unwrap_or_else(|| panic!("{} waits", terminal.name)).expect_err(terminal.name);
            assert!(said(&error).contains("there is no tokio runtime here"), "{}: {error:?}", terminal.name);
            assert!(error.outcome_known() && !error.is_retryable(), "{}: {error:?}", terminal.name);
        }
    }
}

#[test]
fn a_runtime_without_a_clock_is_told() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    for terminal in terminals() {
        let db = Database::memory().unwrap();
        let error = runtime.block_on((terminal.run)(db)).expect_err(terminal.name);
        assert!(said(&error).contains("has no clock"), "{}: {error:?}", terminal.name);
        assert!(error.outcome_known() && !error.is_retryable(), "{}: {error:?}", terminal.name);
    }
}

#[test]
fn a_runtime_without_sockets_is_told() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    for terminal in terminals() {
        let db = Database::local("http://127.0.0.1:9");
        let error = runtime.block_on((terminal.run)(db)).expect_err(terminal.name);
        assert!(said(&error).contains("has no sockets"), "{}: {error:?}", terminal.name);
        assert!(error.outcome_known() && !error.is_retryable(), "{}: {error:?}", terminal.name);
    }
}
