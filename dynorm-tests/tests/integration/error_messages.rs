//! Every variant of the error, caused by real operations, and its messages, which are all in
//! `error_messages.txt`. `UPDATE_GOLDEN=1` updates the file.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use dynorm::prelude::*;
use dynorm::testing::{Fault, Faults};
use dynorm::{Error, HookResult, Hooks};
use dynorm_tests::canned::{self, Answer};
use dynorm_tests::database;

#[derive(Entity, Clone, Debug, Default, PartialEq)]
struct Note {
    #[entity(partition)]
    title: String,
    #[entity(index = "by_author")]
    author: Option<String>,
    text: String,
    stars: u32,
}

#[derive(Entity, Clone, Debug, Default, PartialEq)]
#[entity(table = "stock")]
struct Stock {
    #[entity(partition)]
    sku: String,
    left: u32,
    #[entity(version)]
    version: u64,
}

#[derive(Entity, garde::Validate, Clone, Debug, Default, PartialEq)]
#[entity(validate, hooks)]
struct User {
    #[entity(partition)]
    #[garde(length(min = 1))]
    name: String,
    #[garde(email)]
    email: String,
    #[garde(range(min = 18, max = 120))]
    age: u8,
}

impl Hooks for User {
    async fn deleting(&self) -> HookResult {
        Err("there are open orders".into())
    }
}

#[derive(Entity, Clone, Debug, Default, PartialEq)]
struct Member {
    #[entity(partition)]
    name: String,
    #[entity(unique)]
    email: String,
}

/// Two entities that share a table.
#[derive(Entity, Clone, Debug, Default, PartialEq)]
#[entity(table = "shop", partition = "CUSTOMER#{name}", sort = "PROFILE")]
struct Profile {
    name: String,
    age: u8,
}

#[derive(Entity, Clone, Debug, Default, PartialEq)]
#[entity(table = "shop", partition = "CUSTOMER#{name}", sort = "{kind}")]
struct Paper {
    name: String,
    kind: String,
}

fn note(title: &str) -> Note {
    Note { title: title.into(), author: Some("Ada".into()), text: "tea".into(), stars: 5 }
}

fn stock(left: u32) -> Stock {
    Stock { sku: "tea".into(), left, version: 0 }
}

fn user(age: u8) -> User {
    User { name: "Ada".into(), email: "ada@example.com".into(), age }
}

/// The error of an operation that cannot succeed.
async fn error<T>(operation: impl IntoFuture<Output = Result<T, impl Into<Error>>>) -> Error {
    match operation.await {
        Ok(_) => panic!("it succeeds"),
        Err(error) => error.into(),
    }
}

/// Errors, each with its cause.
type Cases = Vec<(&'static str, Error)>;

#[tokio::test]
async fn every_error_says_what_it_should() {
    let db = database();
    db.create_table::<Note>().await.unwrap();
    db.create_table::<Stock>().await.unwrap();
    db.create_table::<User>().await.unwrap();
    db.create_table::<Member>().await.unwrap();
    db.create_table::<Profile>().await.unwrap();
    let mut cases = of_what_is_not_there(&db).await;
    cases.extend(of_conditions(&db).await);
    cases.extend(of_versions(&db).await);
    cases.extend(of_unique_fields(&db).await);
    cases.extend(of_what_is_refused_here(&db).await);
    cases.extend(of_tables(&db).await);
    cases.extend(of_answers(&db).await);
    cases.extend(of_connections(&db).await);
    cases.extend(of_batches(&db).await);
    cases.extend(of_transactions(&db).await);
    cases.extend(of_databases().await);

    let mut text = String::new();
    for (situation, error) in &cases {
        // The message and its causes, one on each line.
        let said = format!("{error:?}").replace('\n', "\n    ");
        writeln!(text, "{} · {situation}\n    {said}\n", variant(error)).unwrap();
    }
    // The table prefix differs between the tests of a run.
    let prefix = db.table_name::<Note>();
    let prefix = prefix.strip_suffix("notes").unwrap();
    let text = if prefix.is_empty() { text } else { text.replace(prefix, "") };

    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/integration/error_messages.txt");
        std::fs::write(file, &text).unwrap();
    } else {
        for (said, expected) in text.split("\n\n").zip(include_str!("error_messages.txt").split("\n\n")) {
            assert_eq!(said, expected, "UPDATE_GOLDEN=1 takes the messages as they are now");
        }
        assert_eq!(
            text,
            include_str!("error_messages.txt"),
            "UPDATE_GOLDEN=1 takes the messages as they are now"
        );
    }
    let produced: BTreeSet<&str> = cases.iter().map(|(_, error)| variant(error)).collect();
    // A bug of the library has no case: nothing that a caller or a server does brings it about.
    let mut all = variants();
    assert!(all.remove("Internal"));
    assert_eq!(produced, all, "each variant has a case");
}

