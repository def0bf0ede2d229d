//! Which database an operation talks to, and how one is opened.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, PoisonError, RwLock};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};

use crate::entity::{Entity, EntityInfo};
use crate::error::{Error, Result};
use crate::transport::{Carrier, check_runtime, limits_of};

/// A database: DynamoDB on AWS, DynamoDB Local, ScyllaDB's Alternator, or the one embedded in this process.
///
/// It is cheap to clone and shares its connections. Operations find theirs in this order: `.on(&db)` on the operation,
/// [`scope`](Self::scope) around it, [`install`](Self::install).
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
    /// The same for the operations of entities.
    carrier: Carrier,
    /// And without the SDK's retries, for those that dynorm itself repeats or that must not be repeated blindly.
    once: Carrier,
    prefix: String,
    /// Why no operation can be carried out: an endpoint that is no URL.
    problem: Option<String>,
}

/// The database of [`Database::install`].
static INSTALLED: RwLock<Option<Database>> = RwLock::new(None);

tokio::task_local! {
    /// The database of [`Database::scope`].
    static SCOPED: Database;
}

impl Database {
    /// The database behind a client of the SDK, with its credentials, region, timeouts and retries.
    ///
    /// # Time limits
    /// A server that accepts a request and says nothing would hold an operation for ever, so what the client does not limit (or
    /// switch off) is limited here; [`from_env`](Self::from_env) and [`local`](Self::local) have the same limits.
    ///
    /// | limit of the SDK's `TimeoutConfig` | value | why |
    /// |---|---|---|
    /// | `connect_timeout` | 3.1 s | the SDK's own default |
    /// | `read_timeout`, to the first byte of the answer | 30 s | DynamoDB takes milliseconds; the rest is for a request of 16 MB |
    /// | `operation_attempt_timeout` | 90 s | an answer of 16 MB at 1.5 Mbit/s; whoever sends a byte now and then ends here |
    /// | `operation_timeout` | 300 s | three attempts of the SDK, with the waits between them |
    ///
    /// They are those of one request of the SDK. What dynorm itself repeats (writes with a condition, transactions, batches) may
    /// take several of them; a batch has [`Retry::deadline`](crate::Retry::deadline) for the whole. A write that is cut off by a limit may have
    /// been applied: [`Error::outcome_known`] is false.
    ///
    /// # Traces
    /// dynorm writes no values of attributes into its events. The SDK does at the level TRACE: the items that failed conditions
    /// found are in its errors, and an HTTP client of your own may give answers that its trace shows. Where items are
    /// confidential keep `aws_smithy_runtime` at DEBUG, such as by the filter `trace,aws_smithy_runtime=debug`.
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

    /// The database that the environment names.
    ///
    /// | variable | meaning |
    /// |---|---|
    /// | `DYNORM_DATABASE` | `aws` (the default), `memory`, or `file:PATH` |
    /// | `DYNAMODB_ENDPOINT` | the URL of another endpoint than that of the region, for `aws` |
    /// | `DYNORM_TABLE_PREFIX` | stands before the name of every table |
    ///
    /// On AWS, credentials and region come from the SDK's own chain (feature `aws`, on by default). An endpoint on this
    /// machine gets what [`local`](Self::local) gives it, so nothing need be set up for DynamoDB Local.
    ///
    /// Fails with [`Error::Configuration`] for a value that it does not know, and for one whose feature is not on. Whether
    /// the credentials are valid shows when the first request is sent.
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
            Some("memory") => Self::memory_or_explain()?,
            Some(other) => match other.strip_prefix("file:") {
                Some(path) => Self::file_or_explain(path)?,
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

    /// A DynamoDB that runs near by, such as DynamoDB Local or ScyllaDB's Alternator, at a URL such as `http://localhost:8000`.
    ///
    /// It sends placeholder credentials and the region `us-east-1`, which DynamoDB Local keeps its tables by. Nothing is
    /// sent yet, so a wrong URL shows with the first operation, as an [`Error::Configuration`]. `https` needs the feature `aws`; to give credentials, build
    /// the SDK's client and call [`new`](Self::new).
    ///
    /// ```
    /// let db = dynorm::Database::local("http://localhost:8000");
    /// ```
    #[must_use]
    pub fn local(endpoint: impl Into<String>) -> Self {
        let mut endpoint = endpoint.into();
        let problem = url_problem(&endpoint);
        if problem.is_some() {
            // The SDK panics at what is not a URL. Operations say what is wrong before they get there.
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

    /// A database of its own in the memory of this process, empty, and gone with the last handle to it.
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

    /// The embedded database, kept in a file, which is made if it does not exist.
    ///
    /// What is written survives the process. A power cut may take back the last writes; it does not damage the file.
    /// Several handles and processes may have the file open; delete tables only while nobody else uses them.
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

    /// The same database, with `prefix` before the name of every table: one account, several environments.
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

    /// Makes this the database of every operation that names no other, from here on and in every task.
    /// A later call replaces it.
    ///
    /// ```
    /// dynorm::Database::memory()?.install();
    /// # Ok::<(), dynorm::Error>(())
    /// ```
    pub fn install(&self) {
        *INSTALLED.write().unwrap_or_else(PoisonError::into_inner) = Some(self.clone());
    }

    /// Runs `future` with this as the database of its operations. Tasks that it spawns are not within it; give them
    /// `.on(&db)`, or a scope of their own.
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

    /// The SDK's client, for everything that dynorm does not do.
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

    /// The name of the table of `E` in this database: with its prefix.
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

    /// The same database through another client.
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

    /// The client for the operations of entities.
    pub(crate) fn carrier(&self) -> &Carrier {
        &self.inner.carrier
    }

    /// The same without the SDK's retries.
    pub(crate) fn once(&self) -> &Carrier {
        &self.inner.once
    }

    /// The database of an operation: the one it names, that of its scope, or the one that is installed.
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
    fn memory_or_explain() -> Result<Self> {
        Self::memory()
    }

    #[cfg(not(feature = "embedded"))]
    fn memory_or_explain() -> Result<Self> {
        Err(needs_feature("memory", "embedded"))
    }

    #[cfg(feature = "embedded")]
    fn file_or_explain(path: &str) -> Result<Self> {
        Self::file(path)
    }

    #[cfg(not(feature = "embedded"))]
    fn file_or_explain(path: &str) -> Result<Self> {
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

/// A variable of the environment; an empty one counts as not set.
fn variable(name: &str) -> Result<Option<String>> {
    match std::env::var(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(error) => Err(Error::configuration(format!("{name} cannot be read"), Some(error.into()))),
    }
}

/// What is wrong with the URL of an endpoint.
fn url_problem(url: &str) -> Option<String> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let host = rest.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]@%".contains(&byte);
    match host {
        Some(host) if !host.is_empty() && host.bytes().all(known) => None,
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
