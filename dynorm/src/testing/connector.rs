//! The HTTP client that injects faults, in front of the real one.

use std::fmt;
use std::io::{Error as IoError, ErrorKind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::{AggregatedBytes, ByteStream};

use super::batch::{Batch, Kind, elements, member};
use super::capacity::{Capacity, Cost, batch_get_units, batch_write_units, costs, read_surplus, table_name};
use super::faults::{Fault, Faults};
use super::log::Tally;
use super::plan::{Plan, Unprocessed};
use crate::batch::{MAX_BATCH_GET_ITEMS, MAX_BATCH_WRITE_ITEMS};
use crate::database::Database;

/// The operations that are subject to faults.
const OPERATIONS: [&str; 13] = [
    "BatchExecuteStatement",
    "BatchGetItem",
    "BatchWriteItem",
    "DeleteItem",
    "ExecuteStatement",
    "ExecuteTransaction",
    "GetItem",
    "PutItem",
    "Query",
    "Scan",
    "TransactGetItems",
    "TransactWriteItems",
    "UpdateItem",
];

impl Faults {
    /// Returns the same database, with the same tables and table prefix, behind these faults. `database`
    /// itself does not change, so a test can check there what was really executed. Each call starts over:
    /// with the first request of the script and of the seed, and with full capacity.
    ///
    /// ```
    /// use dynorm::prelude::*;
    /// use dynorm::testing::Faults;
    ///
    /// let db = Database::local("http://localhost:8000").with_table_prefix("test-");
    /// let faulty = Faults::seeded(42).cut_after(0.01).on(&db);
    /// ```
    #[must_use]
    pub fn on(&self, database: &Database) -> Database {
        let config = database.client().config();
        let client = client(self.clone(), config.http_client());
        database.with_client(Client::from_conf(config.to_builder().http_client(client).build()))
    }
}

/// Creates an HTTP client that injects faults in front of `engine`, or of the SDK's default client if it is
/// `None`.
fn client(faults: Faults, engine: Option<SharedHttpClient>) -> SharedHttpClient {
    let burst = faults.burst.unwrap_or(Duration::from_secs(1));
    let capacity = |units: Option<u32>| units.map(|units| Capacity::new(units, burst));
    let state = Arc::new(State {
        write: capacity(faults.write_capacity),
        read: capacity(faults.read_capacity),
        faults,
        requests: AtomicUsize::new(0),
    });
    let default = OnceLock::new();
    http_client_fn(move |settings, components| {
        let engine = match &engine {
            Some(engine) => engine.http_connector(settings, components),
            // It pools connections, so it is created only once.
            None => default.get_or_init(|| default_connector(settings, components)).clone(),
        };
        SharedHttpConnector::new(Connector { state: state.clone(), engine })
    })
}

fn default_connector(
    settings: &HttpConnectorSettings,
    components: &RuntimeComponents,
) -> SharedHttpConnector {
    aws_smithy_http_client::default_connector(settings, components.sleep_impl()).unwrap_or_else(|| {
        aws_smithy_http_client::Builder::new().build_http().http_connector(settings, components)
    })
}

#[derive(Debug)]
struct State {
    faults: Faults,
    write: Option<Capacity>,
    read: Option<Capacity>,
    requests: AtomicUsize,
}

#[derive(Clone)]
struct Connector {
    state: Arc<State>,
    engine: SharedHttpConnector,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("testing::Connector")
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let name = target.rsplit('.').next().unwrap_or_default();
        let only = self.state.faults.only.as_deref();
        let operation = OPERATIONS
            .into_iter()
            .find(|operation| *operation == name)
            .filter(|operation| only.is_none_or(|only| only.iter().any(|only| only == operation)));
        let Some(operation) = operation else { return self.engine.call(request) };

        // Here rather than in the future, so that requests are numbered in the order in which they are sent.
        let plan = self.state.faults.plan(self.state.requests.fetch_add(1, Ordering::Relaxed));
        let connector = self.clone();
        HttpConnectorFuture::new(async move { connector.run(operation, plan, request).await })
    }
}

