//! Errors, `Debug`, plans and events contain no values and no sensitive keys, and are single lines of bounded
//! length.

use dynorm::Error;
use dynorm::prelude::*;
use dynorm_tests::canned::{self, Answer};

/// Part of every value that must not appear.
const SECRET: &str = "s3cr3t";

#[derive(Entity, Clone, Debug, Default, PartialEq)]
#[entity(table = "lk_doors")]
struct Door {
    #[entity(partition, sensitive)]
    zone: String,
    #[entity(sort)]
    area: String,
    #[entity(unique, sensitive)]
    code: String,
    text: String,
    #[entity(sensitive)]
    weight: f64,
    #[entity(serde)]
    extra: Vec<String>,
}

fn door() -> Door {
    Door {
        zone: format!("zone-{SECRET}"),
        area: "north".into(),
        code: format!("code-{SECRET}"),
        text: format!("text-{SECRET}"),
        weight: 1.5,
        extra: vec![format!("extra-{SECRET}")],
    }
}

fn key() -> (String, String) {
    (door().zone, door().area)
}

/// All texts of an error.
fn seen(error: &Error) -> String {
    let mut seen = format!("{error} {error:?} {error:#?} {:?}", error.key());
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        seen.push_str(&format!(" {cause} {cause:?} {cause:#?}"));
        next = cause.source();
    }
    for failed in error.failed_operations() {
        seen.push_str(&format!(" {failed} {failed:?} {}", self::seen(&failed.reason)));
    }
    for failed in error.failures() {
        seen.push_str(&format!(" {failed:?} {}", self::seen(&failed.reason)));
    }
    seen
}

#[track_caller]
fn assert_quiet(text: &str) {
    assert!(!text.contains(SECRET), "{text}");
}

/// The errors of all operations on this database.
async fn errors(db: &Database) -> Vec<Error> {
    let mut errors = Vec::new();
    macro_rules! ask {
        ($($operation:expr;)*) => {$(
            if let Err(error) = $operation.on(db).await {
                errors.push(Error::from(error));
            }
        )*};
    }
    ask! {
        DoorRepo::save(door());
        DoorRepo::create(door());
        DoorRepo::delete(&door()).when(Door::TEXT.eq(format!("other-{SECRET}")));
        DoorRepo::update(key()).set(Door::TEXT, SECRET).when(Door::CODE.ne(SECRET));
        DoorRepo::update(key()).set(Door::TEXT, SECRET).returning_nothing();
        DoorRepo::upsert(door()).set(Door::TEXT, SECRET);
        DoorRepo::find(key());
        DoorRepo::all();
        DoorRepo::filter(Door::ZONE.eq(door().zone) & Door::TEXT.eq(SECRET)).get_all();
        DoorRepo::batch_save([door()]);
        DoorRepo::batch_delete([key()]);
        DoorRepo::batch_get([key()]);
        DoorRepo::transact_get([key()]);
        dynorm::transaction().save(door()).check(DoorRepo::check(("b", "c"), Door::TEXT.eq(SECRET)));
    }
    errors
}

/// A stored item as a server sends it, with attributes in another order.
fn item() -> String {
    format!(
        r#"{{"text":{{"S":"text-{SECRET}"}},"area":{{"S":"north"}},"zone":{{"S":"zone-{SECRET}"}},"code":{{"S":"code-{SECRET}"}},"weight":{{"S":"{SECRET}"}},"claim":{{"S":"code#{SECRET}"}},"owner":{{"M":{{"area":{{"S":"north"}},"zone":{{"S":"zone-{SECRET}"}}}}}}}}"#
    )
}

