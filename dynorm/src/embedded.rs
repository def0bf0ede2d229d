//! A DynamoDB engine inside this process, behind an ordinary SDK client.
//!
//! The client does everything that it does for AWS except opening sockets and signing: its HTTP client passes
//! requests to a [`dynoxide::Database`], which processes DynamoDB's JSON and stores its tables in SQLite.
//! Nothing above the HTTP client differs, so a test with this engine runs the code that runs in production.
//!
//! Requests that DynamoDB would refuse are refused before they reach the engine, which accepts some of them.
//!
//! Differences from DynamoDB: every read is consistent, nothing is throttled or left unprocessed,
//! transactions never conflict, and expired items are not deleted.

mod expression;
mod strict;

use std::fmt;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, IdentityCache, Region, SharedHttpClient, StalledStreamProtectionConfig,
};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use aws_smithy_types::timeout::TimeoutConfig;
use dynoxide::{Database, DynoxideError};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Handle;

use self::expression::Load;
use crate::transport::{is_traced, opaque};

/// Creates a client of a new, empty database, which lives as long as the client and its clones.
pub(crate) fn memory() -> Result<Client, OpenError> {
    let database = Database::memory().map_err(|error| OpenError::Memory(error.to_string()))?;
    Ok(client(database))
}

/// Creates a client of the database in the file `path`, which is created if it does not exist.
///
/// While it is open, SQLite has two more files next to it (`-wal` and `-shm`), which are merged into it when
/// the last client is dropped. Several clients, also of several processes, may have one file open. Each sees
/// the writes of the others at once, and writes wait for each other for at most five seconds. But each client
/// caches the definitions of the tables that it has used, so change or delete tables only while no other
/// client uses them.
pub(crate) fn file(path: &Path) -> Result<Client, OpenError> {
    let refuse = |reason: String| OpenError::File { path: path.to_owned(), reason };

    // Absolute, since SQLite does not treat `:memory:` and `file:…` as file names.
    let absolute = std::path::absolute(path).map_err(|error| refuse(error.to_string()))?;
    // Only SQLite may open the file itself: closing a file releases all locks that the process has on it,
    // including those of other clients.
    if absolute.is_dir() {
        return Err(refuse("it is a folder; name a file in it".to_owned()));
    }
    if let Some(folder) = absolute.parent().filter(|folder| !folder.is_dir()) {
        return Err(refuse(format!("there is no folder {}; create it first", folder.display())));
    }
    let name = absolute.to_str().ok_or_else(|| refuse("SQLite needs a path in UTF-8".to_owned()))?;

    // Opening creates tables in the file and switches it to a write-ahead log, so check it first.
    if absolute.exists() {
        check_is_ours(&absolute).map_err(refuse)?;
    }
    let database = Database::new(name).map_err(|error| {
        refuse(match error.to_string() {
            // Dynoxide's text suggests features that dynorm does not have.
            text if text.contains("not a valid SQLite database") => {
                "it is not a SQLite database; name another file".to_owned()
            }
            text => text,
        })
    })?;
    // Despite its name this sets `synchronous = NORMAL`, which SQLite recommends with a write-ahead log. A
    // power failure may undo the last commits, but cannot damage the file. With the default, every write
    // waits for the disk, and an import takes ten times as long.
    database.disable_bulk_loading().map_err(|error| refuse(error.to_string()))?;
    Ok(client(database))
}

/// Refuses the file of another program, without changing it. A file without tables is accepted.
fn check_is_ours(path: &Path) -> Result<(), String> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let tables = || -> rusqlite::Result<Vec<String>> {
        let file = Connection::open_with_flags(path, flags)?;
        file.busy_timeout(Duration::from_secs(5))?;
        let mut names = file.prepare("SELECT name FROM sqlite_master WHERE type = 'table'")?;
        names.query_map([], |row| row.get(0))?.collect()
    };
    match tables() {
        Ok(tables)
            if tables.is_empty() || METADATA.iter().all(|own| tables.iter().any(|name| name == own)) =>
        {
            Ok(())
        }
        Ok(_) => Err("it is the SQLite database of another program; name another file".to_owned()),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) => {
            Err("it is not a SQLite database; name another file".to_owned())
        }
        Err(error) => Err(error.to_string()),
    }
}

/// The tables in which dynoxide stores its metadata.
const METADATA: [&str; 2] = ["_tables", "_config"];

/// The error of opening an embedded database.
#[derive(Debug)]
pub(crate) enum OpenError {
    Memory(String),
    File { path: PathBuf, reason: String },
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory(reason) => write!(f, "an embedded database cannot be made in memory: {reason}"),
            Self::File { path, reason } => {
                write!(f, "the database file {} cannot be opened: {reason}", path.display())
            }
        }
    }
}

impl std::error::Error for OpenError {}

