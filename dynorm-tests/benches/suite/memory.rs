//! Memory: the peak of streams of a million items, of items of several sizes, and of queries compared with
//! `get_all`; and the number of allocations.
//!
//! A stream that exceeds its limit fails: 64 MB for a batch, 10 MB for a query. Each row is measured in its
//! own process, with the multi-threaded runtime and the signing client of a user, in real time. The server is
//! in the same process, takes a millisecond for each request, and stores nothing. The peak is `VmHWM` after
//! the stream minus `VmRSS` before it, as Linux counts them. It includes pages of the program that are first
//! used meanwhile; the row of a single request shows their size. The server's allocations for an answer are
//! subtracted.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::{Client, Config};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use dynorm::prelude::*;
use dynorm::testing::Faults;
use futures_util::StreamExt as _;

use crate::results::Row;
use crate::work::{allocations_of, allocations_so_far};

/// The limit for the stream of a batch of any length.
const BATCH_BOUND: u64 = 64_000_000;

/// The limit for a query of one partition: two pages of 1 MB, one and a half times as large as entities of 1
/// KB; the answer being read, at worst twice; the memory of a program's first request; and a third of all
/// that in reserve.
const QUERY_BOUND: u64 = 10_000_000;

/// DynamoDB ends a page after reading this much.
const PAGE_BYTES: usize = 1024 * 1024;

/// The server's time for a request.
const ROUND_TRIP: Duration = Duration::from_millis(1);

const CASES: &[Case] = &[
    Case { name: "save, a single request", items: 25, way: Way::Save, note: 50 },
    Case { name: "save, ten attributes", items: 1_000_000, way: Way::Save, note: 50 },
    Case { name: "save, and a fifth comes back", items: 1_000_000, way: Way::SaveAgain, note: 50 },
    Case { name: "save, 10 KB", items: 100_000, way: Way::Save, note: 10_000 },
    Case { name: "save, 350 KB", items: 3_000, way: Way::Save, note: 350_000 },
    Case { name: "get, ten attributes", items: 1_000_000, way: Way::Get, note: 50 },
    Case { name: "get, 10 KB", items: 100_000, way: Way::Get, note: 10_000 },
    Case { name: "query, a single page", items: 10, way: Way::Query, note: 850 },
    Case { name: "query, 1 KB", items: 10_000, way: Way::Query, note: 850 },
    Case { name: "query, 1 KB, ten times as many", items: 100_000, way: Way::Query, note: 850 },
    Case { name: "query by `get_all`, 1 KB", items: 10_000, way: Way::QueryAll, note: 850 },
    Case {
        name: "query by `get_all`, 1 KB, ten times as many",
        items: 100_000,
        way: Way::QueryAll,
        note: 850,
    },
];

struct Case {
    name: &'static str,
    items: u64,
    way: Way,
    /// The length of the longest attribute.
    note: usize,
}

#[derive(Clone, Copy)]
enum Way {
    Save,
    /// A fifth of the items sent comes back unprocessed.
    SaveAgain,
    Get,
    Query,
    /// Not a stream: its memory grows with the number of items.
    QueryAll,
}

impl Way {
    fn bound(self) -> Option<u64> {
        match self {
            Self::Save | Self::SaveAgain | Self::Get => Some(BATCH_BOUND),
            Self::Query => Some(QUERY_BOUND),
            Self::QueryAll => None,
        }
    }
}

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(partition)]
    number: u64,
    email: String,
    first_name: String,
    last_name: String,
    is_active: bool,
    age: u32,
    tags: Vec<String>,
    city: Option<String>,
    note: String,
    #[entity(updated_at)]
    updated_at: Timestamp,
}

/// The same items in one partition.
#[derive(Entity, Clone, Debug)]
struct Member {
    #[entity(partition)]
    club: String,
    #[entity(sort)]
    number: u64,
    email: String,
    first_name: String,
    last_name: String,
    is_active: bool,
    age: u32,
    tags: Vec<String>,
    city: Option<String>,
    note: String,
    updated_at: Timestamp,
}

/// Measures all cases. Fails if one exceeds its limit.
pub(crate) fn measure() -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    let mut over = Vec::new();
    for case in CASES {
        let figures = in_a_process(case).context(case.name)?;
        let mut add = |way, figure| rows.push(Row::new(case.label(), way).with("memory", figure));
        add("items", case.items as f64);
        add("over the wire, MB", figures.traffic as f64 / 1e6);
        add("seconds", figures.millis as f64 / 1e3);
        add("peak, MB", figures.peak as f64 / 1e6);
        add("allocations an item", figures.allocations);
        if let Some(bound) = case.way.bound() {
            add("peak at most, MB", bound as f64 / 1e6);
            if figures.peak > bound {
                over.push(case.label());
            }
        }
    }
    ensure!(over.is_empty(), "over the bound: {}", over.join(", "));
    Ok(rows)
}