/// The answers of servers, correct and malformed.
fn answers() -> Vec<Answer> {
    let item = item();
    let cancelled = |code: &str| {
        let reason = format!(r#"{{"Code":"{code}","Message":"no","Item":{item}}}"#);
        let none = r#"{"Code":"None"}"#;
        vec![format!("{reason},{none},{none}"), format!("{none},{reason},{none}")]
    };
    let mut answers = vec![
        Answer::Cut,
        Answer::Refused,
        Answer::Timeout,
        Answer::throttled(),
        Answer::ok(item.clone()),
        Answer::ok(format!("<html>{SECRET}</html>")),
        Answer::Json(503, format!("<html>{SECRET}</html>")),
        Answer::Json(413, SECRET.to_owned()),
        Answer::Json(
            400,
            format!(r#"{{"__type":"x#ConditionalCheckFailedException","message":"no","Item":{item}}}"#),
        ),
        Answer::ok(format!(
            r#"{{"Item":{item},"Attributes":{item},"Items":[{item}],"Count":1,"Responses":{{"lk_doors":[{item}]}},"UnprocessedItems":{{"lk_doors":[{{"PutRequest":{{"Item":{item}}}}}]}}}}"#
        )),
        Answer::ok(format!(r#"{{"Responses":[{{"Item":{item}}}],"UnprocessedItems":{{"{SECRET}":7}}}}"#)),
    ];
    for code in ["ConditionalCheckFailed", "TransactionConflict", "ValidationError"] {
        for reasons in cancelled(code) {
            let body =
                format!(r#"{{"__type":"x#TransactionCanceledException","CancellationReasons":[{reasons}]}}"#);
            answers.push(Answer::Json(400, body));
        }
    }
    answers
}

#[tokio::test(start_paused = true)]
async fn no_error_shows_a_value() {
    for answer in answers() {
        let shown = answer.clone();
        let (db, _) = canned::database(move |_| answer.clone());
        let errors = errors(&db).await;
        assert!(!errors.is_empty(), "{shown:?}");
        for error in errors {
            assert_quiet(&seen(&error));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_unique_conflict_pairs_names_and_values() {
    let reason = format!(r#"{{"Code":"ConditionalCheckFailed","Item":{}}}"#, item());
    let body = format!(
        r#"{{"__type":"x#TransactionCanceledException","CancellationReasons":[{{"Code":"None"}},{reason}]}}"#
    );
    let (db, _) = canned::database(move |_| Answer::Json(400, body.clone()));
    let error = DoorRepo::create(door()).on(&db).await.unwrap_err();
    assert!(error.is_unique_conflict());
    assert!(error.to_string().contains("by `Door` with zone = …, area = north"), "{error}");
}

#[tokio::test]
async fn numbers_out_of_range_are_not_shown_where_they_may_be_sensitive() {
    let (db, requests) = canned::database(|_| Answer::written());
    let huge = 1.25e300;
    let mut said = vec![
        format!("{:?}", DoorRepo::save(Door { weight: huge, ..door() }).on(&db).await.unwrap_err()),
        format!("{:?}", DoorRepo::update(key()).set(Door::WEIGHT, huge).on(&db).await.unwrap_err()),
        format!("{:?}", DoorRepo::update(key()).add(Door::WEIGHT, huge).on(&db).await.unwrap_err()),
    ];
    let condition = || Door::WEIGHT.gt(huge);
    let error = DoorRepo::update(key()).set(Door::TEXT, "x").when(condition()).on(&db).await.unwrap_err();
    said.push(format!("{error:?}"));
    said.push(format!("{:?}", DoorRepo::scan().filter(condition()).on(&db).get_all().await.unwrap_err()));
    let explained = DoorRepo::scan().filter(condition()).explain();
    said.push(format!("{explained} {explained:?} {:?}", condition()));
    for text in said {
        assert!(!text.contains("e300"), "{text}");
    }
    assert!(requests.is_empty());
}

#[tokio::test]
async fn plans_builders_and_cursors_show_no_values() {
    let query = || {
        DoorRepo::filter(Door::ZONE.eq(door().zone) & Door::AREA.begins_with(SECRET) & Door::TEXT.eq(SECRET))
    };
    let explained = query().explain();
    assert_quiet(&format!("{explained} {explained:?} {explained:#?}"));
    assert_quiet(&format!("{:?} {:?} {:?}", query(), DoorRepo::save(door()), DoorRepo::find(key())));
    assert_quiet(&format!(
        "{:?} {:?} {:?} {:?}",
        DoorRepo::update(key()).set(Door::TEXT, SECRET).when(Door::TEXT.eq(SECRET)),
        DoorRepo::delete(&door()).when(Door::CODE.eq(SECRET)),
        DoorRepo::batch_save([door()]),
        dynorm::transaction().save(door()).check(DoorRepo::check(key(), Door::TEXT.eq(SECRET))),
    ));
    let near = format!("1{}%", "x".repeat(5_000_000));
    let error = near.parse::<dynorm::Cursor>().unwrap_err();
    assert!(error.is_invalid_cursor() && format!("{error} {error:?}").len() < 500);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_no_url_is_told_and_nothing_was_applied() {
    for endpoint in ["not a url", "http://", "http://[", "", "ht!tp://x", "localhost:8000"] {
        let (client, requests) = canned::client(|_| Answer::written());
        let open = || {
            let config = client.config().to_builder().endpoint_url(endpoint).build();
            Database::new(dynorm::aws::Client::from_conf(config))
        };
        // For some of them the SDK panics when it builds the client.
        let Ok(db) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(open)) else { continue };
        let errors = errors(&db).await;
        if requests.is_empty() {
            assert!(!errors.is_empty(), "{endpoint:?}");
        }
        for error in errors {
            assert_quiet(&seen(&error));
            assert!(error.outcome_known() && !error.is_retryable(), "{endpoint:?}: {error:?}");
        }
    }
}

#[tokio::test]
async fn what_others_wrote_stays_on_one_line() {
    let hostile = "a\nERROR all is lost\r\u{1b}[2J\u{202e}txt\u{0}\u{2028}";
    let (db, _) = canned::database(move |_| Answer::error(400, "ValidationException", hostile));
    let errors = [
        DoorRepo::find((hostile, hostile)).on(&db).await.unwrap_err(),
        Error::from(DoorRepo::batch_delete([(hostile, hostile)]).on(&db).await.unwrap_err()),
        DoorRepo::scan().filter(dynorm::field(hostile).eq(1)).on(&db).get_all().await.unwrap_err(),
        hostile.parse::<dynorm::Cursor>().unwrap_err(),
    ];
    for error in errors {
        let text = format!("{error} {:?}", error.key());
        assert!(
            !text.contains(|character: char| character.is_control() || character == '\u{202e}'),
            "{text:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_error_of_a_large_batch_is_short() {
    let (db, _) = canned::database(|_| Answer::error(400, "AccessDeniedException", "no"));
    let keys: Vec<(String, String)> = (0..20_000).map(|n| (n.to_string(), "x".repeat(900))).collect();
    let error = DoorRepo::batch_get(keys).on(&db).await.unwrap_err();
    assert_eq!(error.failures().len(), 20_000);
    assert!(format!("{error:?}").len() < 40_000);
    let error = Error::from(error);
    assert!(format!("{error} {error:?}").len() < 10_000);
}