fn client(database: Database) -> Client {
    let engine = SharedHttpConnector::new(Engine { database, answered: Arc::default() });
    let http_client: SharedHttpClient = http_client_fn(move |_, _| engine.clone());

    // Features for networks are disabled, since they take time in every request: an engine in the same
    // process checks no signatures, loses no requests and stalls no streams.
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("local"))
        .endpoint_url("http://embedded.invalid")
        .http_client(http_client)
        .allow_no_auth()
        .identity_cache(IdentityCache::no_cache())
        .retry_config(RetryConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .timeout_config(TimeoutConfig::disabled())
        .build();
    Client::from_conf(config)
}

/// The connector of the client: executes requests instead of sending them.
#[derive(Clone)]
struct Engine {
    database: Database,
    answered: Arc<AtomicU64>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("embedded::Engine")
    }
}

impl HttpConnector for Engine {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let engine = self.clone();
        HttpConnectorFuture::new(async move { engine.answer(request).await })
    }
}

/// The largest request that DynamoDB accepts.
const MAX_REQUEST_BYTES: usize = 16 * 1024 * 1024;

impl Engine {
    async fn answer(&self, mut request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let body = ByteStream::new(request.take_body())
            .collect()
            .await
            .map_err(|error| ConnectorError::user(error.into()))?
            .into_bytes();
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.strip_prefix("DynamoDB_20120810.").unwrap_or(target).to_owned();

        // SQLite blocks, so it runs on a thread for blocking code. The function `spawn_blocking` would panic
        // outside of a runtime, so the handle is used. Dropping this future drops the answer but not the
        // operation, as with AWS.
        let runtime = Handle::try_current().map_err(|error| ConnectorError::other(error.into(), None))?;
        let database = self.database.clone();
        let outcome = runtime.spawn_blocking(move || check_and_execute(&database, &operation, &body)).await;

        let answer = match outcome {
            Ok(Ok(json)) => Answer { status: 200, json },
            Ok(Err(refusal)) => refusal.into_answer(),
            Err(error) if error.is_panic() => {
                let failure = DynoxideError::InternalServerError("the embedded database panicked".to_owned());
                Refusal::from(failure).into_answer()
            }
            // The runtime is shutting down: the request was not executed.
            Err(error) => return Err(ConnectorError::other(error.into(), None)),
        };
        self.respond(answer).map_err(|error| ConnectorError::other(error.into(), None))
    }

    fn respond(&self, answer: Answer) -> Result<HttpResponse, aws_smithy_runtime_api::http::HttpError> {
        let number = self.answered.fetch_add(1, Ordering::Relaxed);
        let body = SdkBody::from(answer.json);
        let body = if is_traced() { opaque(body) } else { body };
        let mut response = HttpResponse::new(answer.status.try_into()?, body);
        let headers = response.headers_mut();
        headers.try_insert("content-type", "application/x-amz-json-1.0")?;
        headers.try_insert("x-amzn-requestid", format!("EMBEDDED{number:012}"))?;
        Ok(response)
    }
}

struct Answer {
    status: u16,
    json: Vec<u8>,
}

/// The stack for expressions of any depth that DynamoDB accepts: the engine recurses over them, and an
/// overflow would abort the process.
const DEEP_STACK_BYTES: usize = 32 * 1024 * 1024;

/// Executes one operation, unless DynamoDB would refuse it.
fn check_and_execute(database: &Database, operation: &str, body: &[u8]) -> Result<Vec<u8>, Refusal> {
    if body.len() > MAX_REQUEST_BYTES {
        return Err(Refusal::TooLarge { bytes: body.len() });
    }
    match strict::check(database, operation, body)? {
        Load::Light => execute(database, operation, body),
        Load::Heavy => thread::scope(|scope| {
            let deep = thread::Builder::new().stack_size(DEEP_STACK_BYTES);
            let deep = deep.spawn_scoped(scope, || execute(database, operation, body));
            let deep = deep.map_err(|error| DynoxideError::InternalServerError(error.to_string()))?;
            deep.join().unwrap_or_else(|panic| resume_unwind(panic))
        }),
    }
}