type Response = Result<HttpResponse, ConnectorError>;

impl Connector {
    async fn run(&self, operation: &'static str, plan: Plan, mut request: HttpRequest) -> Response {
        let body = collect(request.take_body()).await?;
        *request.body_mut() = SdkBody::from(body.clone());
        // A body that is not UTF-8 is passed on, and the engine refuses it.
        let body = std::str::from_utf8(&body).unwrap_or_default();
        let work = Work::parse(operation, body);
        self.count(operation, |tally| {
            tally.requests += 1;
            tally.items_sent += count(work.items);
        });
        if !plan.delay.is_zero() {
            tokio::time::sleep(plan.delay).await;
        }
        match plan.fault {
            Fault::Throttle => self.throttle(&work, plan.chance),
            Fault::HotKeyRange => {
                self.count(operation, |tally| tally.hot_key_ranges += 1);
                respond(
                    400,
                    match work.cancelled("ThrottlingError", plan.chance) {
                        Some(cancelled) => cancelled,
                        None => work.throttled("ThrottlingException", "throttlingReasons", "KeyRange"),
                    },
                )
            }
            Fault::ServerError => {
                self.count(operation, |tally| tally.server_errors += 1);
                respond(500, error("InternalServerError", "Internal server error (dynorm::testing)"))
            }
            Fault::Refused => {
                self.count(operation, |tally| tally.refused += 1);
                Err(ConnectorError::io(IoError::from(ErrorKind::ConnectionRefused).into()))
            }
            Fault::CutBefore => {
                self.count(operation, |tally| tally.cut_before += 1);
                Err(cut())
            }
            Fault::CutAfter => {
                // Even an answer that is an error is lost.
                self.execute(&work, plan, request).await?;
                self.count(operation, |tally| tally.cut_after += 1);
                Err(cut())
            }
            Fault::Conflict if work.may_conflict() => {
                self.count(operation, |tally| tally.conflicts += 1);
                respond(
                    400,
                    work.cancelled("TransactionConflict", plan.chance).unwrap_or_else(|| {
                        let message = "Transaction is ongoing for the item (dynorm::testing)";
                        error("TransactionConflictException", message)
                    }),
                )
            }
            Fault::InProgress if operation == "TransactWriteItems" => {
                self.count(operation, |tally| tally.in_progress += 1);
                let message =
                    "The transaction with the given request token is already in progress (dynorm::testing)";
                respond(400, error("TransactionInProgressException", message))
            }
            Fault::Conflict | Fault::InProgress => self.execute(&work, plan, request).await,
            Fault::None | Fault::Unprocessed(_) | Fault::Delay(_) => self.execute(&work, plan, request).await,
        }
    }

