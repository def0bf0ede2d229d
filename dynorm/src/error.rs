//! The errors of dynorm: one variant for each thing that a caller can act on.

// To add a variant, also change [`Error::report`] below and the message in `error/words.rs`;
// `FailedOperation::why` (`error/transaction.rs`) if it can be the reason of a failed operation and has a
// shorter text there; and `Failure::into_error` with `FailureKind` (`transport/failure.rs`) if it comes from
// an answer of the server. The snapshot of all messages is
// `dynorm-tests/tests/integration/error_messages.txt`.

use std::fmt;

use crate::batch::Fate;
use crate::codec::{Item, Scanner, ValueError};
use crate::entity::{Entity, Hook, decode_entity};
pub use crate::validation::Violation;

mod batch;
mod doing;
mod subject;
mod transaction;
mod words;

pub use batch::{BatchItem, BatchReport};
pub(crate) use doing::Doing;
pub use doing::OperationKind;
pub(crate) use subject::Subject;
pub use transaction::{FailedOperation, TransactionReport};

/// The result of an operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The error of every operation, with one variant for each thing that a caller can act on. Its message says
/// which operation failed, on which entity, table and key, why, and what to do about it.
///
/// An `Error` is two words in size. The message never repeats the [`source`](std::error::Error::source), so a
/// report that prints the whole chain says everything once.
///
/// ```
/// # use dynorm::prelude::*;
/// # #[derive(Entity, Clone, Debug, Default)]
/// # struct User { #[entity(id)] id: Id<User>, email: String }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> dynorm::Result<()> {
/// # let db = Database::memory()?;
/// # db.create_table::<User>().await?;
/// let error = UserRepo::get(Id::new()).on(&db).await.unwrap_err();
/// assert!(error.is_not_found());
/// assert_eq!(error.table(), Some("users"));
/// # Ok(())
/// # }
/// ```
#[non_exhaustive]
pub enum Error {
    /// No item has this key.
    NotFound(Box<Report>),
    /// A condition of the write did not hold, so nothing was changed. [`Error::current`] returns the item
    /// that was found.
    ConditionFailed(Box<Report>),
    /// The stored version differs from the one that the write is based on, so nothing was changed.
    /// [`Error::current`] returns the stored item, [`Error::attempted`] the one that was to be written.
    VersionConflict(Box<Report>),
    /// Another item already has the value of an `#[entity(unique)]` field, so nothing was changed.
    /// [`Error::unique_field`] names the field.
    UniqueConflict(Box<Report>),
    /// An item of another type, or of none, lies under the key, in a table that several entities share. A
    /// write changed nothing.
    TypeMismatch(Box<Report>),
    /// A value cannot be stored. It is found before anything is sent.
    Invalid(Box<Report>),
    /// An entity breaks its validation rules (`#[entity(validate)]`), so nothing was sent.
    /// [`Error::violations`] lists the broken rules.
    ValidationFailed(Box<Report>),
    /// A hook of the entity refused the write, so it was not sent. The [`source`](std::error::Error::source)
    /// is the error that the hook returned.
    Refused(Box<Report>),
    /// The cursor does not belong to the query that it was given to: it was altered, comes from another
    /// query, has a wrong signature or none, or is not a cursor at all. It is found before anything is sent.
    /// A web handler should answer 400, since the cursor came from the client.
    InvalidCursor(Box<Report>),
    /// An item cannot be decoded as the struct.
    Undecodable(Box<Report>),
    /// The table does not exist.
    TableNotFound(Box<Report>),
    /// The table exists, but its definition differs from that of the entity.
    TableMismatch(Box<Report>),
    /// The table or the account is over its capacity; the same request may succeed later.
    Throttled(Box<Report>),
    /// Another write or transaction is in progress on the same item; the same request may succeed later.
    Conflict(Box<Report>),
    /// The credentials do not permit the operation.
    AccessDenied(Box<Report>),
    /// Credentials are missing or not valid.
    Credentials(Box<Report>),
    /// The endpoint cannot be reached, or the connection broke.
    Unreachable(Box<Report>),
    /// No answer came in time.
    Timeout(Box<Report>),
    /// The server refused the request; sending the same request again will not help.
    Rejected(Box<Report>),
    /// The server failed.
    Server(Box<Report>),
    /// Some items of a batch failed, or their outcome is unknown. [`Error::failures`] lists them.
    Batch(Box<BatchReport>),
    /// A transaction was cancelled, or not sent, because of some of its operations. Nothing was changed,
    /// unless [`Error::outcome_known`] returns false. [`Error::failed_operations`] lists them.
    Transaction(Box<TransactionReport>),
    /// The operation has no database: none was given by `.on(&db)`, `db.scope(…)` or `db.install()`.
    NoDatabase,
    /// The configuration of the database, its client or the runtime is not usable.
    Configuration(Box<Report>),
    /// A bug in dynorm: one of its own invariants does not hold. The message asks to report it. The operation
    /// may have been carried out in part.
    Internal(Box<Report>),
}

