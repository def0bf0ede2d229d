//! Failures of requests: the errors of the SDK, classified by what a caller can do about them.

use std::error::Error as StdError;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use super::answer::{self, NoAnswer};
use crate::codec::{Scanner, ValueError, shown};
use crate::error::{Error, Report, StoredItem, Subject};

/// A request that got no successful answer, and why.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: FailureKind,
    pub(crate) message: String,
    pub(crate) outcome_known: bool,
    /// True if the failure is an answer of DynamoDB itself.
    pub(crate) answered: bool,
    /// The HTTP status of the answer, if there was one.
    pub(super) status: Option<u16>,
    /// The stored item, if a condition failed, there is one, and it was requested.
    pub(crate) item: Option<StoredItem>,
    /// The reason for each operation of a cancelled transaction, in order.
    pub(crate) reasons: Vec<CancellationReason>,
    pub(super) source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The reason for one operation of a cancelled transaction.
#[derive(Debug, Default)]
pub(crate) struct CancellationReason {
    /// The text `None` for an operation that would have succeeded, or the name of an error such as
    /// `ConditionalCheckFailed`.
    pub(crate) code: String,
    pub(crate) message: Option<String>,
    /// The stored item, if it was requested.
    pub(crate) item: Option<StoredItem>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailureKind {
    ConditionFailed,
    TableNotFound,
    Throttled,
    /// Throttled because of a hot key range: the rest of the table has capacity.
    HotKeys,
    Conflict,
    AccessDenied,
    Credentials,
    Unreachable,
    Timeout,
    Rejected,
    Server,
    /// A response to a read that is not an answer to it.
    Undecodable,
    /// The configuration does not allow sending a request.
    Configuration,
}

impl FailureKind {
    /// Returns true for failures that may not occur again when the request is repeated.
    pub(super) const fn is_retryable(self) -> bool {
        match self {
            Self::Throttled
            | Self::HotKeys
            | Self::Conflict
            | Self::Unreachable
            | Self::Timeout
            | Self::Server => true,
            Self::ConditionFailed
            | Self::TableNotFound
            | Self::AccessDenied
            | Self::Credentials
            | Self::Rejected
            | Self::Undecodable
            | Self::Configuration => false,
        }
    }

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
            Self::Undecodable => "undecodable",
            Self::Configuration => "configuration",
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
                // The body has the reasons even if the SDK does not model them for an operation.
                let body = service.raw().body().bytes().unwrap_or_default();
                let is_hot = memchr::memmem::find(body, b"KeyRangeThroughputExceeded").is_some();
                // Items are read from the body too: the SDK's model would have to be converted to JSON to be
                // decoded. If that fails, the error is returned without items.
                let (item, reasons) = particulars(body).unwrap_or_default();
                let error = service.into_err();
                // An answer without a code comes from a proxy or the like, not from DynamoDB.
                let answered_by_dynamodb = error.code().is_some();
                let kind = match answered(error.code().unwrap_or_default(), status) {
                    FailureKind::Throttled if is_hot => FailureKind::HotKeys,
                    kind => kind,
                };
                Self {
                    kind,
                    message: describe(error.code(), error.message(), status),
                    outcome_known: is_refusal(status),
                    answered: answered_by_dynamodb,
                    status: Some(status),
                    item,
                    reasons,
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
            SdkError::ResponseError(_) => {
                let status = error.raw_response().map(|response| response.status().as_u16());
                let failure = Self::connection(FailureKind::Server, error, false);
                match failure.source.as_deref().and_then(|source| source.downcast_ref()) {
                    Some(NoAnswer(error)) => Self { status, ..Self::not_an_answer(error) },
                    None => Self { status, ..failure },
                }
            }
            error => Self::connection(FailureKind::Server, error, false),
        }
    }

    /// The failure for a response that is not an answer to the request.
    fn not_an_answer(error: &ValueError) -> Self {
        let failure = Self::local("".into());
        let (kind, message) = (FailureKind::Undecodable, error.to_string());
        Self { kind, message, outcome_known: false, source: None, ..failure }
    }

    /// Completes the failure with the kind of the operation and its request body.
    pub(super) fn of(self, is_read: bool, asked: &[u8]) -> Self {
        let single = self.item.iter().map(|item| (0, item.json()));
        let reasons = self.reasons.iter().enumerate();
        let several = reasons.filter_map(|(index, reason)| Some((index, reason.item.as_ref()?.json())));
        let mut items = single.chain(several).peekable();
        let failure = if items.peek().is_none() || matches!(answer::is_about(asked, items), Ok(true)) {
            self
        } else {
            Self::not_an_answer(&ValueError::new("the answer is about an item that was not asked for"))
        };
        match failure.kind {
            // For a write, an unusable answer is a failure of the server.
            FailureKind::Undecodable if !is_read => {
                let message = format!("its answer cannot be used: {}", failure.message);
                Self { kind: FailureKind::Server, message, ..failure }
            }
            _ => failure,
        }
    }