/// The variants of the error, from its source code.
fn variants() -> BTreeSet<&'static str> {
    let source = include_str!("../../../dynorm/src/error.rs");
    let (_, variants) = source.split_once("pub enum Error {\n").unwrap();
    let (variants, _) = variants.split_once("\n}\n").unwrap();
    let lines = variants.lines().map(str::trim).filter(|line| !line.starts_with(['/', '#']));
    lines.map(|line| line.split(['(', ',']).next().unwrap()).collect()
}

fn variant(error: &Error) -> &'static str {
    match error {
        Error::NotFound(_) => "NotFound",
        Error::ConditionFailed(_) => "ConditionFailed",
        Error::VersionConflict(_) => "VersionConflict",
        Error::UniqueConflict(_) => "UniqueConflict",
        Error::TypeMismatch(_) => "TypeMismatch",
        Error::Invalid(_) => "Invalid",
        Error::ValidationFailed(_) => "ValidationFailed",
        Error::Refused(_) => "Refused",
        Error::InvalidCursor(_) => "InvalidCursor",
        Error::Undecodable(_) => "Undecodable",
        Error::TableNotFound(_) => "TableNotFound",
        Error::TableMismatch(_) => "TableMismatch",
        Error::Throttled(_) => "Throttled",
        Error::Conflict(_) => "Conflict",
        Error::AccessDenied(_) => "AccessDenied",
        Error::Credentials(_) => "Credentials",
        Error::Unreachable(_) => "Unreachable",
        Error::Timeout(_) => "Timeout",
        Error::Rejected(_) => "Rejected",
        Error::Server(_) => "Server",
        Error::Batch(_) => "Batch",
        Error::Transaction(_) => "Transaction",
        Error::NoDatabase => "NoDatabase",
        Error::Configuration(_) => "Configuration",
        error => panic!("a variant that this list lacks: {error}"),
    }
}

async fn of_what_is_not_there(db: &Database) -> Cases {
    let lost = Faults::scripted([Fault::CutAfter]).on(db);
    vec![
        ("a read", error(NoteRepo::get("none").on(db)).await),
        ("an update", error(NoteRepo::update("none").set(Note::STARS, 1).on(db)).await),
        (
            "an update whose first answer is lost",
            error(NoteRepo::update("none").add(Note::STARS, 1).on(&lost)).await,
        ),
        ("a change that is repeated", error(StockRepo::retry_on_conflict("none", |_| {}).on(db)).await),
    ]
}

async fn of_conditions(db: &Database) -> Cases {
    NoteRepo::save(note("a")).on(db).await.unwrap();
    PaperRepo::save(Paper { name: "Ada".into(), kind: "PROFILE".into() }).on(db).await.unwrap();
    let profile = Profile { name: "Ada".into(), age: 36 };
    let lost = || Faults::scripted([Fault::CutAfter]).on(db);
    vec![
        ("a save", error(NoteRepo::save(note("a")).when(Note::STARS.eq(4)).on(db)).await),
        ("an update", error(NoteRepo::update("a").add(Note::STARS, 1).when(Note::STARS.eq(4)).on(db)).await),
        ("a delete", error(NoteRepo::delete_by_id("a").when(Note::STARS.eq(4)).on(db)).await),
        ("a creation of what exists", error(NoteRepo::create(note("a")).on(db)).await),
        (
            "an upsert of what belongs to another entity",
            error(ProfileRepo::upsert(&profile).add(Profile::AGE, 1).on(db)).await,
        ),
        ("a save over what belongs to another entity", error(ProfileRepo::save(profile).on(db)).await),
        ("a read of what belongs to another entity", error(ProfileRepo::get("Ada").on(db)).await),
        ("a creation whose first answer is lost", error(NoteRepo::create(note("b")).on(&lost())).await),
        ("a save that does away with its own condition, and whose first answer is lost", {
            let save = NoteRepo::save(Note { stars: 4, ..note("a") }).when(Note::STARS.eq(5));
            error(save.on(&lost())).await
        }),
    ]
}

