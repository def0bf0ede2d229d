//! Without a tokio runtime, or with one that lacks a clock or sockets, the error names what is missing.

use dynorm::Error;
use dynorm::prelude::*;
use dynorm_tests::canned::{self, Answer};

use super::{Note, NoteRepo, Stock, StockRepo, Terminal, note, said, terminals};

#[derive(Entity, Clone, Debug, Default)]
#[entity(table = "sv_sessions")]
struct Session {
    #[entity(partition)]
    token: String,
    #[entity(deleted_at)]
    deleted_at: Option<Timestamp>,
    #[entity(ttl)]
    expires_at: Option<Timestamp>,
}

/// Every operation: besides those that a faulty server is tried on, those of tables, and those that consist of
/// others.
fn every() -> Vec<Terminal> {
    let others = terminals! {
        true "create_table": |db| db.create_table::<Note>();
        true "delete_table": |db| db.delete_table::<Note>();
        true "enable_ttl": |db| db.enable_ttl::<Session>();
        true "soft delete": |db| SessionRepo::delete_by_id("a").on(db);
        true "restore": |db| SessionRepo::restore("a").on(db);
        true "force_delete": |db| SessionRepo::force_delete(&Session { token: "a".into(), ..Session::default() }).on(db);
        true "batch_restore": |db| SessionRepo::batch_restore(["a"]).on(db);
        true "batch_delete_stream": |db| NoteRepo::batch_delete_stream([("ada", 1)]).on(db);
        true "first_or_create": |db| NoteRepo::first_or_create(note(1)).on(db);
        true "retry_on_conflict": |db| StockRepo::retry_on_conflict("tea", |stock: &mut Stock| stock.left = 0).on(db);
        false "exists": |db| NoteRepo::by_text("milk").on(db).exists();
        false "tracked": |db| NoteRepo::get(("ada", 1)).tracked().on(db);
    };
    terminals().into_iter().chain(others).collect()
}

#[test]
fn outside_of_tokio_every_operation_says_what_is_missing() {
    for terminal in every() {
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
    for terminal in every() {
        let db = Database::memory().unwrap();
        let error = runtime.block_on((terminal.run)(db)).expect_err(terminal.name);
        assert!(said(&error).contains("has no clock"), "{}: {error:?}", terminal.name);
        assert!(error.outcome_known() && !error.is_retryable(), "{}: {error:?}", terminal.name);
    }
}

#[test]
fn a_runtime_without_sockets_is_told() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    for terminal in every() {
        let db = Database::local("http://127.0.0.1:9");
        let error = runtime.block_on((terminal.run)(db)).expect_err(terminal.name);
        assert!(said(&error).contains("has no sockets"), "{}: {error:?}", terminal.name);
        assert!(error.outcome_known() && !error.is_retryable(), "{}: {error:?}", terminal.name);
    }
}
