//! Error messages: each says what happened, to which entity, table and key, and what to do.

use std::error::Error as _;

use aws_sdk_dynamodb::types::AttributeValue;
use dynorm::Error;
use dynorm::prelude::*;
use dynorm_tests::canned::{self, Answer};
use dynorm_tests::database;

#[derive(Entity, Clone, Debug, PartialEq)]
struct Note {
    #[entity(partition)]
    title: String,
    #[entity(index = "by_author")]
    author: Option<String>,
    text: String,
    rating: f64,
}

#[derive(Entity, Clone, Debug, PartialEq)]
struct Login {
    #[entity(partition, sensitive)]
    token: String,
    #[entity(sort)]
    device: String,
}

#[derive(Attribute, Clone, Debug, PartialEq)]
struct Line {
    price: u32,
}

#[derive(Entity, Clone, Debug, PartialEq)]
struct Invoice {
    #[entity(partition)]
    number: u32,
    lines: Vec<Line>,
}

fn note(title: &str) -> Note {
    Note { title: title.to_owned(), author: None, text: "tea".to_owned(), rating: 5.0 }
}

async fn notes() -> Database {
    let db = database();
    db.create_table::<Note>().await.unwrap();
    db
}

#[tokio::test]
async fn what_dynamodb_would_refuse_is_refused_before_it_is_sent() {
    // Nothing listens there, so a request would fail in another way.
    let db = Database::local("http://127.0.0.1:1");
    let refused = async |note: Note| {
        let error = NoteRepo::save(note).on(&db).await.unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{error:?}");
        assert!(error.outcome_known());
        assert!(!error.is_retryable());
        error.to_string()
    };
    assert_eq!(
        refused(note("")).await,
        "`Note` in the table `notes` cannot be stored: title: the partition key of the table cannot be empty"
    );
    assert_eq!(
        refused(Note { author: Some(String::new()), ..note("a") }).await,
        "`Note` in the table `notes` cannot be stored: author: the partition key of the index `by_author` \
        cannot be empty"
    );
    assert_eq!(
        refused(note(&"x".repeat(2049))).await,
        "`Note` in the table `notes` cannot be stored: title: the partition key of the table takes at most \
        2048 bytes, and this has 2049"
    );
    assert_eq!(
        refused(Note { rating: f64::NAN, ..note("a") }).await,
        "`Note` in the table `notes` cannot be stored: rating: NaN is not a number that DynamoDB holds"
    );
    assert_eq!(
        refused(Note { rating: f64::MAX, ..note("a") }).await,
        "`Note` in the table `notes` cannot be stored: rating: the number 1.7976931348623157e308 is outside \
        the range of DynamoDB, 1E-130 to 9.99…E+125 in magnitude"
    );
    assert_eq!(
        refused(Note { text: "x".repeat(409_600), ..note("a") }).await,
        "`Note` with title = a in the table `notes` cannot be stored: the item has 409618 bytes, and \
        DynamoDB takes 409600 (400 KB); the largest attribute is `text` with 409604 bytes"
    );
}

#[tokio::test]
async fn the_largest_item_and_the_longest_keys_are_stored() {
    let db = notes().await;
    let title = "t".repeat(2048);
    let room = 409_600 - ("title".len() + title.len() + "text".len() + "rating".len() + 2);
    let largest = Note { text: "x".repeat(room), ..note(&title) };
    let saved = NoteRepo::save(&largest).on(&db).await.unwrap();
    assert_eq!(NoteRepo::get(&title).on(&db).await.unwrap(), saved);
    let larger = Note { text: "x".repeat(room + 1), ..largest };
    assert!(matches!(NoteRepo::save(&larger).on(&db).await.unwrap_err(), Error::Invalid(_)));
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let db = notes().await;
    let error = NoteRepo::get("Shopping").on(&db).await.unwrap_err();
    assert!(error.is_not_found());
    assert_eq!(error.entity(), Some("Note"));
    assert_eq!(error.key(), Some("title = Shopping"));
    assert_eq!(
        error.to_string(),
        format!("there is no `Note` with title = Shopping in the table `{}`", db.table_name::<Note>())
    );
    db.create_table::<Login>().await.unwrap();
    let error = LoginRepo::get(("secret", "phone")).on(&db).await.unwrap_err();
    assert_eq!(error.key(), Some("token = …, device = phone"));
    assert!(!format!("{error} {error:?}").contains("secret"));
}