/// The details of an [`Error`].
#[derive(Debug)]
pub struct Report {
    pub(crate) subject: Subject,
    pub(crate) detail: String,
    pub(crate) outcome_known: bool,
    /// The stored item, if a condition failed.
    pub(crate) item: Option<StoredItem>,
    /// The item that was to be written, if a version did not match.
    pub(crate) attempted: Option<StoredItem>,
    /// The broken rules, if validation failed.
    pub(crate) violations: Vec<Violation>,
    /// The unique field whose value is already taken.
    pub(crate) unique: Option<&'static str>,
    pub(crate) source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// An item as the server sent it, decoded once the caller names its type.
pub(crate) struct StoredItem(Box<str>);

impl StoredItem {
    pub(crate) fn new(json: &str) -> Self {
        Self(json.into())
    }

    pub(crate) fn json(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for StoredItem {
    /// Shows the size alone: values stay out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an item of {} bytes", self.0.len())
    }
}

impl Error {
    /// Returns true if no item has the requested key.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound(_)) || self.is_some_operation(Self::is_not_found)
    }

    /// Returns true if a condition of the write did not hold. For a transaction: if a condition of any of its
    /// operations did not hold. That the item is of the entity is a condition of every write, so this is also
    /// true if [`is_type_mismatch`](Self::is_type_mismatch) is.
    #[must_use]
    pub fn is_condition_failed(&self) -> bool {
        matches!(self, Self::ConditionFailed(_) | Self::TypeMismatch(_))
            || self.is_some_operation(Self::is_condition_failed)
    }

    /// True if an item of another type, or of none, lies under the key, in a table that several entities share: reads do not take
    /// it for an absence, and writes leave it as it is. Of a transaction: under the key of one of its operations.
    ///
    /// The two entities make the same key, or the type was renamed: the message names the type that was found.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// #[derive(Entity, Clone, Debug)]
    /// #[entity(table = "app", partition = "{path}")]
    /// struct File {
    ///     path: String,
    /// }
    ///
    /// #[derive(Entity, Clone, Debug)]
    /// #[entity(table = "app", partition = "{path}")]
    /// struct Folder {
    ///     path: String,
    /// }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<File>().await?;
    /// # db.install();
    /// FileRepo::save(File { path: "tmp".into() }).await?;
    /// let error = FolderRepo::save(Folder { path: "tmp".into() }).await.unwrap_err();
    /// assert!(error.is_type_mismatch());
    /// assert!(FolderRepo::find("tmp").await.unwrap_err().is_type_mismatch());
    /// assert!(FileRepo::find("tmp").await?.is_some());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn is_type_mismatch(&self) -> bool {
        matches!(self, Self::TypeMismatch(_)) || self.is_some_operation(Self::is_type_mismatch)
    }

