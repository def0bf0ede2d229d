//! Faulty servers: every operation, with malformed answers and with answers to another request.

// Above the modules, which use it.
macro_rules! terminals {
    ($($is_write:literal $name:literal: |$db:ident| $operation:expr;)*) => {
        [$(Terminal {
            name: $name,
            is_write: $is_write,
            run: |db| Box::pin(async move {
                let $db = &db;
                $operation.await.map(drop).map_err(Error::from)
            }),
        }),*]
    };
}

mod answers;
mod others;
mod runtimes;
mod silence;

use std::future::Future;
use std::pin::Pin;

use dynorm::Error;
use dynorm::prelude::*;
use futures_util::StreamExt;

#[derive(Entity, Clone, Debug, Default, PartialEq)]
#[entity(table = "sv_notes")]
struct Note {
    #[entity(partition)]
    owner: String,
    #[entity(sort)]
    number: u32,
    #[entity(index = "by_text")]
    text: String,
    count: u32,
}

#[derive(Entity, Clone, Debug, Default, PartialEq)]
#[entity(table = "sv_logins")]
struct Login {
    #[entity(partition)]
    name: String,
    #[entity(unique)]
    email: String,
}

#[derive(Entity, Clone, Debug, Default, PartialEq)]
#[entity(table = "sv_stocks")]
struct Stock {
    #[entity(partition)]
    sku: String,
    #[entity(version)]
    version: u64,
    left: u32,
}

fn note(number: u32) -> Note {
    Note { owner: "ada".into(), number, text: "milk".into(), count: 1 }
}

fn login() -> Login {
    Login { name: "ada".into(), email: "ada@example.com".into() }
}

fn stock() -> Stock {
    Stock { sku: "tea".into(), version: 3, left: 1 }
}

type Outcome = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// An operation of the library, by the method that ends it.
#[derive(Clone, Copy)]
struct Terminal {
    name: &'static str,
    is_write: bool,
    run: fn(Database) -> Outcome,
}

/// All operations that write and read items.
fn terminals() -> Vec<Terminal> {
    let writes = terminals! {
        true "save": |db| NoteRepo::save(note(1)).on(db);
        true "save of a version": |db| StockRepo::save(stock()).on(db);
        true "save().merge()": |db| NoteRepo::save(note(1)).merge().on(db);
        true "save of a unique value": |db| LoginRepo::save(login()).on(db);
        true "create": |db| NoteRepo::create(note(1)).on(db);
        true "create of a unique value": |db| LoginRepo::create(login()).on(db);
        true "delete": |db| NoteRepo::delete(&note(1)).on(db);
        true "delete of a version": |db| StockRepo::delete(&stock()).on(db);
        true "delete_by_id": |db| NoteRepo::delete_by_id(("ada", 1)).on(db);
        true "delete().returning_old()": |db| NoteRepo::delete(&note(1)).returning_old().on(db);
        true "update": |db| NoteRepo::update(("ada", 1)).set(Note::COUNT, 2).on(db);
        true "update().returning_nothing()":
            |db| NoteRepo::update(("ada", 1)).set(Note::COUNT, 2).returning_nothing().on(db);
        true "update().returning_old()":
            |db| NoteRepo::update(("ada", 1)).set(Note::COUNT, 2).returning_old().on(db);
        true "update().add()": |db| NoteRepo::update(("ada", 1)).add(Note::COUNT, 1).on(db);
        true "exactly_once": |db| NoteRepo::update(("ada", 1)).add(Note::COUNT, 1).exactly_once().on(db);
        true "upsert": |db| NoteRepo::upsert(note(1)).add(Note::COUNT, 1).on(db);
        true "update_or_create": |db| NoteRepo::update_or_create(note(1)).set(Note::COUNT, 2).on(db);
        true "transaction": |db| dynorm::transaction().save(note(1)).save(stock()).on(db);
        true "batch_save": |db| NoteRepo::batch_save([note(1), note(2)]).on(db);
        true "batch_save of versions": |db| StockRepo::batch_save([stock()]).on(db);
        true "batch_create": |db| NoteRepo::batch_create([note(1)]).on(db);
        true "batch_delete": |db| NoteRepo::batch_delete([("ada", 1)]).on(db);
        true "batch_save_stream": |db| NoteRepo::batch_save_stream([note(1), note(2)]).on(db);
        true "batch": |db| dynorm::batch().save([note(1)]).save([stock()]).on(db);
    };
    let reads = terminals! {
        false "find": |db| NoteRepo::find(("ada", 1)).on(db);
        false "get": |db| NoteRepo::get(("ada", 1)).consistent().on(db);
        false "all": |db| NoteRepo::all().on(db);
        false "count": |db| NoteRepo::count().on(db);
        false "query": |db| NoteRepo::by_text("milk").on(db).get_all();
        false "query().count()": |db| NoteRepo::by_text("milk").on(db).count();
        false "query().first()": |db| NoteRepo::by_text("milk").on(db).first();
        false "query().page()": |db| NoteRepo::by_text("milk").on(db).page(3);
        false "query().stream()": |db| first(NoteRepo::by_text("milk").on(db).stream());
        false "scan of segments": |db| NoteRepo::scan().segments(2).on(db).get_all();
        false "batch_get": |db| NoteRepo::batch_get([("ada", 1)]).on(db);
        false "batch_get_stream": |db| first(NoteRepo::batch_get_stream([("ada", 1)]).on(db));
        false "transact_get": |db| NoteRepo::transact_get([("ada", 1)]).on(db);
    };
    writes.into_iter().chain(reads).collect()
}

/// The first result of a stream.
async fn first<T, F: Into<Error>>(
    stream: impl futures_util::Stream<Item = Result<T, F>>,
) -> Result<(), Error> {
    std::pin::pin!(stream).next().await.expect("an item or an error").map(drop).map_err(Into::into)
}

/// An error with all its texts.
fn said(error: &Error) -> String {
    format!("{error:?}")
}
