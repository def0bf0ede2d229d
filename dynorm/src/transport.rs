//! The one module that knows how dynorm's bytes travel through the AWS SDK.
//!
//! The SDK signs, sends, times out, pools and retries; the request body is ours, and so is the reading of the answer. Both
//! enter through the SDK's public extension points: an interceptor puts a serializer into the operation's configuration
//! before it starts, and a deserializer once an answer has come and is a success. Any other answer still goes through the
//! SDK's own deserializer, so that its error types and its retry classifiers work as ever.

use std::error::Error as StdError;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation as sdk;
use aws_sdk_dynamodb::types::KeysAndAttributes;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeDeserializationInterceptorContextMut, BeforeSerializationInterceptorContextRef,
    FinalizerInterceptorContextRef, Input, Output,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, SensitiveOutput};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::client::ser_de::{
    DeserializeResponse, SerializeRequest, SharedRequestSerializer, SharedResponseDeserializer,
};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use tokio::time::Instant;

use crate::codec::{Scanner, ValueError};
use crate::error::{Error, Report, Subject};

/// The operations that carry items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    PutItem,
    GetItem,
    UpdateItem,
    DeleteItem,
    BatchWriteItem,
    BatchGetItem,
    Query,
    Scan,
}

impl Operation {
    const fn target(self) -> &'static str {
        match self {
            Self::PutItem => "DynamoDB_20120810.PutItem",
            Self::GetItem => "DynamoDB_20120810.GetItem",
            Self::UpdateItem => "DynamoDB_20120810.UpdateItem",
            Self::DeleteItem => "DynamoDB_20120810.DeleteItem",
            Self::BatchWriteItem => "DynamoDB_20120810.BatchWriteItem",
            Self::BatchGetItem => "DynamoDB_20120810.BatchGetItem",
            Self::Query => "DynamoDB_20120810.Query",
            Self::Scan => "DynamoDB_20120810.Scan",
        }
    }

    fn name(self) -> &'static str {
        self.target().rsplit('.').next().unwrap_or_default()
    }

    /// The output that the SDK expects of the operation; what was answered is read elsewhere.
    fn empty_output(self) -> Output {
        match self {
            Self::PutItem => Output::erase(sdk::put_item::PutItemOutput::builder().build()),
            Self::GetItem => Output::erase(sdk::get_item::GetItemOutput::builder().build()),
            Self::UpdateItem => Output::erase(sdk::update_item::UpdateItemOutput::builder().build()),
            Self::DeleteItem => Output::erase(sdk::delete_item::DeleteItemOutput::builder().build()),
            Self::BatchWriteItem => {
                Output::erase(sdk::batch_write_item::BatchWriteItemOutput::builder().build())
            }
            Self::BatchGetItem => Output::erase(sdk::batch_get_item::BatchGetItemOutput::builder().build()),
            Self::Query => Output::erase(sdk::query::QueryOutput::builder().build()),
            Self::Scan => Output::erase(sdk::scan::ScanOutput::builder().build()),
        }
    }
}

/// Sends `body` and gives back the answer, if it is a success.
pub(crate) async fn send(
    client: &Client,
    operation: Operation,
    table: &str,
    body: Vec<u8>,
) -> Result<Answer, Failure> {
    send_batch(client, operation, &[table], None, body).await
}

/// The same, for several items of several tables. The tables are named to the SDK too, since its endpoint rules read them.
pub(crate) async fn send_batch(
    client: &Client,
    operation: Operation,
    tables: &[&str],
    items: Option<usize>,
    body: Vec<u8>,
) -> Result<Answer, Failure> {
    let start = Instant::now();
    let exchange = Arc::new(Mutex::new(Exchange::default()));
    let outcome = execute(client, operation, tables, body, &exchange).await;
    let exchange = std::mem::take(&mut *exchange.lock().unwrap_or_else(PoisonError::into_inner));
    let outcome = match outcome {
        Ok(()) => exchange.answer.map(Answer).ok_or_else(|| Failure {
            kind: FailureKind::Server,
            outcome_known: false,
            answered: false,
            ..Failure::local("the SDK ended the operation without an answer".into())
        }),
        // The SDK reports its last attempt, and an earlier one may have been carried out.
        Err(failure) => {
            Err(Failure { outcome_known: failure.outcome_known && !exchange.unanswered, ..failure })
        }
    };
    if tracing::enabled!(target: "dynorm", tracing::Level::DEBUG) {
        let event =
            Event { operation, tables, items, request: exchange.request_id, elapsed: start.elapsed() };
        event.emit(outcome.as_ref());
    }
    outcome
}