    /// Returns true if the stored version differs from the one that the write is based on. For a transaction:
    /// if that holds for any of its items.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct Stock { #[entity(partition)] sku: String, left: u32, #[entity(version)] version: u64 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<Stock>().await?;
    /// # db.install();
    /// let mut mine = StockRepo::save(Stock { sku: "tea".into(), left: 9, version: 0 }).await?;
    /// let mut theirs = mine.clone();
    /// theirs.left -= 1;
    /// StockRepo::save(&mut theirs).await?;
    ///
    /// mine.left -= 2;
    /// let error = StockRepo::save(&mut mine).await.unwrap_err();
    /// assert!(error.is_version_conflict() && error.outcome_known());
    /// assert_eq!(error.current::<Stock>().transpose()?.map(|stock| stock.left), Some(8));
    /// assert_eq!(error.attempted::<Stock>().transpose()?.map(|stock| stock.left), Some(7));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn is_version_conflict(&self) -> bool {
        matches!(self, Self::VersionConflict(_)) || self.is_some_operation(Self::is_version_conflict)
    }

    /// Returns true if a [`Cursor`](crate::Cursor) was refused: it is not a cursor, was altered, belongs to
    /// another query, or has a wrong signature. The client that sent it can start again from the first page.
    ///
    /// ```
    /// let error = "page-2".parse::<dynorm::Cursor>().unwrap_err();
    /// assert!(error.is_invalid_cursor());
    /// ```
    #[must_use]
    pub fn is_invalid_cursor(&self) -> bool {
        matches!(self, Self::InvalidCursor(_))
    }

    /// Returns true if the table or the account is over its capacity. For a batch or transaction: if that is
    /// why every one of its failures failed.
    #[must_use]
    pub fn is_throttled(&self) -> bool {
        matches!(self, Self::Throttled(_)) || self.is_every_failure(Self::is_throttled)
    }

    /// Returns true if the same operation may succeed when it is tried again later. Check
    /// [`outcome_known`](Self::outcome_known) first if it must not be applied twice.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::Throttled(_)
                | Self::Conflict(_)
                | Self::Unreachable(_)
                | Self::Timeout(_)
                | Self::Server(_)
        ) || self.is_every_failure(Self::is_retryable)
    }

    /// Returns false if a request was sent and no answer says whether it was carried out, so it may or may
    /// not have been. After a status of 500, DynamoDB itself does not know. Every attempt of the SDK counts,
    /// not only the last one.
    ///
    /// For a batch: false if that holds for any of its items.
    #[must_use]
    pub fn outcome_known(&self) -> bool {
        match self {
            Self::Batch(report) => report
                .failures
                .iter()
                .all(|failure| failure.fate != Fate::Unknown && failure.reason.outcome_known()),
            Self::Transaction(report) => report.outcome_known,
            _ => self.report().is_none_or(|report| report.outcome_known),
        }
    }

    /// Returns the stored item that made a condition or version check fail. `None` if there is no such item,
    /// and for every other error.
    ///
    /// The item is decoded as an `E`, which must be the entity of the operation: the result is `None` for
    /// another entity, and for an item of another entity that shares the table. An item that cannot be
    /// decoded is an [`Undecodable`](Self::Undecodable) error. For a transaction, it is the item of the first
    /// operation on an `E` whose condition failed.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct Stock { #[entity(partition)] sku: String, left: u32 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<Stock>().await?;
    /// # db.install();
    /// # StockRepo::save(Stock { sku: "tea".into(), left: 0 }).await?;
    /// let error = StockRepo::delete_by_id("tea").when(Stock::LEFT.gt(0)).await.unwrap_err();
    /// if let Some(current) = error.current::<Stock>() {
    ///     assert_eq!(current?.left, 0);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn current<E: Entity>(&self) -> Option<Result<E>> {
        if let Self::Transaction(report) = self {
            return report.failures.iter().find_map(|operation| operation.reason.current());
        }
        let (Self::ConditionFailed(report) | Self::VersionConflict(report)) = self else { return None };
        report.decode(report.item.as_ref()?)
    }

    /// Returns the item that was to be written when the version did not match, with its new version and
    /// timestamps. `None` for every other error, for a delete, and for another entity.
    #[must_use]
    pub fn attempted<E: Entity>(&self) -> Option<Result<E>> {
        if let Self::Transaction(report) = self {
            return report.failures.iter().find_map(|operation| operation.reason.attempted());
        }
        let Self::VersionConflict(report) = self else { return None };
        report.decode(report.attempted.as_ref()?)
    }

    /// Returns the rules that an entity with `#[entity(validate)]` breaks, field by field. Empty for every
    /// other error.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[cfg(feature = "garde")] mod example {
    /// # use dynorm::prelude::*;
    /// #[derive(Entity, garde::Validate, Clone, Debug, Default)]
    /// #[entity(validate)]
    /// struct User {
    ///     #[entity(id)]
    ///     #[garde(skip)]
    ///     id: Id<User>,
    ///     #[garde(length(min = 1), contains("@"))]
    ///     email: String,
    ///     #[garde(range(min = 18))]
    ///     age: u8,
    /// }
    /// # pub async fn run() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<User>().await?;
    /// # db.install();
    /// let error = UserRepo::save(User { age: 7, ..Default::default() }).await.unwrap_err();
    /// let fields: Vec<&str> = error.violations().iter().map(|violation| violation.field.as_str()).collect();
    /// assert_eq!(fields, ["age", "email", "email"]);
    /// # Ok(())
    /// # }
    /// # }
    /// ```
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        match self {
            Self::ValidationFailed(report) => &report.violations,
            _ => &[],
        }
    }

    /// Returns true if another item has the value of a unique field. For a transaction: if that holds for any
    /// of its operations.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct User { #[entity(id)] id: Id<User>, #[entity(unique)] email: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<User>().await?;
    /// # db.install();
    /// let ada = User { email: "ada@example.com".into(), ..User::default() };
    /// UserRepo::create(&ada).await?;
    /// let error = UserRepo::create(&ada).await.unwrap_err();
    /// assert!(error.is_unique_conflict());
    /// assert_eq!(error.unique_field(), Some("email"));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn is_unique_conflict(&self) -> bool {
        matches!(self, Self::UniqueConflict(_)) || self.is_some_operation(Self::is_unique_conflict)
    }

    /// Returns the attribute name of the unique field whose value another item has. For a transaction: that
    /// of the first operation that failed for this reason.
    #[must_use]
    pub fn unique_field(&self) -> Option<&'static str> {
        match self {
            Self::UniqueConflict(report) => report.unique,
            Self::Transaction(report) => {
                report.failures.iter().find_map(|operation| operation.reason.unique_field())
            }
            _ => None,
        }
    }

    /// Returns true if a hook of the entity refused the write; see [`Hooks`](crate::Hooks). For a
    /// transaction: if that holds for any of its operations.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # use dynorm::{HookResult, Hooks};
    /// # #[derive(Entity, Clone, Debug)]
    /// # #[entity(hooks)]
    /// # struct Vote { #[entity(partition)] voter: String, for_: String }
    /// impl Hooks for Vote {
    ///     async fn updating(&mut self) -> HookResult {
    ///         Err("a vote is never changed".into())
    ///     }
    ///
    ///     async fn deleting(&self) -> HookResult {
    ///         Err("a vote is never taken back".into())
    ///     }
    /// }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<Vote>().await?;
    /// # db.install();
    /// let vote = VoteRepo::create(Vote { voter: "ada".into(), for_: "tea".into() }).await?;
    /// let error = VoteRepo::delete(&vote).await.unwrap_err();
    /// assert!(error.is_refused());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(self, Self::Refused(_)) || self.is_some_operation(Self::is_refused)
    }

    pub(crate) fn refused(
        subject: Subject,
        hook: Hook,
        source: Box<dyn std::error::Error + Send + Sync>,
    ) -> Self {
        Self::Refused(Report::new(subject, hook.to_string(), Some(source)))
    }

    pub(crate) fn validation(subject: Subject, violations: Vec<Violation>) -> Self {
        let mut report = Report::new(subject, "", None);
        report.violations = violations;
        Self::ValidationFailed(report)
    }

    /// Returns the name of the entity's struct.
    #[must_use]
    pub fn entity(&self) -> Option<&'static str> {
        self.subject()?.info.map(|info| info.name)
    }

    /// Returns the name of the table, with the table prefix of the database.
    #[must_use]
    pub fn table(&self) -> Option<&str> {
        self.subject().map(|subject| subject.table.as_str()).filter(|table| !table.is_empty())
    }

    /// Returns the key of the item as text, such as `id = 01H…`, without the values of sensitive fields.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.subject()?.key.as_deref()
    }

    /// Returns the items of a batch that failed or whose outcome is unknown. Empty for every other error.
    #[must_use]
    pub fn failures(&self) -> &[BatchItem] {
        match self {
            Self::Batch(report) => &report.failures,
            _ => &[],
        }
    }

    /// Returns the operations that made a transaction fail, in the order of the calls. Empty for every other
    /// error.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct Stock { #[entity(partition)] sku: String, left: u32 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<Stock>().await?;
    /// # db.install();
    /// # StockRepo::save(Stock { sku: "tea".into(), left: 1 }).await?;
    /// # StockRepo::save(Stock { sku: "milk".into(), left: 9 }).await?;
    /// let take = |sku: &str| StockRepo::update(sku).subtract(Stock::LEFT, 2).when(Stock::LEFT.ge(2));
    /// let error = dynorm::transaction().update(take("milk")).update(take("tea")).await.unwrap_err();
    /// for failed in error.failed_operations() {
    ///     assert_eq!((failed.number, failed.reason.key()), (2, Some("sku = tea")));
    ///     assert_eq!(failed.reason.current::<Stock>().transpose()?.map(|stock| stock.left), Some(1));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn failed_operations(&self) -> &[FailedOperation] {
        match self {
            Self::Transaction(report) => &report.failures,
            _ => &[],
        }
    }

    fn is_some_operation(&self, question: fn(&Self) -> bool) -> bool {
        self.failed_operations().iter().any(|operation| question(&operation.reason))
    }

    fn is_every_failure(&self, question: fn(&Self) -> bool) -> bool {
        if let Self::Transaction(report) = self {
            return report.failures.iter().all(|operation| question(&operation.reason));
        }
        let Self::Batch(report) = self else { return false };
        let mut reasons =
            report.failures.iter().map(|failure| &failure.reason).chain(&report.stopped).peekable();
        reasons.peek().is_some() && reasons.all(|reason| question(reason))
    }

    fn subject(&self) -> Option<&Subject> {
        match self {
            Self::Batch(report) => Some(&report.subject),
            // The subject of the first failed operation says more than that of the whole transaction.
            Self::Transaction(report) => {
                let first = report.failures.first().and_then(|operation| operation.reason.subject());
                first.or(Some(&report.subject))
            }
            _ => self.report().map(|report| &report.subject),
        }
    }

    fn report(&self) -> Option<&Report> {
        match self {
            Self::NotFound(report)
            | Self::ConditionFailed(report)
            | Self::VersionConflict(report)
            | Self::UniqueConflict(report)
            | Self::TypeMismatch(report)
            | Self::Invalid(report)
            | Self::ValidationFailed(report)
            | Self::Refused(report)
            | Self::InvalidCursor(report)
            | Self::Undecodable(report)
            | Self::TableNotFound(report)
            | Self::TableMismatch(report)
            | Self::Throttled(report)
            | Self::Conflict(report)
            | Self::AccessDenied(report)
            | Self::Credentials(report)
            | Self::Unreachable(report)
            | Self::Timeout(report)
            | Self::Rejected(report)
            | Self::Server(report)
            | Self::Configuration(report)
            | Self::Internal(report) => Some(report),
            Self::Batch(_) | Self::Transaction(_) | Self::NoDatabase => None,
        }
    }

    /// The error for a value that cannot be stored.
    pub(crate) fn invalid(subject: Subject, error: &ValueError) -> Self {
        Self::Invalid(Report::new(subject, error.to_string(), None))
    }

    /// The error for a refused cursor. The default subject means that it was refused before any query was
    /// known.
    pub(crate) fn invalid_cursor(subject: Subject, why: impl Into<String>) -> Self {
        Self::InvalidCursor(Report::new(subject, why, None))
    }

    /// The error for an item that cannot be decoded as the struct, or that is another entity's.
    pub(crate) fn undecodable(subject: Subject, error: &ValueError) -> Self {
        let report = Report::new(subject, error.to_string(), None);
        if error.is_type_mismatch() { Self::TypeMismatch(report) } else { Self::Undecodable(report) }
    }

    /// The same error, of a write that may have been made by an earlier attempt.
    pub(crate) fn with_outcome(mut self, known: bool) -> Self {
        if let Self::NotFound(report)
        | Self::VersionConflict(report)
        | Self::TypeMismatch(report)
        | Self::Undecodable(report)
        | Self::Rejected(report) = &mut self
        {
            report.outcome_known = known;
        }
        self
    }

    /// Replaces the table's name by its full name, with the prefix of the database.
    pub(crate) fn in_table(mut self, table: &str) -> Self {
        if let Self::Invalid(report) | Self::ValidationFailed(report) | Self::Undecodable(report) = &mut self
        {
            table.clone_into(&mut report.subject.table);
        }
        self
    }

    pub(crate) fn not_found(subject: Subject) -> Self {
        Self::not_found_because(subject, "")
    }

    pub(crate) fn not_found_because(subject: Subject, why: &str) -> Self {
        Self::NotFound(Report::new(subject, why, None))
    }

    /// The error for a branch that one of dynorm's own invariants rules out, in place of a panic. Nothing
    /// that a user or a server can cause may end here.
    pub(crate) fn internal(what: &'static str) -> Self {
        Self::Internal(Report::new(Subject::default(), what, None))
    }

    pub(crate) fn configuration(
        detail: impl Into<String>,
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Configuration(Report::new(Subject::default(), detail, source))
    }
}