/// The measurements of a case.
struct Figures {
    /// In bytes.
    peak: u64,
    /// The bytes of the bodies of all requests and answers.
    traffic: u64,
    millis: u64,
    /// Per item.
    allocations: f64,
}

/// Runs this program again, so that memory left by one case does not hide the peak of the next.
fn in_a_process(case: &Case) -> anyhow::Result<Figures> {
    let output = Command::new(std::env::current_exe()?).args(["--memory", case.name]).output()?;
    ensure!(output.status.success(), "the run failed:\n{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout)?;
    let numbers: Vec<f64> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    match numbers.as_slice() {
        &[peak, traffic, millis, allocations] => {
            Ok(Figures { peak: peak as u64, traffic: traffic as u64, millis: millis as u64, allocations })
        }
        _ => bail!("the run printed {text:?}"),
    }
}

/// Runs a case in this process.
pub(crate) fn run(name: &str) -> anyhow::Result<()> {
    let case = CASES.iter().find(|case| case.name == name).context("there is no such case")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let traffic = Arc::new(AtomicU64::new(0));
    let server = Server { items: case.items, note: case.note, traffic: traffic.clone() };
    let answers = case.answer_allocations(&server);
    let db = database(server);

    let (start, clock) = (memory("VmRSS")?, Instant::now());
    let before = allocations_so_far();
    let items = runtime.block_on(case.stream(&db))?;
    let allocations = allocations_so_far() - before;
    let (peak, millis) = (memory("VmHWM")?, clock.elapsed().as_millis());

    ensure!(items == case.items, "{items} items are done");
    let (peak, traffic) = (peak.saturating_sub(start), traffic.load(Ordering::Relaxed));
    println!("{peak} {traffic} {millis} {}", allocations / case.items as f64 - answers);
    Ok(())
}

/// A memory figure of this process, in bytes.
fn memory(field: &str) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").context("this needs Linux")?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)).context("no such figure")?;
    let kilobytes: u64 = line.trim_matches(|c: char| !c.is_ascii_digit()).parse()?;
    Ok(kilobytes * 1024)
}

impl Case {
    /// The name in the table.
    fn label(&self) -> String {
        match self.items {
            items if items >= 1_000_000 => format!("{}, a million", self.name),
            _ => self.name.to_owned(),
        }
    }