async fn execute(
    client: &Client,
    operation: Operation,
    tables: &[&str],
    body: Vec<u8>,
    exchange: &Arc<Mutex<Exchange>>,
) -> Result<(), Failure> {
    let splice = Splice { operation, body: SdkBody::from(body), exchange: exchange.clone() };
    macro_rules! send {
        ($builder:expr) => {
            $builder.customize().interceptor(splice).send().await.map(drop).map_err(Failure::new)
        };
    }
    let table = tables.first().copied().unwrap_or_default();
    match operation {
        Operation::PutItem => send!(client.put_item().table_name(table)),
        Operation::GetItem => send!(client.get_item().table_name(table)),
        Operation::UpdateItem => send!(client.update_item().table_name(table)),
        Operation::DeleteItem => send!(client.delete_item().table_name(table)),
        Operation::BatchWriteItem => {
            let request = client.batch_write_item();
            send!(tables.iter().fold(request, |request, table| request.request_items(*table, Vec::new())))
        }
        Operation::BatchGetItem => {
            let keys = KeysAndAttributes::builder().set_keys(Some(Vec::new())).build();
            let keys = keys.map_err(|error| Failure::local(error.into()))?;
            let request = client.batch_get_item();
            send!(tables.iter().fold(request, |request, table| request.request_items(*table, keys.clone())))
        }
        Operation::Query => send!(client.query().table_name(table)),
        Operation::Scan => send!(client.scan().table_name(table)),
    }
}

/// What comes back, on the side of our bytes.
#[derive(Default)]
struct Exchange {
    answer: Option<SdkBody>,
    /// The server's name for the last attempt.
    request_id: Option<String>,
    /// An attempt was sent and got no answer that says whether it was carried out.
    unanswered: bool,
}

/// What is told of a request, by the names of OpenTelemetry's conventions for databases and for DynamoDB.
/// <https://opentelemetry.io/docs/specs/semconv/database/dynamodb/>
struct Event<'e> {
    operation: Operation,
    tables: &'e [&'e str],
    items: Option<usize>,
    request: Option<String>,
    elapsed: Duration,
}

impl Event<'_> {
    fn emit(&self, outcome: Result<&Answer, &Failure>) {
        let Self { operation, tables, items, request, elapsed } = self;
        let collection = if let [table] = tables { Some(*table) } else { None };
        let capacity = outcome.ok().and_then(Answer::consumed_capacity);
        let failure = outcome.err();
        tracing::debug!(
            target: "dynorm",
            {
                db.system.name = "aws.dynamodb",
                db.operation.name = operation.name(),
                db.operation.batch.size = items,
                db.collection.name = collection,
                db.response.status_code = failure.and_then(|failure| failure.status).map(u64::from),
                "error.type" = failure.map(Failure::code),
                aws.request_id = request.as_deref(),
                aws.dynamodb.table_names = ?tables,
                aws.dynamodb.consumed_capacity = capacity,
                db.client.operation.duration = elapsed.as_secs_f64(),
            },
            "DynamoDB.{}",
            operation.name()
        );
    }
}

/// The body of a successful answer.
pub(crate) struct Answer(SdkBody);

impl Answer {
    pub(crate) fn text(&self) -> Result<&str, ValueError> {
        std::str::from_utf8(self.0.bytes().unwrap_or_default())
            .map_err(|_| ValueError::new("the answer is not UTF-8"))
    }

    /// What the answer says of the capacity that the request took, as JSON.
    fn consumed_capacity(&self) -> Option<&str> {
        let mut found = None;
        let search = |text| {
            Scanner::new(text).object(|member, scanner| {
                let value = scanner.skip()?;
                if member.text == "ConsumedCapacity" {
                    found = Some(value);
                }
                Ok(())
            })
        };
        self.text().and_then(search).ok()?;
        found
    }
}

/// Puts dynorm's bytes in the place of the SDK's.
struct Splice {
    operation: Operation,
    body: SdkBody,
    exchange: Arc<Mutex<Exchange>>,
}

impl std::fmt::Debug for Splice {
    /// Values stay out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Splice").field("operation", &self.operation).finish_non_exhaustive()
    }
}

