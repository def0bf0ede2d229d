//! The messages of errors.

use std::fmt;

use super::{Doing, Error, Report, Subject};

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound(report) => {
                let known = lost(report.outcome_known);
                write!(f, "there is no {}{}{known}", report.subject, report.because())
            }
            Self::ConditionFailed(report) => {
                let known = report.outcome_known;
                let why = match report.subject.operation {
                    Doing::Creating => "an item with this key exists",
                    Doing::Upserting => "the item with this key is soft-deleted or has expired",
                    _ => "the condition does not hold",
                };
                let then = if known { ", and nothing was changed" } else { lost(known) };
                write!(f, "{}: {why}{then}", report.doing())
            }
            Self::VersionConflict(report) | Self::UniqueConflict(report) => {
                let known = lost(report.outcome_known);
                write!(f, "{}{}{known}", report.doing(), report.because())
            }
            Self::TypeMismatch(report) => {
                let nothing = match report.outcome_known && !report.subject.operation.is_read() {
                    true => "nothing was changed, since ",
                    false => "",
                };
                let known = lost(report.outcome_known);
                write!(f, "{}: {nothing}under this key lies {}{known}", report.doing(), report.detail)
            }
            Self::ValidationFailed(report) => {
                write!(f, "{} breaks its rules: {}", report.subject, report.violated())
            }
            Self::Refused(report) => {
                write!(f, "refused by the hook `{}` of {}", report.detail, report.subject)
            }
            Self::Invalid(report) if matches!(report.subject.operation, Doing::Storing | Doing::Saving) => {
                write!(f, "{} cannot be stored{}", report.subject, report.because())
            }
            Self::InvalidCursor(report) if report.subject.info.is_none() => f.write_str(&report.detail),
            Self::Invalid(report) | Self::InvalidCursor(report) => {
                write!(f, "{}{}", report.doing(), report.because())
            }
            Self::Undecodable(report) => write!(
                f,
                "an item that should be {} does not fit the struct{}",
                report.subject,
                report.because()
            ),
            Self::TableNotFound(report) if report.subject.is_of_tables() => write!(
                f,
                "one of the tables `{}` does not exist; create them with `db.create_table::<…>().await`, \
                 or check the region, the endpoint and the table prefix",
                report.subject.table
            ),
            Self::TableNotFound(report) => {
                write!(f, "the table `{}` does not exist", report.subject.table)?;
                match report.subject.info {
                    Some(info) => write!(
                        f,
                        "; create it with `db.create_table::<{}>().await`, or check the region, \
                         the endpoint and the table prefix",
                        info.name
                    ),
                    None => f.write_str("; check the region, the endpoint and the table prefix"),
                }
            }
            Self::TableMismatch(report) => write!(
                f,
                "the table `{}` exists and differs from what {} says{}",
                report.subject.table,
                report
                    .subject
                    .info
                    .map_or_else(|| "its entity".to_owned(), |info| format!("`{}`", info.name)),
                report.because()
            ),
            Self::Throttled(report) => write!(
                f,
                "{}: throttled{}; try again later, or raise the capacity of the table{}",
                report.doing(),
                report.because(),
                unknown(report.outcome_known)
            ),
            Self::Conflict(report) => write!(
                f,
                "{}: another write is at the same item{}; try again{}",
                report.doing(),
                report.because(),
                unknown(report.outcome_known)
            ),
            Self::AccessDenied(report) => {
                write!(f, "{}: access denied{}", report.doing(), report.because())
            }
            Self::Credentials(report) => write!(
                f,
                "{}: no valid credentials{}; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, \
                 log in with the AWS CLI, or give the SDK client credentials of its own",
                report.doing(),
                report.because()
            ),
            Self::Unreachable(report) => write!(
                f,
                "{}: nobody answers{}{}",
                report.doing(),
                report.because(),
                unknown(report.outcome_known)
            ),
            Self::Timeout(report) => write!(
                f,
                "{}: no answer came in time{}{}",
                report.doing(),
                report.because(),
                unknown(report.outcome_known)
            ),
            Self::Rejected(report) => {
                write!(f, "{}: the server refused the request{}", report.doing(), report.because())
            }
            Self::Server(report) => write!(
                f,
                "{}: the server failed{}{}",
                report.doing(),
                report.because(),
                unknown(report.outcome_known)
            ),
            Self::Batch(report) => fmt::Display::fmt(report, f),
            Self::Transaction(report) => fmt::Display::fmt(report, f),
            Self::NoDatabase => f.write_str(
                "no database: call `db.install()` once at the start, put `.on(&db)` on the \
                 operation, or run it inside `db.scope(…)`",
            ),
            Self::Configuration(report) => f.write_str(&report.detail),
            Self::Internal(report) => {
                write!(
                    f,
                    "{}: this is a bug of dynorm; please report it, with what was called",
                    report.detail
                )
            }
        }
    }
}

/// Shows the message and its causes, one a line, since this is what `fn main() -> dynorm::Result<()>` prints.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)?;
        let mut next = std::error::Error::source(self);
        while let Some(cause) = next {
            write!(f, "\n    caused by: {cause}")?;
            next = cause.source();
        }
        Ok(())
    }
}

pub(super) fn unknown(outcome_known: bool) -> &'static str {
    if outcome_known { "" } else { "; it may or may not have been applied" }
}

/// The same for an error whose last attempt is known not to have been applied.
fn lost(outcome_known: bool) -> &'static str {
    if outcome_known { "" } else { "; an earlier attempt got no answer, and may have been applied" }
}

impl Report {
    /// Returns `: ` and the detail, or nothing if there is no detail.
    fn because(&self) -> String {
        if self.detail.is_empty() { String::new() } else { format!(": {}", self.detail) }
    }

    /// Returns the broken rules as text.
    pub(super) fn violated(&self) -> String {
        let violations: Vec<String> = self.violations.iter().map(ToString::to_string).collect();
        violations.join("; ")
    }

    fn doing(&self) -> String {
        let Subject { operation, info, table, .. } = &self.subject;
        match info {
            _ if self.subject.operations.is_some() => self.subject.to_string(),
            // An operation on a table does not name an item.
            Some(info) if operation.is_to_a_table() => format!("{operation} `{table}` of `{}`", info.name),
            _ => format!("{operation} {}", self.subject),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::error::Error;

    #[test]
    fn a_bug_says_that_it_is_one_and_asks_to_report_it() {
        let error = Error::internal("a batch settles an item twice");
        assert_eq!(
            error.to_string(),
            "a batch settles an item twice: this is a bug of dynorm; please report it, with what was called"
        );
        assert!(!error.is_retryable());
    }
}
