//! Sending requests through the AWS SDK, with dynorm's own bodies. Only this module knows how.
//!
//! The SDK signs, sends, retries, pools connections and enforces timeouts. dynorm writes the request body and
//! reads the answer, through the SDK's public extension points: an interceptor stores a serializer in the
//! operation's configuration before the operation starts, and a deserializer once a successful answer has
//! arrived. Every other answer goes through the SDK's own deserializer, so its error types and retry
//! classifiers work as usual.
//!
//! The interceptor belongs to the client, since one that is given to a single operation makes the SDK build a
//! configuration for that operation alone. It finds the operation in flight in a task-local variable.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeDeserializationInterceptorContextMut, BeforeSerializationInterceptorContextRef,
    BeforeTransmitInterceptorContextMut, FinalizerInterceptorContextRef, Input,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::{
    HttpRequest, HttpResponse, OrchestratorError, SensitiveOutput,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::client::ser_de::{
    DeserializeResponse, SerializeRequest, SharedRequestSerializer, SharedResponseDeserializer,
};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use tokio::time::Instant;

mod answer;
mod failure;
mod limits;
mod operation;
mod quiet;
mod repeat;
mod runtime;

pub(crate) use answer::Answer;
use answer::NoAnswer;
pub(crate) use failure::{CancellationReason, Failure, FailureKind};
use failure::{chain, is_refusal, never_connected};
pub(crate) use limits::limits_of;
pub(crate) use operation::Operation;
pub(crate) use quiet::{is_traced, opaque};
pub(crate) use repeat::{Repeat, send_transaction, send_write};
pub(crate) use runtime::{check_runtime, in_runtime};

/// A client whose operations send dynorm's bodies.
#[derive(Clone, Debug)]
pub(crate) struct Carrier(Client);

impl Carrier {
    pub(crate) fn new(config: aws_sdk_dynamodb::config::Builder) -> Self {
        Self(Client::from_conf(config.interceptor(Relay).build()))
    }
}

tokio::task_local! {
    /// The operation in flight.
    static IN_FLIGHT: Splice;
}

/// Sends `body`, and returns the answer if it is a success.
pub(crate) async fn send(
    client: &Carrier,
    operation: Operation,
    table: &str,
    body: Vec<u8>,
) -> Result<Answer, Failure> {
    let sent = send_batch(client, operation, &[table], None, body).await;
    // A read changes nothing, even if it gets no answer.
    sent.map_err(|failure| Failure { outcome_known: failure.outcome_known || operation.is_read(), ..failure })
}

/// The same for several items of several tables. The SDK gets the tables too, since its endpoint rules read
/// them.
pub(crate) async fn send_batch(
    client: &Carrier,
    operation: Operation,
    tables: &[&str],
    items: Option<usize>,
    body: Vec<u8>,
) -> Result<Answer, Failure> {
    let start = Instant::now();
    let exchange = Arc::new(Mutex::new(Exchange::default()));
    let body = SdkBody::from(body);
    let outcome = execute(client, operation, tables, &body, &exchange).await;
    let exchange = std::mem::take(&mut *exchange.lock().unwrap_or_else(PoisonError::into_inner));
    let outcome = match outcome {
        Ok(()) => exchange.answer.ok_or_else(|| Failure {
            kind: FailureKind::Server,
            outcome_known: false,
            answered: false,
            ..Failure::local("the SDK ended the operation without an answer".into())
        }),
        // The SDK reports only its last attempt, and an earlier one may have been carried out.
        Err(failure) => {
            let failure = failure.of(operation.is_read(), body.bytes().unwrap_or_default());
            let failure = if exchange.sent { failure } else { failure.unsent() };
            Err(Failure { outcome_known: failure.outcome_known && !exchange.unanswered, ..failure })
        }
    };
    if tracing::enabled!(target: "dynorm", tracing::Level::DEBUG) {
        let event =
            RequestEvent { operation, tables, items, request: exchange.request_id, elapsed: start.elapsed() };
        event.emit(outcome.as_ref());
    }
    outcome
}

async fn execute(
    Carrier(client): &Carrier,
    operation: Operation,
    tables: &[&str],
    body: &SdkBody,
    exchange: &Arc<Mutex<Exchange>>,
) -> Result<(), Failure> {
    let asked = || body.try_clone().unwrap_or_else(SdkBody::empty);
    let request = RequestBody { operation, body: asked() };
    let (body, exchange) = (SharedRequestSerializer::new(request), exchange.clone());
    let splice = Splice { operation, body, asked: asked(), exchange };
    runtime::with_sockets(IN_FLIGHT.scope(splice, (operation.send)(client, tables))).await
}

/// The result of an operation, filled in while the SDK runs.
#[derive(Default)]
struct Exchange {
    answer: Option<Answer>,
    /// The request id of the last attempt, as the server sent it.
    request_id: Option<String>,
    /// True if an attempt was handed to the HTTP client.
    sent: bool,
    /// True if an attempt was sent and no answer says whether it was carried out.
    unanswered: bool,
}

/// The trace event of a request, with the attribute names of OpenTelemetry's conventions for DynamoDB.
/// <https://opentelemetry.io/docs/specs/semconv/database/dynamodb/>
struct RequestEvent<'e> {
    operation: Operation,
    tables: &'e [&'e str],
    items: Option<usize>,
    request: Option<String>,
    elapsed: Duration,
}