async fn of_versions(db: &Database) -> Cases {
    let first = StockRepo::save(stock(9)).on(db).await.unwrap();
    StockRepo::save(&first).on(db).await.unwrap();
    let mut cases = vec![
        ("a stale save", error(StockRepo::save(&first).on(db)).await),
        ("a stale delete", error(StockRepo::delete(&first).on(db)).await),
        ("a save of what is new, over an item", error(StockRepo::save(stock(1)).on(db)).await),
    ];
    let current = StockRepo::get("tea").on(db).await.unwrap();
    let lost = Faults::scripted([Fault::CutAfter]).on(db);
    cases.push(("a save whose first answer is lost", error(StockRepo::save(&current).on(&lost)).await));
    StockRepo::delete_by_id("tea").on(db).await.unwrap();
    cases.push(("a save of what is gone", error(StockRepo::save(&first).on(db)).await));
    cases
}

async fn of_unique_fields(db: &Database) -> Cases {
    let member =
        |name: &str, email: &str| Member { name: name.into(), email: format!("{email}@example.com") };
    MemberRepo::save(member("Ada", "ada")).on(db).await.unwrap();
    MemberRepo::save(member("Alan", "alan")).on(db).await.unwrap();
    let transaction = dynorm::transaction().save(note("c")).save(member("Grace", "ada"));
    vec![
        ("a creation", error(MemberRepo::create(member("Grace", "ada")).on(db)).await),
        ("an update", error(MemberRepo::update("Alan").set(Member::EMAIL, "ada@example.com").on(db)).await),
        ("a transaction", error(transaction.on(db)).await),
    ]
}

async fn of_what_is_refused_here(db: &Database) -> Cases {
    UserRepo::save(user(36)).on(db).await.unwrap();
    let put = db.client().put_item().table_name(db.table_name::<Note>());
    let put = put.item("title", AttributeValue::S("odd".into())).item("text", AttributeValue::N("1".into()));
    put.item("stars", AttributeValue::N("1".into())).send().await.unwrap();
    for title in ["a", "b"] {
        NoteRepo::save(note(title)).on(db).await.unwrap();
    }
    let page = NoteRepo::by_author("Ada").page(1).on(db).await.unwrap();
    let of_another = NoteRepo::by_author("Alan").page(1).after(page.next).on(db);
    vec![
        ("a key that is empty", error(NoteRepo::save(note("")).on(db)).await),
        ("an item that is too large", {
            error(NoteRepo::save(Note { text: "x".repeat(500_000), ..note("a") }).on(db)).await
        }),
        ("an update without changes", error(NoteRepo::update("a").on(db)).await),
        ("an update of one field twice", {
            error(NoteRepo::update("a").set(Note::STARS, 1).add(Note::STARS, 1).on(db)).await
        }),
        ("a query without a key", error(NoteRepo::filter(Note::STARS.eq(5)).get_all().on(db)).await),
        ("a transaction without operations", error(dynorm::transaction().on(db)).await),
        ("rules of an entity", error(UserRepo::save(User { email: "ada".into(), ..user(7) }).on(db)).await),
        ("a hook", error(UserRepo::delete_by_id("Ada").on(db)).await),
        ("a cursor that is none", error(async { "page-2".parse::<dynorm::Cursor>() }).await),
        ("a cursor of another query", error(of_another).await),
        ("an item that does not fit", error(NoteRepo::get("odd").on(db)).await),
        ("an item among others", error(NoteRepo::scan().filter(Note::STARS.eq(1)).get_all().on(db)).await),
    ]
}

async fn of_tables(db: &Database) -> Cases {
    #[derive(Entity, Clone, Debug)]
    struct Nowhere {
        #[entity(partition)]
        id: u32,
    }
    #[derive(Entity, Clone, Debug)]
    #[entity(table = "other")]
    struct Other {
        #[entity(partition)]
        id: u32,
        #[entity(index = "by_name")]
        name: String,
    }
    let id = |kind| AttributeDefinition::builder().attribute_name("id").attribute_type(kind).build().unwrap();
    let key = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash).build().unwrap();
    let create = db.client().create_table().table_name(db.table_name::<Other>()).key_schema(key);
    let create = create.attribute_definitions(id(ScalarAttributeType::S));
    create.billing_mode(BillingMode::PayPerRequest).send().await.unwrap();
    vec![
        ("a read", error(NowhereRepo::find(1).on(db)).await),
        ("a transaction", {
            let transaction = dynorm::transaction().save(Nowhere { id: 1 }).save(note("a"));
            error(transaction.on(db)).await
        }),
        ("a table of another shape", error(db.create_table::<Other>()).await),
        ("an index that is not there", error(OtherRepo::by_name("Ada").get_all().on(db)).await),
    ]
}