#[tokio::test]
async fn a_missing_table_is_named_with_the_remedy() {
    let db = database();
    let table = db.table_name::<Note>();
    let expected = format!(
        "the table `{table}` does not exist; create it with `db.create_table::<Note>().await`, or check the \
        region, the endpoint and the table prefix"
    );
    for error in [
        NoteRepo::save(note("a")).on(&db).await.unwrap_err(),
        NoteRepo::find("a").on(&db).await.unwrap_err(),
        NoteRepo::delete_by_id("a").on(&db).await.unwrap_err(),
        NoteRepo::all().on(&db).await.unwrap_err(),
        NoteRepo::count().on(&db).await.unwrap_err(),
        NoteRepo::by_author("Ada").get_all().on(&db).await.unwrap_err(),
    ] {
        assert!(matches!(error, Error::TableNotFound(_)), "{error:?}");
        assert_eq!(error.to_string(), expected);
        assert_eq!(error.table(), Some(table.as_str()));
    }
    let error: Error = NoteRepo::batch_save([note("a"), note("b")]).on(&db).await.unwrap_err().into();
    assert_eq!(error.failures().len(), 2);
    assert_eq!(error.failures()[0].fate, dynorm::Fate::NotSent);
    assert_eq!(error.source().unwrap().to_string(), expected);
    assert_eq!(
        error.to_string(),
        format!(
            "saving `Note` in the table `{table}`: 2 of 2 items are not done; the first is #0 (not sent) \
            with title = a"
        )
    );
}

#[tokio::test]
async fn an_item_that_does_not_fit_says_where() {
    let db = database();
    db.create_table::<Invoice>().await.unwrap();
    let line = |price: AttributeValue| AttributeValue::M([("price".to_owned(), price)].into());
    let put = async |number: &str, lines: AttributeValue| {
        let put = db.client().put_item().table_name(db.table_name::<Invoice>());
        let put = put.item("number", AttributeValue::N(number.to_owned())).item("lines", lines);
        put.send().await.unwrap();
    };
    let good = line(AttributeValue::N("1".to_owned()));
    put("1", AttributeValue::L(vec![good.clone(), line(AttributeValue::S("2".to_owned()))])).await;
    put("2", AttributeValue::L(vec![good, line(AttributeValue::N("-2".to_owned()))])).await;
    put("3", AttributeValue::S("none".to_owned())).await;
    let table = db.table_name::<Invoice>();
    for (number, problem) in [
        (1, "lines[1].price: expected a number, found a string"),
        (2, "lines[1].price: the number does not fit u32"),
        (3, "lines: expected a list, found a string"),
    ] {
        let error = InvoiceRepo::get(number).on(&db).await.unwrap_err();
        assert!(matches!(error, Error::Undecodable(_)));
        assert_eq!(
            error.to_string(),
            format!(
                "an item that should be `Invoice` with number = {number} in the table `{table}` does not \
                fit the struct: {problem}"
            )
        );
    }
    let error = InvoiceRepo::all().on(&db).await.unwrap_err().to_string();
    assert!(error.contains("does not fit the struct: invoices["), "{error}");
    let error = InvoiceRepo::batch_get([1, 2, 4]).on(&db).await.unwrap_err();
    assert_eq!(error.failures().iter().map(|failure| failure.index).collect::<Vec<_>>(), [0, 1]);
    assert!(error.failures()[0].reason.to_string().contains("lines[1].price"));
}

#[tokio::test]
async fn a_missing_attribute_is_named() {
    let db = database();
    db.create_table::<Invoice>().await.unwrap();
    let put = db.client().put_item().table_name(db.table_name::<Invoice>());
    put.item("number", AttributeValue::N("1".to_owned())).send().await.unwrap();
    let error = InvoiceRepo::get(1).on(&db).await.unwrap_err().to_string();
    assert!(
        error.ends_with(
            "lines: the attribute is missing; make the field an `Option` or give it a `default` if it may be"
        ),
        "{error}"
    );
}

