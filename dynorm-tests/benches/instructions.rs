//! Instructions an item, through the whole stack onto a connector that answers at once: dynorm beside what a user would
//! write without it, serde_dynamo and the SDK.
//!
//! `cargo bench -p dynorm-tests --bench instructions` prints a table. Instructions are counted by valgrind's callgrind, so
//! the figures repeat from run to run; each is the difference between a long and a short run, so that starting up does
//! not count. Requests are not signed on either side: valgrind knows no instructions for SHA-256, so it would count
//! thousands where a processor needs few.

use std::collections::{BTreeSet, HashMap};
use std::process::{Command, ExitCode};
use std::sync::Arc;

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, PutRequest, WriteRequest};
use aws_sdk_dynamodb::{Client, Config};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use dynorm::prelude::*;
use serde::{Deserialize, Serialize};

/// The ten-attribute user of the documentation, for dynorm and for serde.
#[derive(Entity, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct User {
    #[entity(id)]
    id: Id<User>,
    #[entity(index = "by_email")]
    email: String,
    first_name: String,
    last_name: String,
    #[entity(index = "by_status")]
    status: Status,
    age: u32,
    tags: BTreeSet<String>,
    address: Option<Address>,
    #[entity(created_at)]
    created_at: Timestamp,
    #[entity(updated_at, index("by_status", sort))]
    updated_at: Timestamp,
}

#[derive(Attribute, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
enum Status {
    #[default]
    Pending,
    Active,
}

#[derive(Attribute, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Address {
    city: String,
    zip: String,
}

/// What is measured: its name, the items of one round, and the two ways of doing it.
struct Case {
    name: &'static str,
    items: u64,
    ways: [Way; 2],
}

/// Its name, and what prepares it.
type Way = (&'static str, fn() -> Round);

/// Does one round of work.
type Round = Box<dyn FnMut(&tokio::runtime::Runtime)>;

const CASES: &[Case] = &[
    Case {
        name: "batch_save of 25",
        items: 25,
        ways: [("dynorm", dynorm_write), ("serde_dynamo + SDK", sdk_write)],
    },
    Case {
        name: "batch_get of 100",
        items: 100,
        ways: [("dynorm", dynorm_read), ("serde_dynamo + SDK", sdk_read)],
    },
];

const SHORT: u64 = 20;
const LONG: u64 = 60;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, flag, case, way, rounds] = arguments.as_slice()
        && flag == "--round"
    {
        return run(case, way, rounds.parse().unwrap_or(1));
    }
    println!("| instructions an item | dynorm | serde_dynamo + SDK | ratio |");
    println!("|---|---:|---:|---:|");
    for case in CASES {
        let mut counts = Vec::new();
        for (way, _) in case.ways {
            match instructions_an_item(case, way) {
                Ok(count) => counts.push(count),
                Err(error) => {
                    eprintln!("{}, {way}: {error}", case.name);
                    return ExitCode::FAILURE;
                }
            }
        }
        if let [ours, theirs] = counts.as_slice() {
            println!("| {} | {ours:.0} | {theirs:.0} | {:.2} |", case.name, ours / theirs);
        }
    }
    ExitCode::SUCCESS
}

fn run(case: &str, way: &str, rounds: u64) -> ExitCode {
    let found = CASES.iter().find(|known| known.name == case);
    let make = found.and_then(|case| case.ways.iter().find(|(name, _)| *name == way));
    let (Some((_, make)), Ok(runtime)) =
        (make, tokio::runtime::Builder::new_current_thread().enable_time().build())
    else {
        return ExitCode::FAILURE;
    };
    let mut round = make();
    for _ in 0..rounds {
        round(&runtime);
    }
    ExitCode::SUCCESS
}

fn instructions_an_item(case: &Case, way: &str) -> Result<f64, String> {
    let short = instructions(case.name, way, SHORT)?;
    let long = instructions(case.name, way, LONG)?;
    #[allow(clippy::cast_precision_loss, reason = "counts far below 2^53")]
    Ok((long - short) as f64 / ((LONG - SHORT) * case.items) as f64)
}

/// Runs this program again under callgrind.
fn instructions(case: &str, way: &str, rounds: u64) -> Result<u64, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(["--round", case, way, &rounds.to_string()])
        .output()
        .map_err(|error| {
            format!("valgrind cannot be run ({error}); install it, e.g. `apt-get install valgrind`")
        })?;
    let report = String::from_utf8_lossy(&output.stderr);
    let collected =
        report.lines().find_map(|line| line.split_once("Collected : ")).map(|(_, count)| count.trim());
    match collected.and_then(|count| count.parse().ok()) {
        Some(count) if output.status.success() => Ok(count),
        _ => Err(format!("the run failed:\n{report}")),
    }
}

fn users(count: u32) -> Vec<User> {
    let user = |n: u32| User {
        id: dynorm::ulid::Ulid(u128::from(n) << 64 | 0x0123_4567_89ab_cdef).into(),
        email: format!("user{n}@example.com"),
        first_name: "Ada".to_owned(),
        last_name: format!("Lovelace-{n}"),
        status: Status::Active,
        age: 18 + n % 60,
        tags: BTreeSet::from(["vip".to_owned(), "newsletter".to_owned()]),
        address: Some(Address { city: "London".to_owned(), zip: format!("{n:05}") }),
        created_at: Timestamp::now(),
        updated_at: Timestamp::now(),
    };
    (1..=count).map(user).collect()
}

