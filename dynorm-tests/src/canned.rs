//! A server with scripted answers, which records its requests. It is an HTTP client under the SDK's own
//! client, so that everything above it is the code of production.
//!
//! [`database`] has no engine:
//!
//! ```
//! use dynorm::prelude::*;
//! use dynorm_tests::canned::{self, Answer};
//!
//! #[derive(Entity, Clone, Debug, PartialEq)]
//! struct Note {
//!     #[entity(partition)]
//!     title: String,
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> dynorm::Result<()> {
//! let (db, requests) = canned::database(|request| match request.target.as_str() {
//!     "GetItem" => Answer::ok(r#"{"Item":{"title":{"S":"milk"}}}"#),
//!     _ => Answer::error(400, "ValidationException", "only GetItem here"),
//! });
//! assert_eq!(NoteRepo::find("milk").on(&db).await?, Some(Note { title: "milk".into() }));
//! assert_eq!(requests.all()[0].body["TableName"], "notes");
//! # Ok(())
//! # }
//! ```
//!
//! [`over`] is a layer between dynorm and a real database: a test gives its own answers where it wants to,
//! and [`Answer::Engine`] otherwise.

use std::fmt;
use std::io::{Error as IoError, ErrorKind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region, SharedHttpClient};
use aws_sdk_dynamodb::{Client, Config};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use dynorm::Database;
use dynorm::prelude::*;

/// A request as it left the SDK, written and signed.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The number of the request, from 0. Repetitions by the SDK or by dynorm have their own numbers.
    pub number: usize,
    /// The operation, such as `PutItem`.
    pub target: String,
    /// The headers, with lowercase names.
    pub headers: Vec<(String, String)>,
    /// The body as JSON; NULL if it is not JSON.
    pub body: serde_json::Value,
    /// The body as it was sent.
    pub bytes: Vec<u8>,
}

impl Recorded {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }
}

const WRITTEN: &str = r#"{"UnprocessedItems":{}}"#;

/// The fate of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// An answer with this status and body. See [`Answer::ok`] and [`Answer::error`].
    Json(u16, String),
    /// The same, for bodies that are not text.
    Bytes(u16, Vec<u8>),
    /// The connection breaks after the request was sent, so the outcome is unknown. The engine of [`over`]
    /// does not get the request.
    Cut,
    /// The same, but the engine of [`over`] has executed the request, and its answer is lost.
    CutAfter,
    /// The connection is refused, so nothing is sent.
    Refused,
    /// The connector times out waiting for an answer.
    Timeout,
    /// The request never completes, for tests that drop a future or have a deadline.
    Never,
    /// The engine of [`over`] executes and answers the request.
    Engine,
    /// The engine of [`over`] executes the request, and its answer arrives after a delay: a future that is
    /// dropped meanwhile has written all the same.
    Late(Duration),
    /// An answer after a delay. The clock is tokio's, so a test can pause it.
    After(Duration, Box<Answer>),
}

impl Answer {
    /// A success with this body.
    #[must_use]
    pub fn ok(json: impl Into<String>) -> Self {
        Self::Json(200, json.into())
    }

    /// The success of a write, of a single item or of a whole batch.
    #[must_use]
    pub fn written() -> Self {
        Self::ok(WRITTEN)
    }

    /// An error of DynamoDB, with a code such as `ThrottlingException`. The SDK's client repeats transient
    /// ones (by code, and every status from 500), if its retries are enabled.
    #[must_use]
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        let json = serde_json::json!({
            "__type": format!("com.amazonaws.dynamodb.v20120810#{code}"),
            "message": message,
        });
        Self::Json(status, json.to_string())
    }

    /// The error for a throttled table.
    #[must_use]
    pub fn throttled() -> Self {
        let message = "The level of configured provisioned throughput for the table was exceeded";
        Self::error(400, "ProvisionedThroughputExceededException", message)
    }

    /// The same after a delay.
    #[must_use]
    pub fn after(self, delay: Duration) -> Self {
        Self::After(delay, Box::new(self))
    }
}