impl Error {
    /// The item that a failed condition found, as it is stored.
    pub(crate) fn found(&self) -> Option<Item<'_>> {
        let Self::ConditionFailed(report) = self else { return None };
        Item::next(&mut Scanner::new(report.item.as_ref()?.json())).ok()
    }
}

impl Report {
    pub(crate) fn new(
        subject: Subject,
        detail: impl Into<String>,
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Box<Self> {
        Box::new(Self {
            subject,
            detail: detail.into(),
            outcome_known: true,
            item: None,
            attempted: None,
            violations: Vec::new(),
            unique: None,
            source,
        })
    }

    /// Decodes an item of this report as an `E`; `None` if it belongs to another entity.
    fn decode<E: Entity>(&self, item: &StoredItem) -> Option<Result<E>> {
        if self.subject.info.is_none_or(|info| info.name != E::INFO.name || info.table != E::INFO.table) {
            return None;
        }
        let decoded = Item::next(&mut Scanner::new(item.json())).and_then(|item| decode_entity(&item));
        decoded
            .map_err(|error| Error::undecodable(self.subject.clone().during(Doing::Reading), &error))
            .transpose()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Batch(report) => {
                let first = report.failures.first().map(|failure| &failure.reason);
                report.stopped.as_ref().or(first).map(|reason| &**reason as _)
            }
            _ => self.report()?.source.as_deref().map(|source| source as _),
        }
    }
}

// Errors are small, and can be sent to any thread.
const _: () = {
    assert!(std::mem::size_of::<Error>() <= 16);
    const fn travels<T: Send + Sync + 'static>() {}
    travels::<Error>();
};
