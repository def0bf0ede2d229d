//! What can go wrong, in the variants that a caller acts on.

use std::fmt;

use crate::batch::Fate;
use crate::codec::{Item, Scanner, ValueError};
use crate::entity::{Entity, Hook, decode_entity};
use crate::validation::Violation;

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

/// What went wrong, in variants that a caller acts on. Each says which operation failed, on which entity, table and key,
/// why, and what to do about it.
///
/// It is small, and its [`source`](std::error::Error::source) is never repeated in its message, so that a report that
/// prints the chain says everything once.
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
    /// A condition of the write did not hold, so nothing was changed. [`Error::current`] is the item that it found.
    ConditionFailed(Box<Report>),
    /// The item has another version than the write was based on, so nothing was changed. [`Error::current`] is the item as it is,
    /// [`Error::attempted`] what was to be written.
    VersionConflict(Box<Report>),
    /// Another item has the value of a field that is `#[entity(unique)]`, so nothing was changed. [`Error::unique_field`] names it.
    UniqueConflict(Box<Report>),
    /// Under the key lies an item of another type, or of none, in a table that several entities share. A write changed nothing.
    TypeMismatch(Box<Report>),
    /// A value that cannot be stored, found before anything was sent.
    Invalid(Box<Report>),
    /// An entity breaks rules of its own (`#[entity(validate)]`), so nothing was sent. [`Error::violations`] lists them.
    ValidationFailed(Box<Report>),
    /// A hook of the entity refused the write, so it was not sent. The [`source`](std::error::Error::source) is what the hook says.
    Refused(Box<Report>),
    /// A cursor that does not fit the query that it was given to: altered, of another query, with another signature or without
    /// one, or no cursor at all. Found before anything was sent. A web handler answers 400 with it, since the cursor came from
    /// whoever asks.
    InvalidCursor(Box<Report>),
    /// An item that does not fit the struct.
    Undecodable(Box<Report>),
    /// The table does not exist.
    TableNotFound(Box<Report>),
    /// The table exists, and differs from what the entity says.
    TableMismatch(Box<Report>),
    /// The table or the account is over its capacity; the same request may succeed later.
    Throttled(Box<Report>),
    /// Another write or transaction is at the same item; the same request may succeed later.
    Conflict(Box<Report>),
    /// The credentials do not permit this.
    AccessDenied(Box<Report>),
    /// There are no credentials, or they are not valid.
    Credentials(Box<Report>),
    /// Nobody answered: the endpoint cannot be reached, or the connection broke.
    Unreachable(Box<Report>),
    /// No answer came in time.
    Timeout(Box<Report>),
    /// The server refused the request as it is; sending it again will not help.
    Rejected(Box<Report>),
    /// The server failed.
    Server(Box<Report>),
    /// Some items of a batch are not known to be done. [`Error::failures`] lists them.
    Batch(Box<BatchReport>),
    /// A transaction was cancelled, or not sent, for some of its operations: nothing was changed.
    /// [`Error::failed_operations`] lists them.
    Transaction(Box<TransactionReport>),
    /// No database was named: neither by `.on(&db)`, nor by `db.scope(…)`, nor by `db.install()`.
    NoDatabase,
    /// The database cannot be set up as it was asked for.
    Configuration(Box<Report>),
    /// A bug of dynorm itself: something was found that its own code rules out. The message asks to report it, and what was asked
    /// for may have been done in part.
    Internal(Box<Report>),
}

/// The particulars of an [`Error`].
#[derive(Debug)]
pub struct Report {
    pub(crate) subject: Subject,
    pub(crate) detail: String,
    pub(crate) outcome_known: bool,
    /// Of a condition that failed: the item as it is in the table.
    pub(crate) item: Option<StoredItem>,
    /// Of a version that did not match: the item as it was to be.
    pub(crate) attempted: Option<StoredItem>,
    /// Of an entity that breaks its rules.
    pub(crate) violations: Vec<Violation>,
    /// The field whose value is taken.
    pub(crate) unique: Option<&'static str>,
    pub(crate) source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// An item as the server sent it, for whoever knows its type.
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
    /// Values stay out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an item of {} bytes", self.0.len())
    }
}