/// The requests so far, in the order in which they were sent.
#[derive(Clone, Default)]
pub struct Requests(Arc<Mutex<Vec<Recorded>>>);

impl Requests {
    /// All requests.
    #[must_use]
    pub fn all(&self) -> Vec<Recorded> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The requests of one operation, such as `PutItem`.
    #[must_use]
    pub fn of(&self, target: &str) -> Vec<Recorded> {
        self.all().into_iter().filter(|request| request.target == target).collect()
    }

    /// The operations, such as `["GetItem", "PutItem"]`.
    #[must_use]
    pub fn targets(&self) -> Vec<String> {
        self.all().into_iter().map(|request| request.target).collect()
    }

    /// The number of requests.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// True if nothing was sent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all requests. [`Recorded::number`] continues.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl fmt::Debug for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.targets()).finish()
    }
}

/// A database without an engine: `answer` decides the fate of each request. It is called when the request is
/// sent, in order. Keep state in an atomic or a mutex.
///
/// The client signs (as `AKIDCANNED`, in `us-east-1`) and retries as on AWS, without the long delays.
pub fn database(answer: impl Fn(&Recorded) -> Answer + Send + Sync + 'static) -> (Database, Requests) {
    let (client, requests) = client(answer);
    (Database::new(client), requests)
}

/// A database that accepts every write at once and stores nothing, for tests of batches and of their speed.
/// It records no requests.
#[must_use]
pub fn sink() -> Database {
    let client = http_client_fn(|_, _| SharedHttpConnector::new(Sink));
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .endpoint_url("http://sink.invalid")
        .allow_no_auth()
        .retry_config(RetryConfig::disabled())
        .http_client(client)
        .build();
    Database::new(Client::from_conf(config))
}

#[derive(Debug)]
struct Sink;

impl HttpConnector for Sink {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let is_get =
            request.headers().get("x-amz-target").is_some_and(|target| target.ends_with("BatchGetItem"));
        let nothing = request.body().bytes().filter(|_| is_get).map(nothing_of);
        HttpConnectorFuture::ready(respond(200, nothing.unwrap_or_else(|| WRITTEN.into())))
    }
}

/// The answer to a batch get that finds nothing: an empty list for each table.
fn nothing_of(request: &[u8]) -> Vec<u8> {
    let request: serde_json::Value = serde_json::from_slice(request).unwrap_or_default();
    let tables = request["RequestItems"].as_object().into_iter().flat_map(|tables| tables.keys());
    let found: serde_json::Map<_, _> = tables.map(|table| (table.clone(), serde_json::json!([]))).collect();
    serde_json::json!({ "Responses": found, "UnprocessedKeys": {} }).to_string().into_bytes()
}

/// The SDK's client behind [`database`], for tests of the SDK's own reading and writing.
pub fn client(answer: impl Fn(&Recorded) -> Answer + Send + Sync + 'static) -> (Client, Requests) {
    let requests = Requests::default();
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(Credentials::new("AKIDCANNED", "secret", None, None, "canned"))
        .endpoint_url("http://canned.invalid")
        .retry_config(RetryConfig::standard().with_initial_backoff(Duration::from_millis(1)))
        .http_client(http_client(answer, &requests, None))
        .build();
    (Client::from_conf(config), requests)
}

/// A layer between dynorm and `engine`, with the same tables. `answer` decides for each request whether it
/// goes to the engine ([`Answer::Engine`]), or what happens instead.
///
/// The SDK's retries are as in `engine`; the embedded database has none.
pub fn over(
    engine: &Database,
    answer: impl Fn(&Recorded) -> Answer + Send + Sync + 'static,
) -> (Database, Requests) {
    let requests = Requests::default();
    let config = engine.client().config();
    let client = http_client(answer, &requests, config.http_client());
    let config = config.to_builder().http_client(client).build();
    (Database::new(Client::from_conf(config)).with_table_prefix(prefix(engine)), requests)
}