#[tokio::test]
async fn nobody_listening_is_known_not_to_have_written() {
    let db = Database::local("http://127.0.0.1:1");
    let error = NoteRepo::save(note("a")).on(&db).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
    assert!(error.outcome_known());
    assert!(error.is_retryable());
    assert_eq!(error.to_string(), "saving `Note` with title = a in the table `notes`: nobody answers");
    let chain = format!("{:#}", anyhow::Error::from(error));
    assert!(chain.contains("Connection refused"), "{chain}");
}

#[tokio::test]
async fn a_client_without_credentials_is_told_so() {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::latest())
        .region(aws_sdk_dynamodb::config::Region::new("us-east-1"))
        .endpoint_url("http://127.0.0.1:1")
        .build();
    let db = Database::new(aws_sdk_dynamodb::Client::from_conf(config));
    let error = NoteRepo::find("a").on(&db).await.unwrap_err();
    assert!(matches!(error, Error::Credentials(_)), "{error:?}");
    assert!(
        error
            .to_string()
            .starts_with("reading `Note` with title = a in the table `notes`: no valid credentials")
    );
}

#[tokio::test]
async fn without_a_database_there_is_an_error_and_no_panic() {
    for error in [
        NoteRepo::find("a").await.unwrap_err(),
        NoteRepo::batch_save([note("a")]).await.unwrap_err().into(),
        NoteRepo::batch_get(["a"]).await.unwrap_err().into(),
        NoteRepo::batch_delete(["a"]).await.unwrap_err().into(),
    ] {
        let chain = format!("{:#}", anyhow::Error::from(error));
        assert!(chain.contains("no database: call `db.install()` once at the start"), "{chain}");
    }
}

#[tokio::test]
async fn errors_are_small_and_travel() {
    fn travels<T: Send + Sync + 'static>() {}
    travels::<Error>();
    travels::<dynorm::batch::BatchSaveError<Note>>();
    assert!(std::mem::size_of::<Error>() <= 16);
    assert!(std::mem::size_of::<dynorm::batch::BatchSaveError<Note>>() <= 8);
}

#[tokio::test]
async fn an_endpoint_that_is_no_url_is_told_before_anything_is_sent() {
    for endpoint in ["", "localhost:8000", "http://"] {
        let db = Database::local(endpoint);
        let expected =
            format!("the endpoint {endpoint:?} is not a URL: write one such as http://localhost:8000");
        for error in [
            NoteRepo::find("a").on(&db).await.unwrap_err(),
            db.create_table::<Note>().await.unwrap_err(),
            db.delete_table::<Note>().await.unwrap_err(),
        ] {
            assert!(matches!(error, Error::Configuration(_)));
            assert_eq!(error.to_string(), expected);
        }
    }
}

#[tokio::test]
async fn what_main_prints_is_the_message_and_its_causes() {
    let error = NoteRepo::save(note("a")).on(&Database::local("http://127.0.0.1:1")).await.unwrap_err();
    let text = format!("{error:?}");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "saving `Note` with title = a in the table `notes`: nobody answers");
    assert!(lines[1].starts_with("    caused by: "), "{text}");
    assert!(lines.last().is_some_and(|line| line.contains("Connection refused")), "{text}");
    let error = Database::local("http://127.0.0.1:1").create_table::<Note>().await.unwrap_err();
    assert_eq!(error.to_string(), "creating the table `notes` of `Note`: nobody answers");
}

