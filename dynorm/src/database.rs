//! Databases: how they are opened, and which one an operation uses.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, PoisonError, RwLock};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};

use crate::entity::{Entity, EntityInfo};
use crate::error::{Error, Result};
use crate::transport::{Carrier, check_runtime, limits_of};

/// A database: DynamoDB on AWS, DynamoDB Local, ScyllaDB's Alternator, or one embedded in this process.
///
/// A clone is cheap, and shares the connections. An operation uses the first of these: `.on(&db)` on the
/// operation, a [`scope`](Self::scope) around it, the database of [`install`](Self::install).
///
/// ```
/// use dynorm::prelude::*;
///
/// # #[derive(Entity, Clone, Debug, Default)]
/// # struct User { #[entity(id)] id: Id<User>, email: String }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> dynorm::Result<()> {
/// let db = Database::memory()?;
/// db.create_table::<User>().await?;
/// db.install();
///
/// let user = UserRepo::save(User { email: "ada@example.com".into(), ..Default::default() }).await?;
/// assert_eq!(UserRepo::get(user.id).await?.email, "ada@example.com");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Database {
    inner: Arc<Inner>,
}

#[derive(Clone)]
struct Inner {
    client: Client,
    /// The same client, for operations on entities.
    carrier: Carrier,
    /// The same client without the SDK's retries, for operations that dynorm itself retries.
    once: Carrier,
    prefix: String,
    /// Why every operation fails: the endpoint is not a URL.
    problem: Option<String>,
}

/// The database of [`Database::install`].
static INSTALLED: RwLock<Option<Database>> = RwLock::new(None);

tokio::task_local! {
    /// The database of [`Database::scope`].
    static SCOPED: Database;
}

impl Database {
    /// Creates a database from a client of the SDK, with its credentials, region, timeouts and retries.
    ///
    /// # Time limits
    /// A server that accepts a request and never answers would block an operation forever. So the time limits
    /// that the client neither sets nor disables are set here; [`from_env`](Self::from_env) and
    /// [`local`](Self::local) have the same limits.
    ///
    /// | limit of the SDK's `TimeoutConfig` | value | why |
    /// |---|---|---|
    /// | `connect_timeout` | 3.1 s | the SDK's own default |
    /// | `read_timeout` | 30 s | to the first byte of the answer, after a request of up to 16 MB |
    /// | `operation_attempt_timeout` | 90 s | an answer of 16 MB at 1.5 Mbit/s; also stops slow senders |
    /// | `operation_timeout` | 300 s | three attempts of the SDK, with the delays between them |
    ///
    /// They apply to one request of the SDK. Operations that dynorm itself retries (writes with a condition,
    /// transactions, batches) may take several requests; [`Retry::deadline`](crate::Retry::deadline) limits a
    /// whole batch. A write that times out may have been applied: [`Error::outcome_known`] returns false.
    ///
    /// # Traces
    /// dynorm's trace events contain no attribute values. Those of the SDK may at the level TRACE: its errors
    /// contain the items that failed conditions found, and the bodies of a custom HTTP client may be shown.
    /// If items are confidential, keep `aws_smithy_runtime` at DEBUG, for example by the filter
    /// `trace,aws_smithy_runtime=debug`.
    ///
    /// ```
    /// # use dynorm::Database;
    /// # fn open(config: &dynorm::aws::config::Config) -> Database {
    /// Database::new(dynorm::aws::Client::from_conf(config.clone())).with_table_prefix("prod-")
    /// # }
    /// ```
    #[must_use]
    #[allow(clippy::needless_pass_by_value, reason = "the caller gives it away, whatever is made of it")]
    pub fn new(client: Client) -> Self {
        let limits = limits_of(client.config());
        let config = || client.config().to_builder().timeout_config(limits.clone());
        Self {
            inner: Arc::new(Inner {
                carrier: Carrier::new(config()),
                once: Carrier::new(config().retry_config(RetryConfig::disabled())),
                client: Client::from_conf(config().build()),
                prefix: String::new(),
                problem: None,
            }),
        }
    }