/// The table prefix of the database.
fn prefix(database: &Database) -> String {
    #[derive(Entity, Clone)]
    #[entity(table = "any")]
    struct Any {
        #[entity(partition)]
        key: String,
    }

    let name = database.table_name::<Any>();
    name.strip_suffix("any").unwrap_or_default().to_owned()
}

fn http_client(
    answer: impl Fn(&Recorded) -> Answer + Send + Sync + 'static,
    requests: &Requests,
    engine: Option<SharedHttpClient>,
) -> SharedHttpClient {
    let answer: Arc<dyn Fn(&Recorded) -> Answer + Send + Sync> = Arc::new(answer);
    let (requests, sent) = (requests.clone(), Arc::new(AtomicUsize::new(0)));
    http_client_fn(move |settings, components| {
        SharedHttpConnector::new(Connector {
            answer: answer.clone(),
            requests: requests.clone(),
            sent: sent.clone(),
            engine: engine.as_ref().map(|client| client.http_connector(settings, components)),
        })
    })
}

#[derive(Clone)]
struct Connector {
    answer: Arc<dyn Fn(&Recorded) -> Answer + Send + Sync>,
    requests: Requests,
    sent: Arc<AtomicUsize>,
    engine: Option<SharedHttpConnector>,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("canned::Connector")
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let connector = self.clone();
        HttpConnectorFuture::new(async move { connector.run(request).await })
    }
}

impl Connector {
    async fn run(&self, mut request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let body = ByteStream::new(request.take_body()).collect().await;
        let bytes = body.map_err(|error| ConnectorError::user(error.into()))?.into_bytes();
        *request.body_mut() = SdkBody::from(bytes.clone());

        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let headers =
            request.headers().iter().map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()));
        let recorded = Recorded {
            number: self.sent.fetch_add(1, Ordering::Relaxed),
            target: target.rsplit('.').next().unwrap_or_default().to_owned(),
            headers: headers.collect(),
            body: serde_json::from_slice(&bytes).unwrap_or_default(),
            bytes: bytes.to_vec(),
        };
        let mut answer = (self.answer)(&recorded);
        self.requests.0.lock().unwrap_or_else(PoisonError::into_inner).push(recorded);

        while let Answer::After(delay, later) = answer {
            tokio::time::sleep(delay).await;
            answer = *later;
        }
        match answer {
            Answer::Json(status, body) => respond(status, body.into_bytes()),
            Answer::Bytes(status, body) => respond(status, body),
            Answer::Cut => Err(cut()),
            Answer::CutAfter => {
                self.engine(request).await?;
                Err(cut())
            }
            Answer::Refused => Err(ConnectorError::io(IoError::from(ErrorKind::ConnectionRefused).into())),
            Answer::Timeout => Err(ConnectorError::timeout(IoError::from(ErrorKind::TimedOut).into())),
            Answer::Never => std::future::pending().await,
            Answer::Engine => self.engine(request).await,
            Answer::Late(delay) => {
                let answer = self.engine(request).await;
                tokio::time::sleep(delay).await;
                answer
            }
            // The loop above has unwrapped it.
            Answer::After(..) => Err(cut()),
        }
    }

    async fn engine(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        match &self.engine {
            Some(engine) => engine.call(request).await,
            None => Err(ConnectorError::user("there is no engine behind this database: use `over`".into())),
        }
    }
}

fn cut() -> ConnectorError {
    ConnectorError::io(IoError::from(ErrorKind::ConnectionReset).into())
}

fn respond(status: u16, body: Vec<u8>) -> Result<HttpResponse, ConnectorError> {
    let status = status.try_into().map_err(|error| ConnectorError::user(Box::new(error)))?;
    let mut response = HttpResponse::new(status, SdkBody::from(body));
    response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
    response.headers_mut().insert("x-amzn-requestid", "CANNED");
    Ok(response)
}