    /// The server's allocations for an item of an answer, and those for the items before they are saved.
    fn answer_allocations(&self, server: &Server) -> f64 {
        const ITEMS: u64 = 100;
        let allocations = match self.way {
            Way::Save | Way::SaveAgain => {
                allocations_of(|| (0..ITEMS).map(|number| User::of(number, self.note)).collect::<Vec<_>>())
                    - 1.0
            }
            Way::Get => {
                let request: String = (0..ITEMS).map(|n| format!(r#"{{"number":{{"N":"{n}"}}}}"#)).collect();
                allocations_of(|| server.found(&request))
            }
            Way::Query | Way::QueryAll => {
                let few = Server { items: ITEMS, ..server.clone() };
                allocations_of(|| few.page("{}"))
            }
        };
        allocations / ITEMS as f64
    }

    /// Streams all items, and counts those that are done.
    async fn stream(&self, db: &Database) -> anyhow::Result<u64> {
        let users = (0..self.items).map(|number| User::of(number, self.note));
        match self.way {
            Way::Save => Ok(UserRepo::batch_save_stream(users).on(db).await?.items),
            Way::SaveAgain => {
                let db = Faults::seeded(1).unprocessed(0.2).on(db);
                Ok(UserRepo::batch_save_stream(users).on(&db).await?.items)
            }
            Way::Get => {
                let mut found = UserRepo::batch_get_stream(0..self.items).on(db);
                let mut items = 0;
                while let Some(user) = found.next().await {
                    items += u64::from(user?.note.len() == self.note);
                }
                Ok(items)
            }
            Way::Query => {
                let mut found = MemberRepo::filter(Member::CLUB.eq("a")).on(db).stream();
                let mut items = 0;
                while let Some(member) = found.next().await {
                    items += u64::from(member?.note.len() == self.note);
                    if items.is_multiple_of(200) {
                        // Slow enough that the next page arrives while most of this one is left.
                        tokio::time::sleep(ROUND_TRIP).await;
                    }
                }
                Ok(items)
            }
            Way::QueryAll => {
                let found = MemberRepo::filter(Member::CLUB.eq("a")).on(db).get_all().await?;
                Ok(found.iter().filter(|member| member.note.len() == self.note).count() as u64)
            }
        }
    }
}

impl User {
    fn of(number: u64, note: usize) -> Self {
        Self {
            number,
            email: format!("user{number}@example.com"),
            first_name: "Ada".to_owned(),
            last_name: format!("Lovelace-{number}"),
            is_active: true,
            age: 36,
            tags: vec!["vip".to_owned(), "newsletter".to_owned()],
            city: Some("London".to_owned()),
            note: "n".repeat(note),
            updated_at: Timestamp::now(),
        }
    }
}

fn database(server: Server) -> Database {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(Credentials::new("AKIDMEMORY", "secret", None, None, "memory"))
        .endpoint_url("http://memory.invalid")
        .http_client(server)
        .build();
    Database::new(Client::from_conf(config))
}

/// Accepts every write, finds an item for every key, and has `items` items in every partition.
#[derive(Clone, Debug)]
struct Server {
    items: u64,
    note: usize,
    traffic: Arc<AtomicU64>,
}

impl HttpClient for Server {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Server {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let server = self.clone();
        HttpConnectorFuture::new(async move { server.answer(request).await })
    }
}

impl Server {
    async fn answer(&self, mut request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let body = ByteStream::new(request.take_body()).collect().await;
        let body = body.map_err(|error| ConnectorError::user(error.into()))?.into_bytes();
        tokio::time::sleep(ROUND_TRIP).await;
        let answer = match operation.as_str() {
            "BatchGetItem" => self.found(&String::from_utf8_lossy(&body)),
            "Query" => self.page(&String::from_utf8_lossy(&body)),
            _ => "{}".to_owned(),
        };
        self.traffic.fetch_add((body.len() + answer.len()) as u64, Ordering::Relaxed);
        let status = StatusCode::try_from(200).map_err(|error| ConnectorError::user(error.into()))?;
        Ok(HttpResponse::new(status, SdkBody::from(answer)))
    }

    /// The answer to a `BatchGetItem`.
    fn found(&self, request: &str) -> String {
        let note = "n".repeat(self.note);
        let keys = request.split(r#""number":{"N":""#).skip(1);
        let items = keys.filter_map(|key| key.split('"').next());
        let items: Vec<String> = items.map(|number| format!("{{{}}}", attributes(number, &note))).collect();
        format!(r#"{{"Responses":{{"users":[{}]}},"UnprocessedKeys":{{}}}}"#, items.join(","))
    }
    /// The answer to a `Query`: a page that starts after the key in the request.
    fn page(&self, request: &str) -> String {
        let note = "n".repeat(self.note);
        // DynamoDB counts names and values, without the JSON syntax.
        let a_page = (PAGE_BYTES / (self.note + 160)) as u64;
        let start = request.split(r#""number":{"N":""#).nth(1).and_then(|key| key.split('"').next());
        let start = start.and_then(|number| number.parse::<u64>().ok()).map_or(0, |number| number + 1);
        let end = self.items.min(start + a_page);
        // In one allocation, so that the server adds as little as possible to the measurement.
        let mut answer = String::with_capacity(PAGE_BYTES * 3 / 2);
        answer.push_str(r#"{"Items":["#);
        for number in start..end {
            let separator = if number == start { "" } else { "," };
            let attributes = attributes(&number.to_string(), &note);
            answer.push_str(&format!(r#"{separator}{{"club":{{"S":"a"}},{attributes}}}"#));
        }
        let count = end.saturating_sub(start);
        answer.push_str(&format!(r#"],"Count":{count},"ScannedCount":{count}"#));
        if end < self.items {
            let last = end.saturating_sub(1);
            answer.push_str(&format!(
                r#","LastEvaluatedKey":{{"club":{{"S":"a"}},"number":{{"N":"{last}"}}}}"#
            ));
        }
        answer.push('}');
        answer
    }
}

/// The attributes of an item.
fn attributes(number: &str, note: &str) -> String {
    format!(
        r#""number":{{"N":"{number}"}},"email":{{"S":"user{number}@example.com"}},"first_name":{{"S":"Ada"}},"last_name":{{"S":"Lovelace-{number}"}},"is_active":{{"BOOL":true}},"age":{{"N":"36"}},"tags":{{"L":[{{"S":"vip"}},{{"S":"newsletter"}}]}},"city":{{"S":"London"}},"note":{{"S":"{note}"}},"updated_at":{{"S":"2026-01-01T00:00:00.000Z"}}"#
    )
}