#[tokio::test]
async fn every_answer_of_a_server_has_its_error() {
    let doing = "saving `Note` with title = a in the table `notes`";
    let error = |code: &'static str| Answer::error(400, code, "why");
    type Question = fn(&Error) -> bool;
    let cases: [(Answer, Question, String, bool, bool); 9] = [
        (
            Answer::throttled(),
            Error::is_throttled,
            format!(
                "{doing}: throttled: ProvisionedThroughputExceededException: The level of configured \
                provisioned throughput for the table was exceeded; try again later, or raise the capacity \
                of the table"
            ),
            true,
            true,
        ),
        (
            error("TransactionConflictException"),
            |error| matches!(error, Error::Conflict(_)),
            format!(
                "{doing}: another write is at the same item: TransactionConflictException: why; try again"
            ),
            true,
            true,
        ),
        (
            error("AccessDeniedException"),
            |error| matches!(error, Error::AccessDenied(_)),
            format!("{doing}: access denied: AccessDeniedException: why"),
            false,
            true,
        ),
        (
            error("ExpiredTokenException"),
            |error| matches!(error, Error::Credentials(_)),
            format!(
                "{doing}: no valid credentials: ExpiredTokenException: why; set AWS_ACCESS_KEY_ID and \
                AWS_SECRET_ACCESS_KEY, log in with the AWS CLI, or give the SDK client credentials of its own"
            ),
            false,
            true,
        ),
        (
            error("ValidationException"),
            |error| matches!(error, Error::Rejected(_)),
            format!("{doing}: the server refused the request: ValidationException: why"),
            false,
            true,
        ),
        (
            error("ConditionalCheckFailedException"),
            Error::is_condition_failed,
            format!("{doing}: the condition does not hold, and nothing was changed"),
            false,
            true,
        ),
        (
            Answer::error(500, "InternalServerError", "why"),
            |error| matches!(error, Error::Server(_)),
            format!(
                "{doing}: the server failed: InternalServerError: why; it may or may not have been applied"
            ),
            true,
            false,
        ),
        (
            Answer::Timeout,
            |error| matches!(error, Error::Timeout(_)),
            format!("{doing}: no answer came in time; it may or may not have been applied"),
            true,
            false,
        ),
        (
            Answer::Cut,
            |error| matches!(error, Error::Unreachable(_)),
            format!("{doing}: nobody answers; it may or may not have been applied"),
            true,
            false,
        ),
    ];
    for (answer, question, text, is_retryable, outcome_known) in cases {
        let (db, _) = canned::database(move |_| answer.clone());
        let error = NoteRepo::save(note("a")).on(&db).await.unwrap_err();
        assert_eq!(error.to_string(), text);
        assert!(question(&error), "{error:?}");
        assert_eq!((error.is_retryable(), error.outcome_known()), (is_retryable, outcome_known), "{error}");
        assert_eq!(
            (error.entity(), error.table(), error.key()),
            (Some("Note"), Some("notes"), Some("title = a"))
        );
    }
}

#[tokio::test]
async fn a_server_that_gives_one_page_for_ever_is_stopped() {
    let (db, requests) =
        canned::database(|_| Answer::ok(r#"{"Items":[],"Count":0,"LastEvaluatedKey":{"title":{"S":"a"}}}"#));
    let error = NoteRepo::all().on(&db).await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.ends_with("the server returns the same page again and again: a page ends at title = a"),
        "{text}"
    );
    assert_eq!(requests.len(), 2);
    let (db, _) = canned::database(|_| Answer::ok(r#"{"Items":[],"Count":0,"LastEvaluatedKey":null}"#));
    assert!(NoteRepo::all().on(&db).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_condition_that_cannot_be_written_is_refused() {
    let db = Database::local("http://127.0.0.1:1");
    let error =
        NoteRepo::by_author("Ada").filter(Note::RATING.gt(f64::NAN)).get_all().on(&db).await.unwrap_err();
    assert!(matches!(error, Error::Invalid(_)), "{error:?}");
    let error =
        NoteRepo::by_author("Ada").filter(Note::RATING.is_in([0.0; 0])).get_all().on(&db).await.unwrap_err();
    assert!(
        error.to_string().contains("`is_in` on `rating` was given no values, so nothing can match"),
        "{error}"
    );
    let error = NoteRepo::by_author("").get_all().on(&db).await.unwrap_err();
    assert!(
        error.to_string().contains("the partition key of the index `by_author` cannot be empty"),
        "{error}"
    );
}

#[tokio::test]
async fn an_index_key_that_is_too_long_is_refused_before_the_engine_refuses_it() {
    let db = notes().await;
    let author = "a".repeat(2049);
    let error = NoteRepo::save(Note { author: Some(author.clone()), ..note("a") }).on(&db).await.unwrap_err();
    assert!(
        error.to_string().ends_with(
            "author: the partition key of the index `by_author` takes at most 2048 bytes, and this has 2049"
        ),
        "{error}"
    );
    let put = db.client().put_item().table_name(db.table_name::<Note>());
    let put = put.item("title", AttributeValue::S("a".into())).item("author", AttributeValue::S(author));
    assert!(put.send().await.is_err());
}