    /// Opens the database that environment variables name.
    ///
    /// | variable | meaning |
    /// |---|---|
    /// | `DYNORM_DATABASE` | `aws` (the default), `memory`, or `file:PATH` |
    /// | `DYNAMODB_ENDPOINT` | the URL of the endpoint, for `aws`; by default that of the region |
    /// | `DYNORM_TABLE_PREFIX` | the prefix of the names of all tables |
    ///
    /// On AWS, credentials and region come from the SDK's default chain (feature `aws`, on by default). An
    /// endpoint on this machine is opened by [`local`](Self::local), so DynamoDB Local needs no
    /// configuration.
    ///
    /// Fails with [`Error::Configuration`] for an unknown value, and for one whose feature is not enabled.
    /// Credentials are checked only when the first request is sent.
    ///
    /// ```no_run
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// dynorm::Database::from_env().await?.install();
    /// # Ok(())
    /// # }
    /// ```
    pub async fn from_env() -> Result<Self> {
        let endpoint = variable("DYNAMODB_ENDPOINT")?;
        if let Some(problem) = endpoint.as_deref().and_then(url_problem) {
            return Err(Error::configuration(format!("DYNAMODB_ENDPOINT: {problem}"), None));
        }
        let database = match variable("DYNORM_DATABASE")?.as_deref() {
            None | Some("aws") => match endpoint {
                Some(url) if is_this_machine(&url) => Self::local(&url),
                endpoint => Self::from_aws(endpoint).await?,
            },
            Some("memory") => Self::memory_if_enabled()?,
            Some(other) => match other.strip_prefix("file:") {
                Some(path) => Self::file_if_enabled(path)?,
                None => {
                    return Err(Error::configuration(
                        format!("DYNORM_DATABASE is {other:?}; it can be `aws`, `memory` or `file:PATH`"),
                        None,
                    ));
                }
            },
        };
        Ok(match variable("DYNORM_TABLE_PREFIX")? {
            Some(prefix) => database.with_table_prefix(prefix),
            None => database,
        })
    }