impl RequestEvent<'_> {
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

/// Replaces the SDK's body of a request, and its reader of the answer, with dynorm's.
struct Splice {
    operation: Operation,
    body: SharedRequestSerializer,
    /// The same body, to check the answer against.
    asked: SdkBody,
    exchange: Arc<Mutex<Exchange>>,
}

impl Splice {
    fn begin(&self, config: &mut ConfigBag) {
        config.interceptor_state().store_put(self.body.clone());
        // Keeps the answer out of the SDK's trace.
        config.interceptor_state().store_put(SensitiveOutput);
    }

    fn attempted(&self, context: &FinalizerInterceptorContextRef<'_>) {
        let may_be_done = match (context.response(), context.output_or_error()) {
            // After a 500 the write may have succeeded, as DynamoDB documents; and an answer that is not from
            // DynamoDB says nothing.
            (Some(response), Some(Err(_))) => !is_refusal(response.status().as_u16()),
            (Some(_), _) => false,
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
    }

    fn sending(&self, request: &mut HttpRequest) {
        self.exchange.lock().unwrap_or_else(PoisonError::into_inner).sent = true;
        if is_traced() {
            let body = std::mem::replace(request.body_mut(), SdkBody::taken());
            *request.body_mut() = opaque(body);
        }
    }

    fn answered(&self, config: &mut ConfigBag) {
        let asked = self.asked.try_clone().unwrap_or_else(SdkBody::empty);
        let reader = ResponseBody { operation: self.operation, asked, exchange: self.exchange.clone() };
        config.interceptor_state().store_put(SharedResponseDeserializer::new(reader));
    }
}

/// The interceptor, which forwards the SDK's events to the [`Splice`] of the operation in flight.
#[derive(Debug)]
struct Relay;

impl Relay {
    fn with_splice(run: impl FnOnce(&Splice)) -> Result<(), BoxError> {
        IN_FLIGHT.try_with(run).map_err(|_| "no operation of dynorm is under way in this task".into())
    }
}

#[dyn_dispatch_hint]
impl Intercept for Relay {
    fn name(&self) -> &'static str {
        "dynorm"
    }

    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        Self::with_splice(|splice| splice.begin(config))
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        Self::with_splice(|splice| splice.sending(context.request_mut()))
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        Self::with_splice(|splice| splice.attempted(context))
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if context.response().status().is_success() {
            Self::with_splice(|splice| splice.answered(config))?;
        }
        Ok(())
    }
}

struct RequestBody {
    operation: Operation,
    body: SdkBody,
}

impl std::fmt::Debug for RequestBody {
    /// Shows no values: they stay out of logs.
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
        let headers = request.headers_mut();
        headers.insert("content-type", "application/x-amz-json-1.0");
        headers.insert("x-amz-target", self.operation.target());
        headers.insert("content-length", length.to_string());
        Ok(request)
    }
}

struct ResponseBody {
    operation: Operation,
    asked: SdkBody,
    exchange: Arc<Mutex<Exchange>>,
}

impl std::fmt::Debug for ResponseBody {
    /// Shows no values: they stay out of logs.
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
        let body = response.body().try_clone().unwrap_or_else(SdkBody::empty);
        let asked = self.asked.bytes().unwrap_or_default();
        // An invalid answer counts as a lost one, after which the SDK may try again.
        let answer = Answer::new(self.operation.answer, asked, body)
            .map_err(|error| OrchestratorError::response(NoAnswer(error).into()))?;
        self.exchange.lock().unwrap_or_else(PoisonError::into_inner).answer = Some(answer);
        Ok((self.operation.empty_output)())
    }
}