fn dynorm_write() -> Round {
    let db = Database::new(client(r#"{"UnprocessedItems":{}}"#.to_owned()));
    let users = users(25);
    Box::new(move |runtime| {
        let saved = runtime.block_on(UserRepo::batch_save(&users).on(&db).into_future());
        assert_eq!(saved.map(|saved| saved.len()).unwrap_or_default(), 25);
    })
}

fn sdk_write() -> Round {
    let client = client(r#"{"UnprocessedItems":{}}"#.to_owned());
    let users = users(25);
    Box::new(move |runtime| {
        runtime.block_on(async {
            let mut writes = Vec::with_capacity(users.len());
            for user in &users {
                let item = serde_dynamo::aws_sdk_dynamodb_1::to_item(user).unwrap_or_default();
                let put = PutRequest::builder().set_item(Some(item)).build().ok();
                writes.push(WriteRequest::builder().set_put_request(put).build());
            }
            let answer = client.batch_write_item().request_items("users", writes).send().await;
            assert!(
                answer.is_ok_and(|answer| answer.unprocessed_items.is_some_and(|items| items.is_empty()))
            );
        });
    })
}

/// The answer to a `BatchGetItem` of 100 users.
fn found(users: &[User]) -> String {
    let items: Vec<String> = users
        .iter()
        .map(|user| {
            let item = dynorm::to_item(user).unwrap_or_default();
            let attributes: Vec<String> =
                item.iter().map(|(name, value)| format!("{name:?}:{}", json(value))).collect();
            format!("{{{}}}", attributes.join(","))
        })
        .collect();
    format!(r#"{{"Responses":{{"users":[{}]}},"UnprocessedKeys":{{}}}}"#, items.join(","))
}

fn json(value: &AttributeValue) -> String {
    match value {
        AttributeValue::S(text) => format!(r#"{{"S":{text:?}}}"#),
        AttributeValue::N(number) => format!(r#"{{"N":{number:?}}}"#),
        AttributeValue::Ss(set) => format!(r#"{{"SS":{set:?}}}"#),
        AttributeValue::M(map) => {
            let entries: Vec<String> =
                map.iter().map(|(name, value)| format!("{name:?}:{}", json(value))).collect();
            format!(r#"{{"M":{{{}}}}}"#, entries.join(","))
        }
        _ => String::from("null"),
    }
}

fn dynorm_read() -> Round {
    let users = users(100);
    let db = Database::new(client(found(&users)));
    let ids: Vec<Id<User>> = users.iter().map(|user| user.id).collect();
    Box::new(move |runtime| {
        let found = runtime.block_on(UserRepo::batch_get(&ids).on(&db).into_future());
        assert_eq!(found.map(|found| found.len()).unwrap_or_default(), 100);
    })
}

fn sdk_read() -> Round {
    let users = users(100);
    // For serde, an enum is its variant's name.
    let client =
        client(found(&users).replace(r#""active""#, r#""Active""#).replace(r#""pending""#, r#""Pending""#));
    let ids: Vec<String> = users.iter().map(|user| user.id.to_string()).collect();
    Box::new(move |runtime| {
        runtime.block_on(async {
            let key = |id: &String| HashMap::from([("id".to_owned(), AttributeValue::S(id.clone()))]);
            let keys = KeysAndAttributes::builder().set_keys(Some(ids.iter().map(key).collect())).build();
            let request = client
                .batch_get_item()
                .set_request_items(keys.ok().map(|keys| HashMap::from([("users".to_owned(), keys)])));
            let answer = request.send().await.ok().and_then(|answer| answer.responses);
            let items = answer.and_then(|mut tables| tables.remove("users")).unwrap_or_default();
            let mut users: HashMap<String, User> = HashMap::with_capacity(items.len());
            for item in items {
                if let Ok(user) = serde_dynamo::aws_sdk_dynamodb_1::from_item::<User>(item) {
                    users.insert(user.id.to_string(), user);
                }
            }
            // In the order of the ids, as dynorm gives them.
            let found: Vec<User> = ids.iter().filter_map(|id| users.remove(id)).collect();
            assert_eq!(found.len(), 100);
        });
    })
}

/// A client whose every request is answered at once, and with the same text.
fn client(answer: String) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .allow_no_auth()
        .endpoint_url("http://localhost")
        .retry_config(RetryConfig::disabled())
        .http_client(Stub { answer: answer.into() })
        .build();
    Client::from_conf(config)
}

#[derive(Clone, Debug)]
struct Stub {
    answer: Arc<str>,
}

impl HttpClient for Stub {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Stub {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let body = SdkBody::from(self.answer.as_bytes());
        let response = StatusCode::try_from(200).map(|status| HttpResponse::new(status, body));
        HttpConnectorFuture::ready(response.map_err(|error| {
            aws_smithy_runtime_api::client::result::ConnectorError::other(error.into(), None)
        }))
    }
}