/// Executes one operation, from the JSON of its request to the JSON of its response.
fn execute(database: &Database, operation: &str, body: &[u8]) -> Result<Vec<u8>, Refusal> {
    match operation {
        "BatchExecuteStatement" => serve(body, |request| database.batch_execute_statement(request)),
        "BatchGetItem" => serve(body, |request| database.batch_get_item(request)),
        "BatchWriteItem" => serve(body, |request| database.batch_write_item(request)),
        "CreateTable" => serve(body, |request| database.create_table(request)),
        "DeleteItem" => serve(body, |request| database.delete_item(request)),
        "DeleteTable" => serve(body, |request| database.delete_table(request)),
        "DescribeTable" => serve(body, |request| database.describe_table(request)),
        "DescribeTimeToLive" => serve(body, |request| database.describe_time_to_live(request)),
        "ExecuteStatement" => serve(body, |request| database.execute_statement(request)),
        "ExecuteTransaction" => serve(body, |request| database.execute_transaction(request)),
        "GetItem" => serve(body, |request| database.get_item(request)),
        "ListTables" => serve(body, |request| database.list_tables(request)),
        "ListTagsOfResource" => serve(body, |request| database.list_tags_of_resource(request)),
        "PutItem" => serve(body, |request| database.put_item(request)),
        "Query" => serve(body, |request| database.query(request)),
        "Scan" => serve(body, |request| database.scan(request)),
        "SearchVectors" => serve(body, |request| database.search_vectors(request)),
        "TagResource" => serve(body, |request| database.tag_resource(request)),
        "TransactGetItems" => serve(body, |request| database.transact_get_items(request)),
        "TransactWriteItems" => serve(body, |request| database.transact_write_items(request)),
        "UntagResource" => serve(body, |request| database.untag_resource(request)),
        "UpdateItem" => serve(body, |request| database.update_item(request)),
        "UpdateTable" => serve(body, |request| database.update_table(request)),
        "UpdateTimeToLive" => serve(body, |request| database.update_time_to_live(request)),
        unknown => Err(Refusal::UnknownOperation(unknown.to_owned())),
    }
}

fn serve<Request: DeserializeOwned, Response: Serialize>(
    body: &[u8],
    operate: impl FnOnce(Request) -> dynoxide::Result<Response>,
) -> Result<Vec<u8>, Refusal> {
    let request = serde_json::from_slice(body).map_err(|error| unreadable(&error))?;
    let response = operate(request)?;
    serde_json::to_vec(&response)
        .map_err(|error| DynoxideError::InternalServerError(error.to_string()).into())
}

/// The error of an operation that failed.
enum Refusal {
    Engine(DynoxideError),
    TooLarge { bytes: usize },
    UnknownOperation(String),
}

impl From<DynoxideError> for Refusal {
    fn from(error: DynoxideError) -> Self {
        Self::Engine(error)
    }
}

impl Refusal {
    fn into_answer(self) -> Answer {
        // The errors of DynamoDB's front end, which processes requests before the engine.
        let front_end = |status: u16, code: &str, message: String| {
            let kind = format!("com.amazon.coral.service#{code}");
            let json = serde_json::json!({ "__type": kind, "message": message });
            Answer { status, json: json.to_string().into_bytes() }
        };
        match self {
            // A permanent failure must not look like one that is worth a retry. Nothing was written.
            Self::Engine(DynoxideError::SqliteError(error)) if is_permanent(&error) => {
                front_end(400, "StorageException", format!("the database file cannot be written: {error}"))
            }
            Self::Engine(error) => Answer { status: error.status_code(), json: error.to_json().into_bytes() },
            Self::TooLarge { bytes } => {
                let message = format!("the request has {bytes} bytes, more than {MAX_REQUEST_BYTES}");
                front_end(413, "RequestEntityTooLargeException", message)
            }
            Self::UnknownOperation(name) => {
                let message = format!("the embedded database does not serve the operation `{name}`");
                front_end(400, "UnknownOperationException", message)
            }
        }
    }
}

/// Returns true if SQLite would fail in the same way again.
fn is_permanent(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::ReadOnly
                | ErrorCode::DiskFull
                | ErrorCode::PermissionDenied
                | ErrorCode::CannotOpen
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::SystemIoFailure
        )
    )
}

/// Returns the error that DynamoDB gives for a body that is not a valid request.
///
/// Dynoxide validates requests while it deserializes them, and names the kind of error by a prefix;
/// serde_json appends the position. Both are removed from the message.
fn unreadable(error: &serde_json::Error) -> Refusal {
    let text = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    let text = text.strip_suffix(&position).unwrap_or(&text);
    let (marker, message) = text
        .split_once(':')
        .filter(|(marker, _)| marker.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'))
        .unwrap_or(("", text));

    if message.starts_with("recursion limit exceeded") {
        let nested = "Nesting Levels have exceeded supported limits: \
                      Attributes in the item have nested levels beyond supported limit";
        DynoxideError::ValidationException(nested.to_owned()).into()
    } else if marker.starts_with("VALIDATION") || INVALID.iter().any(|start| message.starts_with(start)) {
        DynoxideError::ValidationException(message.to_owned()).into()
    } else {
        DynoxideError::SerializationException(message.to_owned()).into()
    }
}

/// The beginnings of messages about JSON that is well-formed but not a valid request.
const INVALID: [&str; 5] = [
    "missing field",
    "unknown variant",
    "invalid type: null",
    "Supplied AttributeValue",
    "empty AttributeValue",
];