    /// Opens a local server, such as DynamoDB Local or ScyllaDB's Alternator, at a URL such as
    /// `http://localhost:8000`.
    ///
    /// It uses placeholder credentials and the region `us-east-1`, by which DynamoDB Local separates its
    /// tables. Nothing is sent yet: an invalid URL is an [`Error::Configuration`] of the first operation.
    /// `https` needs the feature `aws`. For other credentials, build a client of the SDK and call
    /// [`new`](Self::new).
    ///
    /// ```
    /// let db = dynorm::Database::local("http://localhost:8000");
    /// ```
    #[must_use]
    pub fn local(endpoint: impl Into<String>) -> Self {
        let mut endpoint = endpoint.into();
        let problem = url_problem(&endpoint);
        if problem.is_some() {
            // The SDK panics for an invalid URL. Operations fail with `problem` before they use the client.
            endpoint = "http://invalid.invalid".to_owned();
        }
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("us-east-1"))
            .credentials_provider(Credentials::new("dynorm", "dynorm", None, None, "dynorm"));
        let config = if cfg!(feature = "aws") && endpoint.starts_with("https:") {
            config
        } else {
            config.http_client(aws_smithy_http_client::Builder::new().build_http())
        };
        let mut database = Self::new(Client::from_conf(config.endpoint_url(endpoint).build()));
        if let Some(inner) = Arc::get_mut(&mut database.inner) {
            inner.problem = problem;
        }
        database
    }

    /// Creates an empty database in the memory of this process. It is dropped with its last clone.
    ///
    /// It refuses what DynamoDB refuses: limits of keys, items, expressions and batches, operands of the
    /// wrong type, and attributes that a global index does not hold. It accepts these requests, which
    /// DynamoDB does not:
    ///
    /// - a comparison or function whose operands are the same path;
    /// - redundant parentheses in an update, paths of more than 32 levels, and list positions above 2³¹;
    /// - empty or too long values in a key condition, and an index key set by `if_not_exists`;
    /// - placeholder values of more than 2 MB together, and attribute names above 65,535 bytes;
    /// - the limits of the legacy parameters (`AttributesToGet`, `ScanFilter`, …) and of PartiQL.
    ///
    /// Every read is consistent, nothing is throttled or left unprocessed, transactions never conflict, and
    /// expired items are not deleted.
    ///
    /// ```
    /// let db = dynorm::Database::memory()?;
    /// # Ok::<(), dynorm::Error>(())
    /// ```
    #[cfg(feature = "embedded")]
    pub fn memory() -> Result<Self> {
        crate::embedded::memory()
            .map(Self::new)
            .map_err(|error| Error::configuration(error.to_string(), None))
    }

    /// Opens an embedded database in a file, which is created if it does not exist.
    ///
    /// Writes survive the process. A power failure may undo the last writes, but does not damage the file.
    /// Several databases and processes may have the file open; delete tables only while no other uses them.
    ///
    /// ```no_run
    /// let db = dynorm::Database::file("app.db")?;
    /// # Ok::<(), dynorm::Error>(())
    /// ```
    #[cfg(feature = "embedded")]
    pub fn file(path: impl AsRef<std::path::Path>) -> Result<Self> {
        crate::embedded::file(path.as_ref())
            .map(Self::new)
            .map_err(|error| Error::configuration(error.to_string(), None))
    }

    /// Sets a prefix for the names of all tables, such as for several environments in one account.
    ///
    /// ```
    /// # use dynorm::Database;
    /// let staging = Database::local("http://localhost:8000").with_table_prefix("staging-");
    /// ```
    #[must_use]
    pub fn with_table_prefix(self, prefix: impl Into<String>) -> Self {
        let mut inner = Arc::unwrap_or_clone(self.inner);
        inner.prefix = prefix.into();
        Self { inner: Arc::new(inner) }
    }

    /// Makes this the default database of all operations, in every task. A later call replaces it.
    ///
    /// ```
    /// dynorm::Database::memory()?.install();
    /// # Ok::<(), dynorm::Error>(())
    /// ```
    pub fn install(&self) {
        *INSTALLED.write().unwrap_or_else(PoisonError::into_inner) = Some(self.clone());
    }

    /// Runs `future` with this as the database of its operations. Tasks that it spawns are outside of the
    /// scope: use `.on(&db)` or a scope of their own there.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct Note { #[entity(partition)] title: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// let db = Database::memory()?;
    /// let notes = db.scope(async {
    ///     db.create_table::<Note>().await?;
    ///     NoteRepo::all().await
    /// });
    /// assert!(notes.await?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn scope<F: Future>(&self, future: F) -> F::Output {
        SCOPED.scope(self.clone(), future).await
    }

    /// Returns the SDK's client, for everything that dynorm does not do.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let db = dynorm::Database::memory()?;
    /// assert!(db.client().list_tables().send().await?.table_names().is_empty());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.inner.client
    }

    /// Returns the name of the table of `E` in this database, with the table prefix.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct Note { #[entity(partition)] title: String }
    /// let db = Database::local("http://localhost:8000").with_table_prefix("test-");
    /// assert_eq!(db.table_name::<Note>(), "test-notes");
    /// ```
    #[must_use]
    pub fn table_name<E: Entity>(&self) -> String {
        self.table(E::INFO)
    }

    /// Returns the same database with another client.
    #[cfg(feature = "testing")]
    pub(crate) fn with_client(&self, client: Client) -> Self {
        let mut database = Self::new(client).with_table_prefix(self.inner.prefix.clone());
        if let Some(inner) = Arc::get_mut(&mut database.inner) {
            inner.problem.clone_from(&self.inner.problem);
        }
        database
    }

    pub(crate) fn table(&self, info: &EntityInfo) -> String {
        format!("{}{}", self.inner.prefix, info.table)
    }

    /// Returns the client for operations on entities.
    pub(crate) fn carrier(&self) -> &Carrier {
        &self.inner.carrier
    }

    /// Returns the same client without the SDK's retries.
    pub(crate) fn once(&self) -> &Carrier {
        &self.inner.once
    }

    /// Returns the database of an operation: the given one, that of the scope, or the installed one.
    pub(crate) fn of_operation(named: Option<Self>) -> Result<Self> {
        let installed = || INSTALLED.read().unwrap_or_else(PoisonError::into_inner).clone();
        let database = named.or_else(|| SCOPED.try_with(Clone::clone).ok()).or_else(installed);
        let database = database.ok_or(Error::NoDatabase)?;
        check_runtime()?;
        match &database.inner.problem {
            None => Ok(database),
            Some(problem) => Err(Error::configuration(problem.clone(), None)),
        }
    }

    #[cfg(feature = "aws")]
    async fn from_aws(endpoint: Option<String>) -> Result<Self> {
        let mut loader = aws_config::defaults(BehaviorVersion::latest());
        if let Some(endpoint) = endpoint {
            loader = loader.endpoint_url(endpoint);
        }
        Ok(Self::new(Client::new(&loader.load().await)))
    }

    #[cfg(not(feature = "aws"))]
    async fn from_aws(endpoint: Option<String>) -> Result<Self> {
        match endpoint {
            Some(endpoint) => Ok(Self::local(endpoint)),
            None => Err(needs_feature("aws", "aws")),
        }
    }

    #[cfg(feature = "embedded")]
    fn memory_if_enabled() -> Result<Self> {
        Self::memory()
    }

    #[cfg(not(feature = "embedded"))]
    fn memory_if_enabled() -> Result<Self> {
        Err(needs_feature("memory", "embedded"))
    }

    #[cfg(feature = "embedded")]
    fn file_if_enabled(path: &str) -> Result<Self> {
        Self::file(path)
    }

    #[cfg(not(feature = "embedded"))]
    fn file_if_enabled(path: &str) -> Result<Self> {
        Err(needs_feature(&format!("file:{path}"), "embedded"))
    }
}