impl Error {
    /// True if no item has the key that was asked for.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound(_)) || self.is_some_operation(Self::is_not_found)
    }

    /// True if a condition of the write did not hold; of a transaction, if one of some operation did not. That the item is of the
    /// entity is a condition of every write, so this is also true where [`is_type_mismatch`](Self::is_type_mismatch) is.
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

    /// True if the item has another version than the write was based on; of a transaction, if one of its items has.
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

    /// True if a [`Cursor`](crate::Cursor) was refused: it is none, was altered, belongs to another query, or has another
    /// signature than it should. It came from whoever asked for the page, who may begin again with the first one.
    ///
    /// ```
    /// let error = "page-2".parse::<dynorm::Cursor>().unwrap_err();
    /// assert!(error.is_invalid_cursor());
    /// ```
    #[must_use]
    pub fn is_invalid_cursor(&self) -> bool {
        matches!(self, Self::InvalidCursor(_))
    }

    /// True if the table or the account is over its capacity.
    #[must_use]
    pub fn is_throttled(&self) -> bool {
        matches!(self, Self::Throttled(_)) || self.is_every_failure(Self::is_throttled)
    }

    /// True if the same operation may succeed when it is tried again later. Whether it may be applied twice then is the
    /// question of [`outcome_known`](Self::outcome_known).
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

    /// False if the request was sent and no answer came that says whether it was carried out, so that it may or may not have
    /// been. After a status of 500 DynamoDB itself does not know. All attempts of the SDK count, not the last alone.
    ///
    /// Of a batch: false if that holds for any of its items.
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

    /// The item as it is in the table, where a condition failed: what the condition found. `None` if there is no such item, and
    /// for every other error.
    ///
    /// It is read as an `E`, which is the entity of the operation; of another entity, and of an item that belongs to another
    /// one of those that share the table, there is none. What does not fit the struct is an
    /// [`Undecodable`](Self::Undecodable). Of a transaction it is the item of the first operation on an `E` whose condition failed.
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

    /// The item as it was to be written, of a version that did not match; `None` for every other error, for a delete, and for
    /// another entity. It is what the caller had, stamped.
    #[must_use]
    pub fn attempted<E: Entity>(&self) -> Option<Result<E>> {
        if let Self::Transaction(report) = self {
            return report.failures.iter().find_map(|operation| operation.reason.attempted());
        }
        let Self::VersionConflict(report) = self else { return None };
        report.decode(report.attempted.as_ref()?)
    }

    /// The rules that an entity with `#[entity(validate)]` breaks, field by field; empty for every other error.
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

    /// Another item has the value of a unique field. Of a transaction: in one of its operations.
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

    /// The name, as it is stored, of the field whose value another item has. Of a transaction: that of the first operation that
    /// failed for that.
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

    /// A hook of the entity refused the write: see [`Hooks`](crate::Hooks). Of a transaction: that of one of its operations.
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

    /// The name of the entity's struct.
    #[must_use]
    pub fn entity(&self) -> Option<&'static str> {
        self.subject()?.info.map(|info| info.name)
    }

    /// The name of the table, with the prefix of its database.
    #[must_use]
    pub fn table(&self) -> Option<&str> {
        self.subject().map(|subject| subject.table.as_str()).filter(|table| !table.is_empty())
    }

    /// The key of the item, as text; the sensitive parts left out.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.subject()?.key.as_deref()
    }

    /// The items of a batch that are not known to be done; empty for every other error.
    #[must_use]
    pub fn failures(&self) -> &[BatchItem] {
        match self {
            Self::Batch(report) => &report.failures,
            _ => &[],
        }
    }

    /// The operations for which a transaction was not carried out, in order; empty for every other error.
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
            // That of the operation which failed first says more than that of the whole.
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

    /// A value that cannot be stored.
    pub(crate) fn invalid(subject: Subject, error: &ValueError) -> Self {
        Self::Invalid(Report::new(subject, error.to_string(), None))
    }

    /// A cursor that was refused by a query, or, without a subject, by itself.
    pub(crate) fn invalid_cursor(subject: Subject, why: impl Into<String>) -> Self {
        Self::InvalidCursor(Report::new(subject, why, None))
    }

    /// An item that does not fit the struct, or is another entity's.
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

    /// The same error, naming the table as the database does.
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

    /// What cannot be, found all the same: for the branches that a type or an invariant of our own rules out, in the place of a
    /// panic. What a user or a server can bring about is never one.
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

    /// An item of this report, for whoever knows its type.
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

// Small, and at home on every thread.
const _: () = {
    assert!(std::mem::size_of::<Error>() <= 16);
    const fn travels<T: Send + Sync + 'static>() {}
    travels::<Error>();
};