#[dyn_dispatch_hint]
impl Intercept for Splice {
    fn name(&self) -> &'static str {
        "dynorm"
    }

    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = self.body.try_clone().ok_or("a request body that cannot be cloned")?;
        let serializer = SharedRequestSerializer::new(RequestBody { operation: self.operation, body });
        config.interceptor_state().store_put(serializer);
        // So that the SDK does not write the answer into its trace.
        config.interceptor_state().store_put(SensitiveOutput);
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let may_be_done = match (context.response(), context.output_or_error()) {
            // DynamoDB says of a 500 that the write may have succeeded.
            (Some(response), _) => response.status().as_u16() >= 500,
            (None, Some(Err(error))) => match error.as_connector_error() {
                Some(connector) => !connector.is_user() && !never_connected(connector, &chain(connector)),
                None => error.is_timeout_error() || error.is_response_error(),
            },
            (None, _) => false,
        };
        let mut exchange = self.exchange.lock().unwrap_or_else(PoisonError::into_inner);
        exchange.unanswered |= may_be_done;
        let id = context.response().and_then(|response| response.headers().get("x-amzn-requestid"));
        exchange.request_id = id.map(str::to_owned);
        Ok(())
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if context.response().status().is_success() {
            let reader = ResponseBody { operation: self.operation, exchange: self.exchange.clone() };
            config.interceptor_state().store_put(SharedResponseDeserializer::new(reader));
        }
        Ok(())
    }
}

struct RequestBody {
    operation: Operation,
    body: SdkBody,
}

impl std::fmt::Debug for RequestBody {
    /// Values stay out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestBody").field("operation", &self.operation).finish_non_exhaustive()
    }
}

impl SerializeRequest for RequestBody {
    fn serialize_input(&self, _: Input, _: &mut ConfigBag) -> Result<HttpRequest, BoxError> {
        let body = self.body.try_clone().ok_or("a request body that cannot be cloned")?;
        let length = body.content_length().unwrap_or_default();
        let mut request = HttpRequest::new(body);
        request.set_method("POST")?;
        request.set_uri("/")?;
        let headers = request.headers_mut();
        headers.insert("content-type", "application/x-amz-json-1.0");
        headers.insert("x-amz-target", self.operation.target());
        headers.insert("content-length", length.to_string());
        Ok(request)
    }
}

struct ResponseBody {
    operation: Operation,
    exchange: Arc<Mutex<Exchange>>,
}

impl std::fmt::Debug for ResponseBody {
    /// Values stay out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResponseBody").field("operation", &self.operation).finish_non_exhaustive()
    }
}

impl DeserializeResponse for ResponseBody {
    fn deserialize_nonstreaming_with_config(
        &self,
        response: &HttpResponse,
        _: &ConfigBag,
    ) -> aws_smithy_runtime_api::client::interceptors::context::OutputOrError {
        // The bytes are shared with the response, not copied.
        let answer = response.body().try_clone();
        self.exchange.lock().unwrap_or_else(PoisonError::into_inner).answer = answer;
        Ok(self.operation.empty_output())
    }
}

/// Why there is no successful answer.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: FailureKind,
    pub(crate) message: String,
    pub(crate) outcome_known: bool,
    /// DynamoDB itself said so.
    pub(crate) answered: bool,
    /// The status of the answer.
    status: Option<u16>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailureKind {
    ConditionFailed,
    TableNotFound,
    Throttled,
    /// Throttled because of one range of keys: the rest of the table has capacity.
    HotKeys,
    Conflict,
    AccessDenied,
    Credentials,
    Unreachable,
    Timeout,
    Rejected,
    Server,
}

impl FailureKind {
    const fn name(self) -> &'static str {
        match self {
            Self::ConditionFailed => "condition_failed",
            Self::TableNotFound => "table_not_found",
            Self::Throttled | Self::HotKeys => "throttled",
            Self::Conflict => "conflict",
            Self::AccessDenied => "access_denied",
            Self::Credentials => "credentials",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::Rejected => "rejected",
            Self::Server => "server",
        }
    }
}

impl Failure {
    pub(crate) fn new<E>(error: SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        match error {
            SdkError::ServiceError(service) => {
                let status = service.raw().status().as_u16();
                // Not every operation's errors model the reasons; every answer has them.
                let body = service.raw().body().bytes().unwrap_or_default();
                let is_hot = memchr::memmem::find(body, b"KeyRangeThroughputExceeded").is_some();
                let error = service.into_err();
                let kind = match answered(error.code().unwrap_or_default(), status) {
                    FailureKind::Throttled if is_hot => FailureKind::HotKeys,
                    kind => kind,
                };
                Self {
                    kind,
                    message: describe(error.code(), error.message()),
                    outcome_known: status < 500,
                    answered: true,
                    status: Some(status),
                    source: None,
                }
            }
            SdkError::TimeoutError(_) => Self::connection(FailureKind::Timeout, error, false),
            SdkError::DispatchFailure(ref failure) => {
                let chain = chain(&error);
                if is_about_credentials(&error, &chain) {
                    return Self::connection(FailureKind::Credentials, error, true);
                }
                let kind = if failure.is_timeout() { FailureKind::Timeout } else { FailureKind::Unreachable };
                let never_sent = failure.is_user() || never_connected(&error, &chain);
                Self::connection(kind, error, never_sent)
            }
            SdkError::ConstructionFailure(_) => {
                let chain = chain(&error);
                let about_credentials = is_about_credentials(&error, &chain);
                let kind = if about_credentials { FailureKind::Credentials } else { FailureKind::Rejected };
                Self::connection(kind, error, true)
            }
            error => Self::connection(FailureKind::Server, error, false),
        }
    }