    /// The configuration does not allow sending a request.
    pub(super) fn configuration(message: impl Into<String>) -> Self {
        let failure = Self::local("".into());
        Self { kind: FailureKind::Configuration, message: message.into(), source: None, ..failure }
    }

    /// Converts the failure of a request that was never sent: nothing was done, and unless credentials or a
    /// timeout are the cause, the configuration of the client is. The SDK's errors may contain the whole
    /// request, so only their messages are kept.
    pub(super) fn unsent(self) -> Self {
        let is_about_credentials = matches!(self.kind, FailureKind::Credentials | FailureKind::Timeout);
        match self.source.as_deref().filter(|_| !is_about_credentials) {
            Some(source) => Self::configuration(format!(
                "the request cannot be sent: {}; check the endpoint and the region of the client",
                shown(&chain_without_requests(source))
            )),
            None => Self { outcome_known: true, ..self },
        }
    }

    pub(super) fn local(source: Box<dyn StdError + Send + Sync>) -> Self {
        Self {
            kind: FailureKind::Rejected,
            message: String::new(),
            outcome_known: true,
            answered: false,
            status: None,
            item: None,
            reasons: Vec::new(),
            source: Some(source),
        }
    }

    fn connection<E>(kind: FailureKind, error: SdkError<E, HttpResponse>, outcome_known: bool) -> Self
    where
        E: StdError + Send + Sync + 'static,
    {
        // The outer layers of the SDK's error have no information.
        let source = error.into_source().unwrap_or_else(|error| Box::new(error));
        Self { kind, outcome_known, ..Self::local(source) }
    }

    /// Returns true if the same request may succeed later.
    pub(super) fn is_retryable(&self) -> bool {
        if self.reasons.is_empty() {
            return self.kind.is_retryable();
        }
        self.reasons.iter().filter(|reason| !reason.is_none()).all(|reason| reason.kind().is_retryable())
    }

    /// Returns the kind of the failure. For a transaction, a failed condition comes first, then failures that
    /// repeating does not help.
    pub(crate) fn kind_of_all(&self) -> FailureKind {
        let mut kinds = self.reasons.iter().filter(|reason| !reason.is_none()).map(CancellationReason::kind);
        let Some(first) = kinds.next() else { return self.kind };
        let is_permanent = |kind: &FailureKind| !kind.is_retryable();
        match kinds.clone().chain([first]).find(|kind| *kind == FailureKind::ConditionFailed) {
            Some(kind) => kind,
            None => kinds.chain([first]).find(is_permanent).unwrap_or(first),
        }
    }

    /// Returns the code of DynamoDB's error, or the name of the kind.
    pub(super) fn code(&self) -> &str {
        match self.message.split_once(": ") {
            Some((code, _)) => code,
            None => self.kind.name(),
        }
    }

    pub(crate) fn into_error(self, subject: Subject) -> Error {
        let mut report = Report::new(subject, self.message, self.source);
        report.outcome_known = self.outcome_known;
        report.item = self.item;
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
            FailureKind::Undecodable => Error::Undecodable(report),
            FailureKind::Configuration => Error::Configuration(report),
        }
    }
}

/// Classifies an error by its code and status.
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
        // The remaining statuses may also come from a proxy.
        _ if status == 429 => FailureKind::Throttled,
        _ if status == 408 => FailureKind::Timeout,
        _ if is_refusal(status) => FailureKind::Rejected,
        _ => FailureKind::Server,
    }
}

/// Reads the item and the cancellation reasons in the body of an error.
fn particulars(body: &[u8]) -> Result<(Option<StoredItem>, Vec<CancellationReason>), ValueError> {
    let text = std::str::from_utf8(body).map_err(|_| ValueError::new("the answer is not UTF-8"))?;
    let (mut item, mut reasons) = (None, Vec::new());
    Scanner::new(text).object(|member, scanner| {
        match member.text {
            "Item" => item = stored_item(scanner)?,
            "CancellationReasons" => {
                scanner.take(b'[')?;
                let mut first = true;
                while scanner.another(&mut first, b']')? {
                    reasons.push(CancellationReason::read(scanner)?);
                }
            }
            _ => {
                scanner.skip()?;
            }
        }
        Ok(())
    })?;
    Ok((item, reasons))
}

impl CancellationReason {
    /// Returns true for an operation that would have succeeded.
    pub(crate) fn is_none(&self) -> bool {
        matches!(self.code.as_str(), "" | "None")
    }

    /// Classifies the reason.
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
    pub(crate) fn kind(&self) -> FailureKind {
        match self.code.as_str() {
            "ConditionalCheckFailed" => FailureKind::ConditionFailed,
            "TransactionConflict" | "TransactionInProgress" => FailureKind::Conflict,
            "ProvisionedThroughputExceeded" | "ThrottlingError" | "RequestLimitExceeded" => {
                FailureKind::Throttled
            }
            "ResourceNotFound" => FailureKind::TableNotFound,
            "AccessDenied" => FailureKind::AccessDenied,
            "InternalServerError" => FailureKind::Server,
            // `ValidationError`, `ItemCollectionSizeLimitExceeded`.
            _ => FailureKind::Rejected,
        }
    }