async fn of_answers(db: &Database) -> Cases {
    let answered = |code: &'static str, message: &'static str| {
        canned::database(move |_| Answer::error(400, code, message)).0
    };
    let save = async |db: Database| error(NoteRepo::save(note("a")).on(&db)).await;
    let throttled = Faults::seeded(1).throttle(1.0).on(db);
    let hot = Faults::seeded(1).hot_key_range(1.0).on(db);
    let conflict = Faults::seeded(1).conflict(1.0).on(db);
    let failing = Faults::seeded(1).server_error(1.0).on(db);
    let denied =
        answered("AccessDeniedException", "User: ada is not authorized to perform: dynamodb:PutItem");
    let expired = answered("ExpiredTokenException", "The security token included in the request is expired");
    let unsupported = answered("ValidationException", "The parameter cannot be converted to a numeric value");
    vec![
        ("a table over its capacity", save(throttled).await),
        ("a range of keys over its capacity", save(hot).await),
        ("another transaction at the item", save(conflict).await),
        ("a right that is missing", save(denied).await),
        ("a token that has expired", save(expired).await),
        ("a request that the server does not take", save(unsupported).await),
        ("a write that the server fails at", save(failing.clone()).await),
        ("a read that the server fails at", error(NoteRepo::find("a").on(&failing)).await),
    ]
}

async fn of_connections(db: &Database) -> Cases {
    let (nobody, _) = canned::database(|_| Answer::Refused);
    let (silent, _) = canned::database(|_| Answer::Timeout);
    let cut = Faults::seeded(1).cut_before(1.0).on(db);
    vec![
        ("nobody listens", error(NoteRepo::save(note("a")).on(&nobody)).await),
        ("a connection breaks in a write", error(NoteRepo::save(note("a")).on(&cut)).await),
        ("a connection breaks in a read", error(NoteRepo::find("a").on(&cut)).await),
        ("no answer to a write", error(NoteRepo::save(note("a")).on(&silent)).await),
        ("no answer to a read", error(NoteRepo::find("a").on(&silent)).await),
    ]
}

async fn of_batches(db: &Database) -> Cases {
    let large = Note { text: "x".repeat(500_000), ..note("large") };
    let quick = dynorm::Retry::default().rounds(1).base_delay(std::time::Duration::from_millis(1));
    let throttled = Faults::seeded(1).throttle(1.0).on(db);
    let cut = Faults::seeded(1).cut_before(1.0).on(db);
    let two = || [note("a"), note("b")];
    vec![
        (
            "one item that cannot be stored",
            error(NoteRepo::batch_save([note("a"), large.clone()]).on(db)).await,
        ),
        ("capacity", error(NoteRepo::batch_save(two()).retry(quick).on(&throttled)).await),
        ("no answer, and one that cannot be stored", {
            let all = [note("a"), large, note("b")];
            error(NoteRepo::batch_save(all).retry(quick).on(&cut)).await
        }),
        ("a hook", error(UserRepo::batch_delete(["Ada"]).on(db)).await),
        ("an item that does not fit", error(NoteRepo::batch_get(["a", "odd"]).on(db)).await),
        ("no database", error(NoteRepo::batch_save(two())).await),
    ]
}

async fn of_transactions(db: &Database) -> Cases {
    let stocked = StockRepo::save(stock(9)).on(db).await.unwrap();
    StockRepo::save(&stocked).on(db).await.unwrap();
    let take = |title: &str| NoteRepo::update(title).add(Note::STARS, 1).when(Note::STARS.eq(9));
    let conflict = Faults::seeded(1).conflict(1.0).on(db);
    let cut = Faults::seeded(1).cut_before(1.0).on(db);
    vec![
        ("operations of every kind", {
            let transaction = dynorm::transaction().create(note("a")).update(take("b")).save(&stocked);
            let transaction = transaction.update(NoteRepo::update("none").add(Note::STARS, 1));
            error(transaction.check(NoteRepo::check("odd", Note::STARS.eq(9))).on(db)).await
        }),
        ("an older version, and an update whose condition fails", {
            let transaction = dynorm::transaction().delete(&stocked).update(take("b"));
            error(transaction.on(db)).await
        }),
        ("operations that cannot be sent", {
            let transaction = dynorm::transaction().save(note("")).save(note("a")).save(user(7));
            error(transaction.on(db)).await
        }),
        ("a hook", error(dynorm::transaction().delete(&user(36)).save(note("a")).on(db)).await),
        ("another transaction at an item", {
            error(dynorm::transaction().update(NoteRepo::update("a").add(Note::STARS, 1)).on(&conflict)).await
        }),
        ("no answer", error(dynorm::transaction().save(note("a")).save(note("b")).on(&cut)).await),
    ]
}

async fn of_databases() -> Cases {
    vec![
        ("none", error(NoteRepo::find("a")).await),
        (
            "an endpoint that is no URL",
            error(NoteRepo::find("a").on(&Database::local("localhost:8000"))).await,
        ),
    ]
}
