//! TTL of tables: enabled on new tables, compared on existing ones, and enabled there on request.

use aws_sdk_dynamodb::types::{TimeToLiveSpecification, TimeToLiveStatus};
use dynorm::Error;
use dynorm::prelude::*;
use dynorm_tests::canned::{self, Answer};
use dynorm_tests::{database, keep_expired};

#[derive(Entity, Clone, Debug, Default, PartialEq)]
#[entity(table = "visits")]
struct Visit {
    #[entity(partition)]
    name: String,
    #[entity(ttl, rename = "endsAt")]
    ends_at: Option<Timestamp>,
}

/// The same table before its items had an expiry.
#[derive(Entity, Clone, Debug, Default, PartialEq)]
#[entity(table = "visits")]
struct Former {
    #[entity(partition)]
    name: String,
}

#[derive(Entity, Clone, Debug, Default, PartialEq)]
#[entity(table = "visits")]
struct Other {
    #[entity(partition)]
    name: String,
    #[entity(ttl)]
    until: Option<Timestamp>,
}

async fn ttl(db: &Database) -> Option<String> {
    let answer = db.client().describe_time_to_live().table_name(db.table_name::<Visit>());
    let found = answer.send().await.unwrap().time_to_live_description.unwrap();
    match found.time_to_live_status {
        Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling) => found.attribute_name,
        _ => None,
    }
}

async fn switch_on(db: &Database, attribute: &str) {
    let specification =
        TimeToLiveSpecification::builder().attribute_name(attribute).enabled(true).build().unwrap();
    let update = db.client().update_time_to_live().table_name(db.table_name::<Visit>());
    update.time_to_live_specification(specification).send().await.unwrap();
}

#[tokio::test]
async fn a_table_that_is_created_has_it() {
    let db = database();
    db.create_table::<Visit>().await.unwrap();
    assert_eq!(ttl(&db).await.as_deref(), Some("endsAt"));
    db.create_table::<Visit>().await.unwrap();
    db.enable_ttl::<Visit>().await.unwrap();
    // An entity without `ttl` does not compare it.
    db.create_table::<Former>().await.unwrap();

    let db = database();
    db.create_table::<Former>().await.unwrap();
    assert_eq!(ttl(&db).await, None);
}

#[tokio::test]
async fn it_is_switched_on_for_an_existing_table_when_asked_for() {
    let db = database();
    let error = db.enable_ttl::<Visit>().await.unwrap_err();
    assert!(matches!(error, Error::TableNotFound(_)), "{error:?}");
    db.create_table::<Former>().await.unwrap();
    let error = db.create_table::<Visit>().await.unwrap_err();
    assert!(matches!(error, Error::TableMismatch(_)));
    assert_eq!(
        error.to_string(),
        format!(
            "the table `{}` exists and differs from what `Visit` says: TTL is off, not on by the attribute `endsAt`: \
             call `db.enable_ttl::<Visit>().await`, and DynamoDB deletes what has expired",
            db.table_name::<Visit>()
        )
    );
    assert_eq!(ttl(&db).await, None, "it is not switched on by the way");
    db.enable_ttl::<Visit>().await.unwrap();
    assert_eq!(ttl(&db).await.as_deref(), Some("endsAt"));
    db.create_table::<Visit>().await.unwrap();

    let (over, requests) = canned::over(&db, |_| Answer::Engine);
    over.enable_ttl::<Visit>().await.unwrap();
    assert_eq!(requests.targets(), ["DescribeTimeToLive"], "nothing is changed that is as it should be");
}

#[tokio::test]
async fn another_attribute_is_a_difference() {
    let db = database();
    db.create_table::<Former>().await.unwrap();
    switch_on(&db, "old").await;
    for error in [db.create_table::<Visit>().await.unwrap_err(), db.enable_ttl::<Visit>().await.unwrap_err()]
    {
        assert!(matches!(error, Error::TableMismatch(_)), "{error:?}");
        assert!(
            error.to_string().ends_with(
                "TTL is on by the attribute `old`, not by `endsAt`: a table has one, so switch that off \
                (`UpdateTimeToLive`; it takes up to an hour) and then call \
                `db.enable_ttl::<Visit>().await`, or store the field as `old`"
            ),
            "{error}"
        );
    }
    keep_expired::<Visit>(&db).await;
    db.enable_ttl::<Visit>().await.unwrap();
    assert_eq!(ttl(&db).await.as_deref(), Some("endsAt"));
}