    fn local(source: Box<dyn StdError + Send + Sync>) -> Self {
        Self {
            kind: FailureKind::Rejected,
            message: String::new(),
            outcome_known: true,
            answered: false,
            status: None,
            source: Some(source),
        }
    }

    fn connection<E>(kind: FailureKind, error: SdkError<E, HttpResponse>, outcome_known: bool) -> Self
    where
        E: StdError + Send + Sync + 'static,
    {
        // The outer layers of the SDK's error say only which of them it is.
        let source = error.into_source().unwrap_or_else(|error| Box::new(error));
        Self { kind, outcome_known, ..Self::local(source) }
    }

    /// What went wrong, in a word: the code of DynamoDB's error, or our kind.
    fn code(&self) -> &str {
        match self.message.split_once(": ") {
            Some((code, _)) => code,
            None => self.kind.name(),
        }
    }

    pub(crate) fn into_error(self, subject: Subject) -> Error {
        let mut report = Report::new(subject, self.message, self.source);
        report.outcome_known = self.outcome_known;
        match self.kind {
            FailureKind::ConditionFailed => Error::ConditionFailed(report),
            FailureKind::TableNotFound => Error::TableNotFound(report),
            FailureKind::Throttled | FailureKind::HotKeys => Error::Throttled(report),
            FailureKind::Conflict => Error::Conflict(report),
            FailureKind::AccessDenied => Error::AccessDenied(report),
            FailureKind::Credentials => Error::Credentials(report),
            FailureKind::Unreachable => Error::Unreachable(report),
            FailureKind::Timeout => Error::Timeout(report),
            FailureKind::Rejected => Error::Rejected(report),
            FailureKind::Server => Error::Server(report),
        }
    }
}

/// What an error answer means to a caller.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>
fn answered(code: &str, status: u16) -> FailureKind {
    match code {
        "ConditionalCheckFailedException" => FailureKind::ConditionFailed,
        "ResourceNotFoundException" => FailureKind::TableNotFound,
        "ProvisionedThroughputExceededException"
        | "RequestLimitExceeded"
        | "ThrottlingException"
        | "Throttling"
        | "ThrottledException"
        | "TooManyRequestsException"
        | "LimitExceededException" => FailureKind::Throttled,
        "TransactionConflictException"
        | "TransactionInProgressException"
        | "ReplicatedWriteConflictException" => FailureKind::Conflict,
        "AccessDeniedException" => FailureKind::AccessDenied,
        "UnrecognizedClientException"
        | "InvalidSignatureException"
        | "IncompleteSignatureException"
        | "MissingAuthenticationTokenException"
        | "MissingAuthenticationToken"
        | "ExpiredTokenException"
        | "ExpiredToken"
        | "InvalidClientTokenId" => FailureKind::Credentials,
        // Of what stands between us and DynamoDB.
        _ if status == 429 => FailureKind::Throttled,
        _ if status == 408 => FailureKind::Timeout,
        _ if status >= 500 => FailureKind::Server,
        _ => FailureKind::Rejected,
    }
}

fn describe(code: Option<&str>, message: Option<&str>) -> String {
    match (code, message) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(text), None) | (None, Some(text)) => text.to_owned(),
        (None, None) => "an error without a code".to_owned(),
    }
}

fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text.push_str(": ");
        text.push_str(&error.to_string());
        next = error.source();
    }
    text
}

fn is_about_credentials(error: &(dyn StdError + 'static), chain: &str) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<aws_credential_types::provider::error::CredentialsError>() {
            return true;
        }
        next = error.source();
    }
    // A client that was given no credentials at all fails before it asks for any.
    chain.contains("auth scheme")
}

/// True if no connection came about, so that nothing can have been sent.
fn never_connected(error: &(dyn StdError + 'static), chain: &str) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<std::io::Error>()
            && matches!(
                error.kind(),
                std::io::ErrorKind::ConnectionRefused
                    | std::io::ErrorKind::HostUnreachable
                    | std::io::ErrorKind::NetworkUnreachable
                    | std::io::ErrorKind::AddrNotAvailable
            )
        {
            return true;
        }
        next = error.source();
    }
    // The words of hyper and of the SDK for a connection that was not made.
    chain.contains("client error (Connect)") || chain.contains("HTTP connect")
}