    /// Converts the reason to the failure that the same operation would give outside of a transaction.
    pub(crate) fn into_failure(self, outcome_known: bool) -> Failure {
        Failure {
            kind: self.kind(),
            message: describe(Some(&self.code), self.message.as_deref(), 400),
            outcome_known,
            answered: true,
            status: None,
            item: self.item,
            reasons: Vec::new(),
            source: None,
        }
    }

    fn read(scanner: &mut Scanner<'_>) -> Result<Self, ValueError> {
        let mut reason = Self::default();
        scanner.object(|member, scanner| {
            match member.text {
                "Code" => reason.code = text(scanner)?.unwrap_or_default(),
                "Message" => reason.message = text(scanner)?,
                "Item" => reason.item = stored_item(scanner)?,
                _ => {
                    scanner.skip()?;
                }
            }
            Ok(())
        })?;
        Ok(reason)
    }
}

/// Reads the next value if it is text; `None` for others.
fn text(scanner: &mut Scanner<'_>) -> Result<Option<String>, ValueError> {
    if scanner.peek() == Some(b'"') {
        return Ok(Some(scanner.string()?.unescape()?.into_owned()));
    }
    scanner.skip()?;
    Ok(None)
}

/// Reads the next item; an empty object and null are `None`.
fn stored_item(scanner: &mut Scanner<'_>) -> Result<Option<StoredItem>, ValueError> {
    let json = scanner.skip()?;
    Ok((json.starts_with('{') && json != "{}").then(|| StoredItem::new(json)))
}

/// Returns true if the status says that nothing was done. A redirection does not, since it comes from a
/// proxy.
pub(super) const fn is_refusal(status: u16) -> bool {
    matches!(status, 400..500)
}

fn describe(code: Option<&str>, message: Option<&str>, status: u16) -> String {
    match (code, message) {
        (Some(code), Some(message)) => format!("{}: {}", shown(code), shown(message)),
        (Some(text), None) | (None, Some(text)) => shown(text).into_owned(),
        // The answer of a proxy, whose body is meant for a browser.
        (None, None) => format!("HTTP status {status}, without an error of DynamoDB's"),
    }
}

pub(super) fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text.push_str(": ");
        text.push_str(&error.to_string());
        next = error.source();
    }
    text
}

/// The same, without causes that contain a request with its body.
fn chain_without_requests(error: &(dyn StdError + 'static)) -> String {
    let (mut causes, mut next) = (Vec::new(), Some(error));
    while let Some(error) = next {
        causes.push(error.to_string());
        next = error.source();
    }
    causes.retain(|cause| !cause.contains("SdkBody"));
    causes.join(": ")
}

fn is_about_credentials(error: &(dyn StdError + 'static), chain: &str) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<aws_credential_types::provider::error::CredentialsError>() {
            return true;
        }
        next = error.source();
    }
    // A client without any credentials provider fails before it asks for credentials.
    chain.contains("auth scheme")
}

/// Returns true if no connection was made, so that nothing was sent.
pub(super) fn never_connected(error: &(dyn StdError + 'static), chain: &str) -> bool {
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
    // The texts of hyper and of the SDK for a failed connection.
    chain.contains("client error (Connect)") || chain.contains("HTTP connect")
}

#[cfg(test)]
mod tests {
    use super::particulars;

    #[test]
    fn the_items_of_an_error_are_kept_as_they_were_sent() {
        let item = r#"{"id":{"S":"a\"}"},"n":{"N":"1"}}"#;
        let (found, reasons) =
            particulars(format!(r#"{{"__type":"x#y","Item":{item},"Message":"m"}}"#).as_bytes()).unwrap();
        assert_eq!(found.unwrap().json(), item);
        assert!(reasons.is_empty());
        for none in [r#"{"message":"m"}"#, r#"{"Item":null}"#, r#"{"Item":{}}"#] {
            assert!(particulars(none.as_bytes()).unwrap().0.is_none());
        }
        for broken in ["", "{", "<html>", r#"{"Item":"#, r#"{"CancellationReasons":{}}"#] {
            assert!(particulars(broken.as_bytes()).is_err(), "{broken}");
        }
    }

    #[test]
    fn the_reasons_of_a_cancelled_transaction_are_kept_in_their_order() {
        let json = r#"{"CancellationReasons":[
            {"Code":"None"},
            {"Code":"ConditionalCheckFailed","Message":"The \"c\"","Item":{"id":{"S":"a"}}},
            {"Code":"ThrottlingError","Message":null}
        ]}"#;
        let (item, reasons) = particulars(json.as_bytes()).unwrap();
        assert!(item.is_none());
        let codes: Vec<&str> = reasons.iter().map(|reason| reason.code.as_str()).collect();
        assert_eq!(codes, ["None", "ConditionalCheckFailed", "ThrottlingError"]);
        assert_eq!(reasons[1].message.as_deref(), Some("The \"c\""));
        assert_eq!(reasons[1].item.as_ref().unwrap().json(), r#"{"id":{"S":"a"}}"#);
        assert!(reasons[2].message.is_none() && reasons[2].item.is_none());
    }
}
