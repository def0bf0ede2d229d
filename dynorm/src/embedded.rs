//! A DynamoDB engine inside this process, behind an ordinary SDK client.
//!
//! The client does all that it does for AWS except open a socket and sign: its HTTP client hands the request
//! to a [`dynoxide::Database`], which speaks DynamoDB's own JSON and keeps its tables in SQLite. Nothing above
//! the HTTP client can tell the difference, so a test against this engine runs the code that runs in
//! production.
//!
//! What differs from DynamoDB: every read is consistent, nothing is ever throttled, no write left unprocessed,
//! transactions never conflict, and expired items stay until something deletes them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
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

use crate::transport::{is_traced, opaque};

/// A client of a new, empty database that lives as long as the client and its clones.
pub(crate) fn memory() -> Result<Client, OpenError> {
    let database = Database::memory().map_err(|error| OpenError::Memory(error.to_string()))?;
    Ok(client(database))
}

/// A client of the database kept in the file `path`, which is created if it is absent.
///
/// SQLite keeps two more files beside it while it is open (`-wal` and `-shm`) and folds them into it when the
/// last client is dropped. Several clients, of several processes too, may have one file open: each sees at
/// once what another wrote, and writes wait for each other, for at most five seconds. But each remembers the
/// definition of a table once it has used it, so change or delete tables while nobody else uses them.
pub(crate) fn file(path: &Path) -> Result<Client, OpenError> {
    let refuse = |reason: String| OpenError::File { path: path.to_owned(), reason };

    // Absolute, because SQLite takes `:memory:` and `file:…` for something other than file names.
    let absolute = std::path::absolute(path).map_err(|error| refuse(error.to_string()))?;
    // The file itself is for SQLite alone to open: whoever closes a file drops all the locks that the process
    // has on it, those of another client included.
    if absolute.is_dir() {
        return Err(refuse("it is a folder; name a file in it".to_owned()));
    }
    if let Some(folder) = absolute.parent().filter(|folder| !folder.is_dir()) {
        return Err(refuse(format!("there is no folder {}; create it first", folder.display())));
    }
    let name = absolute.to_str().ok_or_else(|| refuse("SQLite needs a path in UTF-8".to_owned()))?;

    // Opening it makes tables in it and switches it to a write-ahead log, so look first.
    if absolute.exists() {
        check_is_ours(&absolute).map_err(refuse)?;
    }
    let database = Database::new(name).map_err(|error| {
        refuse(match error.to_string() {
            // Dynoxide's text goes on to advise features that dynorm does not have.
            text if text.contains("not a valid SQLite database") => {
                "it is not a SQLite database; name another file".to_owned()
            }
            text => text,
        })
    })?;
    // Despite its name this sets how commits reach the disk: `synchronous = NORMAL`, which SQLite advises for its
    // write-ahead log. A power cut may then take back the last commits and cannot damage the file; with the default,
    // every single write waits for the disk, and an import takes ten times as long.
    database.disable_bulk_loading().map_err(|error| refuse(error.to_string()))?;
    Ok(client(database))
}

/// Refuses the file of another program, and leaves it as it is. One without any tables is as good as new.
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

/// The tables in which dynoxide says what else it keeps.
const METADATA: [&str; 2] = ["_tables", "_config"];

/// Why an embedded database did not open.
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

    // What a network needs is left out: an engine in the same process checks no signature, loses no request
    // and stalls no stream, and each of these would cost time in every request.
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

/// The far end of the client: where a connector would send a request to AWS, this one executes it.
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

/// What DynamoDB reads of one request.
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

        // SQLite blocks, so it gets a thread that may; the handle, because the free `spawn_blocking` panics
        // outside a runtime. Whoever drops this future abandons the answer, not the operation, as with AWS.
        let runtime = Handle::try_current().map_err(|error| ConnectorError::other(error.into(), None))?;
        let database = self.database.clone();
        let outcome = runtime.spawn_blocking(move || execute(&database, &operation, &body)).await;

        let answer = match outcome {
            Ok(Ok(json)) => Answer { status: 200, json },
            Ok(Err(refusal)) => refusal.into_answer(),
            Err(error) if error.is_panic() => {
                let failure = DynoxideError::InternalServerError("the embedded database panicked".to_owned());
                Refusal::from(failure).into_answer()
            }
            // The runtime is shutting down: the request was not executed, and nobody is left to hear so.
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

/// Executes one operation, from the JSON of its request to the JSON of its response.
fn execute(database: &Database, operation: &str, body: &[u8]) -> Result<Vec<u8>, Refusal> {
    if body.len() > MAX_REQUEST_BYTES {
        return Err(Refusal::TooLarge { bytes: body.len() });
    }
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

/// An operation that was not executed, or not to the end.
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
        // The errors of DynamoDB's front end, which stands before the engine.
        let front_end = |status: u16, code: &str, message: String| {
            let kind = format!("com.amazon.coral.service#{code}");
            let json = serde_json::json!({ "__type": kind, "message": message });
            Answer { status, json: json.to_string().into_bytes() }
        };
        match self {
            // What lasts is no failure that passes: whoever tried again would try for ever. Nothing was written.
            Self::Engine(DynoxideError::SqliteError(error)) if lasts(&error) => {
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

/// True if SQLite will say the same the next time.
fn lasts(error: &rusqlite::Error) -> bool {
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

/// A body that is no request of its operation, as the error that DynamoDB gives for it.
///
/// Dynoxide's requests check themselves while they are read, and say with a prefix which error they mean;
/// serde_json adds the position. Neither belongs into the message.
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

/// How the messages start that stand for well-formed JSON of the right types that is still no valid request.
const INVALID: [&str; 5] = [
    "missing field",
    "unknown variant",
    "invalid type: null",
    "Supplied AttributeValue",
    "empty AttributeValue",
];