    async fn execute(&self, work: &Work<'_>, plan: Plan, mut request: HttpRequest) -> Response {
        let capacity = if work.is_read() { &self.state.read } else { &self.state.write };
        let batch = work.batch.as_ref().filter(|batch| (1..=work.most_items()).contains(&batch.len()));
        let keep = match batch {
            Some(batch) => keep(batch, plan.unprocessed, plan.chance.clone(), capacity.as_ref()),
            None => {
                let enough = capacity.as_ref().is_none_or(|capacity| {
                    // A batch of an invalid size is passed on, and the engine refuses it.
                    work.batch.is_some() || capacity.take_all(&costs(work.operation, work.body))
                });
                if !enough {
                    return self.throttle(work, plan.chance);
                }
                Vec::new()
            }
        };
        let kept = keep.iter().filter(|keep| **keep).count();
        let rewritten = batch.filter(|_| kept < keep.len());
        if let Some(batch) = rewritten {
            if kept == 0 {
                return self.throttle(work, plan.chance);
            }
            let body = batch.request(&keep);
            set(request.headers_mut(), "content-length", &body.len())?;
            *request.body_mut() = SdkBody::from(body);
        }

        let mut response = self.engine.call(request).await?;
        if !response.status().is_success() || (work.batch.is_none() && capacity.is_none()) {
            if response.status().is_success() {
                self.executed(work, work.items, 0);
            }
            return Ok(response);
        }
        let bytes = collect(response.take_body()).await?;
        let answer = std::str::from_utf8(&bytes).unwrap_or_default();
        if let Some(capacity) = capacity {
            for Cost { table, units } in read_surplus(work.operation, work.body, answer) {
                capacity.charge(&table, units);
            }
        }
        let by_engine = work.batch.as_ref().map_or(0, |batch| batch.handed_back_by_engine(answer));
        let handed_back = by_engine + keep.len() - kept;
        self.executed(work, work.items.saturating_sub(handed_back), handed_back);
        let body = match rewritten.map(|batch| batch.answer(answer, &keep)) {
            None => SdkBody::from(bytes),
            Some(Ok(body)) => {
                let headers = response.headers_mut();
                // The checksum of the original body.
                headers.remove("x-amz-crc32");
                if headers.contains_key("content-length") {
                    set(headers, "content-length", &body.len())?;
                }
                SdkBody::from(body)
            }
            Some(Err(error)) => return Err(ConnectorError::other(error.into(), None)),
        };
        *response.body_mut() = body;
        Ok(response)
    }

    fn executed(&self, work: &Work<'_>, executed: usize, handed_back: usize) {
        self.count(work.operation, |tally| {
            tally.executed += 1;
            tally.items_executed += count(executed);
            tally.items_unprocessed += count(handed_back);
            tally.partly_unprocessed += u64::from(handed_back > 0);
        });
    }

    fn throttle(&self, work: &Work<'_>, chance: fastrand::Rng) -> Response {
        self.count(work.operation, |tally| tally.throttled += 1);
        if let Some(cancelled) = work.cancelled("ProvisionedThroughputExceeded", chance) {
            return respond(400, cancelled);
        }
        let code = "ProvisionedThroughputExceededException";
        respond(400, work.throttled(code, "ThrottlingReasons", "Provisioned"))
    }

    fn count(&self, operation: &'static str, count: impl FnOnce(&mut Tally)) {
        self.state.faults.log.count(operation, count);
    }
}

/// A request, as far as faults depend on it.
struct Work<'a> {
    operation: &'static str,
    body: &'a str,
    batch: Option<Batch<'a>>,
    items: usize,
}

impl<'a> Work<'a> {
    fn parse(operation: &'static str, body: &'a str) -> Self {
        let kind = match operation {
            "BatchWriteItem" => Some(Kind::Write),
            "BatchGetItem" => Some(Kind::Read),
            _ => None,
        };
        let batch = kind.and_then(|kind| Batch::parse(kind, body).ok());
        let length =
            |name: &str| member(body, name).and_then(|list| elements(list).ok()).map_or(0, |list| list.len());
        let items = match operation {
            "PutItem" | "GetItem" | "UpdateItem" | "DeleteItem" | "ExecuteStatement" => 1,
            "TransactWriteItems" | "TransactGetItems" => length("TransactItems"),
            "ExecuteTransaction" => length("TransactStatements"),
            "BatchExecuteStatement" => length("Statements"),
            _ => batch.as_ref().map_or(0, Batch::len),
        };
        Self { operation, body, batch, items }
    }

    fn is_read(&self) -> bool {
        matches!(self.operation, "BatchGetItem" | "GetItem" | "Query" | "Scan" | "TransactGetItems")
    }

    fn is_transaction(&self) -> bool {
        matches!(self.operation, "TransactWriteItems" | "TransactGetItems")
    }

    fn may_conflict(&self) -> bool {
        self.is_transaction() || matches!(self.operation, "PutItem" | "UpdateItem" | "DeleteItem")
    }

