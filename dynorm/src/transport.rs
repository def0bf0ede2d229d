//! The one module that knows how dynorm's bytes travel through the AWS SDK.
//!
//! The SDK signs, sends, times out, pools and retries; the request body is ours, and so is the reading of the answer. Both
//! enter through the SDK's public extension points: an interceptor puts a serializer into the operation's configuration
//! before it starts, and a deserializer once an answer has come and is a success. Any other answer still goes through the
//! SDK's own deserializer, so that its error types and its retry classifiers work as ever.

use std::error::Error as StdError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

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

use crate::codec::ValueError;
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

/// Sends `body` and gives back the answer, if it is a success. The table is named to the SDK too, since its endpoint rules
/// read it.
pub(crate) async fn send(
    client: &Client,
    operation: Operation,
    table: &str,
    body: Vec<u8>,
) -> Result<Answer, Failure> {
    let answer = Arc::new(Mutex::new(None));
    let unanswered = Arc::new(AtomicBool::new(false));
    let splice = Splice {
        operation,
        body: SdkBody::from(body),
        answer: answer.clone(),
        unanswered: unanswered.clone(),
    };
    macro_rules! send {
        ($builder:expr) => {
            $builder.customize().interceptor(splice).send().await.map(drop).map_err(|error| {
                let failure = Failure::new(error);
                // The SDK reports its last attempt, and an earlier one may have been carried out.
                let outcome_known = failure.outcome_known && !unanswered.load(Ordering::Relaxed);
                Failure { outcome_known, ..failure }
            })
        };
    }
    match operation {
        Operation::PutItem => send!(client.put_item().table_name(table)),
        Operation::GetItem => send!(client.get_item().table_name(table)),
        Operation::UpdateItem => send!(client.update_item().table_name(table)),
        Operation::DeleteItem => send!(client.delete_item().table_name(table)),
        Operation::BatchWriteItem => send!(client.batch_write_item().request_items(table, Vec::new())),
        Operation::BatchGetItem => {
            let keys = KeysAndAttributes::builder().set_keys(Some(Vec::new())).build();
            let keys = keys.map_err(|error| Failure::local(error.into()))?;
            send!(client.batch_get_item().request_items(table, keys))
        }
        Operation::Query => send!(client.query().table_name(table)),
        Operation::Scan => send!(client.scan().table_name(table)),
    }?;
    let body = answer.lock().unwrap_or_else(PoisonError::into_inner).take();
    body.map(Answer).ok_or_else(|| Failure {
        kind: FailureKind::Server,
        outcome_known: false,
        ..Failure::local("the SDK ended the operation without an answer".into())
    })
}

/// The body of a successful answer.
pub(crate) struct Answer(SdkBody);

impl Answer {
    pub(crate) fn text(&self) -> Result<&str, ValueError> {
        std::str::from_utf8(self.0.bytes().unwrap_or_default())
            .map_err(|_| ValueError::new("the answer is not UTF-8"))
    }
}

/// Puts dynorm's bytes in the place of the SDK's.
struct Splice {
    operation: Operation,
    body: SdkBody,
    answer: Arc<Mutex<Option<SdkBody>>>,
    /// An attempt was sent and got no answer that says whether it was carried out.
    unanswered: Arc<AtomicBool>,
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
        self.unanswered.fetch_or(may_be_done, Ordering::Relaxed);
        Ok(())
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if context.response().status().is_success() {
            let reader = ResponseBody { operation: self.operation, answer: self.answer.clone() };
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
    answer: Arc<Mutex<Option<SdkBody>>>,
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
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = response.body().try_clone();
        Ok(self.operation.empty_output())
    }
}

/// Why there is no successful answer.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: FailureKind,
    pub(crate) message: String,
    pub(crate) outcome_known: bool,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailureKind {
    ConditionFailed,
    TableNotFound,
    Throttled,
    Conflict,
    AccessDenied,
    Credentials,
    Unreachable,
    Timeout,
    Rejected,
    Server,
}

impl Failure {
    pub(crate) fn new<E>(error: SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        match error {
            SdkError::ServiceError(service) => {
                let status = service.raw().status().as_u16();
                let error = service.into_err();
                Self {
                    kind: answered(error.code().unwrap_or_default(), status),
                    message: describe(error.code(), error.message()),
                    outcome_known: status < 500,
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
            source: Some(source),
        }
    }

    fn connection<E>(kind: FailureKind, error: SdkError<E, HttpResponse>, outcome_known: bool) -> Self
    where
        E: StdError + Send + Sync + 'static,
    {
        // The outer layers of the SDK's error say only which of them it is.
        let source = error.into_source().unwrap_or_else(|error| Box::new(error));
        Self { kind, message: String::new(), outcome_known, source: Some(source) }
    }

    pub(crate) fn into_error(self, subject: Subject) -> Error {
        let mut report = Report::new(subject, self.message, self.source);
        report.outcome_known = self.outcome_known;
        match self.kind {
            FailureKind::ConditionFailed => Error::ConditionFailed(report),
            FailureKind::TableNotFound => Error::TableNotFound(report),
            FailureKind::Throttled => Error::Throttled(report),
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