#[cfg(not(all(feature = "aws", feature = "embedded")))]
fn needs_feature(value: &str, feature: &str) -> Error {
    Error::configuration(
        format!("DYNORM_DATABASE asks for `{value}`, which needs the feature `{feature}` of dynorm"),
        None,
    )
}

/// Returns an environment variable; an empty one counts as not set.
fn variable(name: &str) -> Result<Option<String>> {
    match std::env::var(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(error) => Err(Error::configuration(format!("{name} cannot be read"), Some(error.into()))),
    }
}

/// Returns what is wrong with the URL of an endpoint, if anything.
fn url_problem(url: &str) -> Option<String> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let host = rest.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]@%".contains(&byte);
    match host {
        Some(host) if !host.is_empty() && host.bytes().all(is_allowed) => None,
        _ => Some(format!("the endpoint {url:?} is not a URL: write one such as http://localhost:8000")),
    }
}

fn is_this_machine(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = host.split(['/', '?']).next().unwrap_or_default();
    ["localhost", "127.0.0.1", "[::1]"]
        .iter()
        .any(|name| host == *name || host.strip_prefix(name).is_some_and(|rest| rest.starts_with(':')))
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("prefix", &self.inner.prefix).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{is_this_machine, url_problem};

    #[test]
    fn what_is_no_url_is_told() {
        for url in ["http://localhost:8000", "https://dynamodb.eu-west-1.amazonaws.com/", "http://[::1]:8000"]
        {
            assert_eq!(url_problem(url), None, "{url}");
        }
        for url in ["", "localhost:8000", "http://", "ftp://host", "http://a b", "http:///path"] {
            assert!(url_problem(url).is_some(), "{url}");
        }
    }

    #[test]
    fn only_the_loopback_counts_as_this_machine() {
        for url in ["http://localhost:8000", "http://127.0.0.1", "https://[::1]:8000/", "localhost:8000"] {
            assert!(is_this_machine(url), "{url}");
        }
        for url in [
            "https://dynamodb.eu-west-1.amazonaws.com",
            "http://localhost.example.com",
            "http://10.0.0.1:8000",
        ] {
            assert!(!is_this_machine(url), "{url}");
        }
    }
}