    /// Returns the error of a transaction that is cancelled because of one of its items, picked at random.
    fn cancelled(&self, code: &str, mut chance: fastrand::Rng) -> Option<String> {
        if !self.is_transaction() || self.items == 0 {
            return None;
        }
        let picked = chance.usize(..self.items);
        let code = |item: usize| if item == picked { code } else { "None" };
        let listed = (0..self.items).map(code).collect::<Vec<_>>().join(", ");
        let reasons = (0..self.items).map(|item| match code(item) {
            "None" => serde_json::json!({ "Code": "None" }),
            code => serde_json::json!({ "Code": code, "Message": "as a test wants it (dynorm::testing)" }),
        });
        let mut error = error_value(
            "TransactionCanceledException",
            &format!(
                "Transaction cancelled, please refer cancellation reasons for specific reasons [{listed}]"
            ),
        );
        error["CancellationReasons"] = reasons.collect();
        Some(error.to_string())
    }

    fn most_items(&self) -> usize {
        if self.is_read() { MAX_BATCH_GET_ITEMS } else { MAX_BATCH_WRITE_ITEMS }
    }

    /// Returns the error of a throttled request, with the reason in DynamoDB's form.
    fn throttled(&self, code: &str, reasons: &str, what: &str) -> String {
        let table = match &self.batch {
            Some(batch) => batch.tables().first().map(super::batch::Table::name),
            None => table_name(self.body)
                .or_else(|| costs(self.operation, self.body).into_iter().next().map(|cost| cost.table)),
        };
        let reason =
            format!("Table{}{what}ThroughputExceeded", if self.is_read() { "Read" } else { "Write" });
        let table = table.unwrap_or_default();
        let mut error = error_value(
            code,
            "The level of configured provisioned throughput for the table was exceeded (dynorm::testing)",
        );
        error[reasons] = serde_json::json!([{
            "reason": reason,
            "resource": format!("arn:aws:dynamodb:local:000000000000:table/{table}"),
        }]);
        error.to_string()
    }
}

/// Decides which items of a batch are executed: those that are not picked as unprocessed, as far as the
/// capacity of their tables allows.
fn keep(
    batch: &Batch<'_>,
    unprocessed: Unprocessed,
    mut chance: fastrand::Rng,
    capacity: Option<&Capacity>,
) -> Vec<bool> {
    let mut keep = unprocessed.keep(batch.len(), &mut chance);
    let Some(capacity) = capacity else { return keep };
    let mut flags = keep.iter_mut();
    for table in batch.tables() {
        let name = table.name();
        for (item, keep) in table.items.iter().zip(flags.by_ref()) {
            let units = || match batch.kind() {
                Kind::Write => batch_write_units(item),
                Kind::Read => batch_get_units(table),
            };
            *keep = *keep && capacity.take(&name, units());
        }
    }
    keep
}

async fn collect(body: SdkBody) -> Result<Vec<u8>, ConnectorError> {
    let body = ByteStream::new(body).collect().await;
    body.map(AggregatedBytes::to_vec).map_err(|error| ConnectorError::io(error.into()))
}

fn count(items: usize) -> u64 {
    u64::try_from(items).unwrap_or(u64::MAX)
}

fn cut() -> ConnectorError {
    ConnectorError::io(IoError::from(ErrorKind::ConnectionReset).into())
}

fn error(code: &str, message: &str) -> String {
    error_value(code, message).to_string()
}

fn error_value(code: &str, message: &str) -> serde_json::Value {
    serde_json::json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": message })
}

fn respond(status: u16, body: String) -> Response {
    let status = status.try_into().map_err(|error| ConnectorError::other(Box::new(error), None))?;
    let mut response = HttpResponse::new(status, SdkBody::from(body));
    set(response.headers_mut(), "content-type", "application/x-amz-json-1.0")?;
    set(response.headers_mut(), "x-amzn-requestid", "FAULT")?;
    Ok(response)
}

fn set(
    headers: &mut aws_smithy_runtime_api::http::Headers,
    name: &'static str,
    value: &(impl ToString + ?Sized),
) -> Result<(), ConnectorError> {
    let set = headers.try_insert(name, value.to_string());
    set.map(drop).map_err(|error| ConnectorError::other(error.into(), None))
}