#[tokio::test]
async fn entities_that_share_a_table_agree_on_it() {
    let db = database();
    let error = db.create_table::<Visit>().with::<Former>().with::<Other>().await.unwrap_err();
    assert!(matches!(error, Error::Configuration(_)), "{error:?}");
    assert_eq!(
        error.to_string(),
        "`Visit` expires by the attribute `endsAt` and `Other` by `until`, and the table `visits` that they \
        share has one TTL: store both under one name, by `#[entity(rename = \"endsAt\")]`"
    );
    db.create_table::<Former>().with::<Visit>().await.unwrap();
    assert_eq!(ttl(&db).await.as_deref(), Some("endsAt"));
}

#[tokio::test]
async fn of_several_who_create_a_table_none_is_told_that_it_differs() {
    let db = database();
    let creations = (0..6).map(|_| db.create_table::<Visit>().into_future());
    for created in futures_util::future::join_all(creations).await {
        created.unwrap();
    }
}

const TABLE: &str = r#"{"TableName":"visits","TableStatus":"ACTIVE","KeySchema":[{"AttributeName":"name","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"name","AttributeType":"S"}]}"#;

/// A server whose table is `age` seconds old, and whose TTL has each of these states in turn.
fn server(age: i64, states: &'static [&'static str]) -> (Database, canned::Requests) {
    let asked = std::sync::atomic::AtomicUsize::new(0);
    canned::database(move |request| match request.target.as_str() {
        "DescribeTable" => {
            let created = Timestamp::now().unix_micros() / 1_000_000 - age;
            let table = TABLE.replacen('{', &format!(r#"{{"CreationDateTime":{created},"#), 1);
            Answer::ok(format!(r#"{{"Table":{table}}}"#))
        }
        "DescribeTimeToLive" => {
            let number = asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let status = states[number.min(states.len() - 1)];
            Answer::ok(format!(
                r#"{{"TimeToLiveDescription":{{"TimeToLiveStatus":"{status}","AttributeName":"endsAt"}}}}"#
            ))
        }
        "UpdateTimeToLive" => Answer::error(400, "ValidationException", "TimeToLive is already enabled"),
        other => Answer::error(400, "UnknownOperationException", other),
    })
}

#[tokio::test]
async fn the_states_in_between() {
    server(100, &["ENABLING"]).0.create_table::<Visit>().await.unwrap();
    let (db, requests) = server(100, &["DISABLED", "ENABLED"]);
    assert!(matches!(db.create_table::<Visit>().await.unwrap_err(), Error::TableMismatch(_)));
    assert_eq!(requests.of("DescribeTimeToLive").len(), 1);
    // Another program is creating the table.
    server(1, &["DISABLED", "DISABLED", "ENABLING"]).0.create_table::<Visit>().await.unwrap();

    let (db, requests) = server(100, &["DISABLED", "ENABLING"]);
    db.enable_ttl::<Visit>().await.unwrap();
    assert_eq!(requests.targets(), ["DescribeTimeToLive", "UpdateTimeToLive", "DescribeTimeToLive"]);
    let error = server(100, &["DISABLING"]).0.enable_ttl::<Visit>().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "switching on the TTL of the table `visits` of `Visit`: the server refused the request: \
        ValidationException: TimeToLive is already enabled"
    );
}

#[tokio::test]
async fn a_server_that_has_no_ttl_is_told_of() {
    let (db, _) = canned::database(|request| match request.target.as_str() {
        "DescribeTable" => Answer::ok(format!(r#"{{"Table":{TABLE}}}"#)),
        _ => Answer::error(400, "UnknownOperationException", "not here"),
    });
    db.create_table::<Former>().await.unwrap();
    let error = db.create_table::<Visit>().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "looking up the TTL of the table `visits` of `Visit`: the server refused the request: \
        UnknownOperationException: not here"
    );
}
