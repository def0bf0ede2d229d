//! Checking for a tokio runtime with a clock and sockets, which dynorm and the SDK need.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::runtime::Handle;

use super::Failure;
use crate::error::{Error, Result};

/// Fails if there is no runtime, or one without a clock: sleeping would panic there.
pub(crate) fn check_runtime() -> Result<()> {
    let missing = if Handle::try_current().is_err() {
        NO_RUNTIME
    } else if catch_unwind(|| drop(tokio::time::sleep(Duration::ZERO))).is_err() {
        // There is no other way to find out.
        NO_TIME
    } else {
        return Ok(());
    };
    Err(Error::configuration(missing, None))
}

const NO_RUNTIME: &str = "there is no tokio runtime here: await the operation inside one, such as that of \
                          `#[tokio::main]`, or enter it with `Runtime::enter`";
const NO_TIME: &str = "this tokio runtime has no clock: build it with `enable_all()`, or with \
                       `enable_time()` and `enable_io()`";
const NO_IO: &str = "this tokio runtime has no sockets: build it with `enable_all()`, or with \
                     `enable_io()` and `enable_time()`";

/// Runs a future that may open a socket. If the runtime cannot, the result is an error rather than a panic.
pub(super) async fn with_sockets<T>(
    future: impl Future<Output = std::result::Result<T, Failure>>,
) -> std::result::Result<T, Failure> {
    match AssertUnwindSafe(future).catch_unwind().await {
        Ok(output) => output,
        Err(panic) => match missing_in(&*panic) {
            Some(missing) => Err(Failure::configuration(missing)),
            None => resume_unwind(panic),
        },
    }
}

/// Runs an operation on tables, which uses the SDK's own calls: what tokio lacks is an error as well.
pub(crate) async fn in_runtime<T>(operation: impl Future<Output = Result<T>>) -> Result<T> {
    check_runtime()?;
    match AssertUnwindSafe(operation).catch_unwind().await {
        Ok(output) => output,
        Err(panic) => match missing_in(&*panic) {
            Some(missing) => Err(Error::configuration(missing, None)),
            None => resume_unwind(panic),
        },
    }
}

/// Returns what tokio or the client lacks, by the text of a panic; `None` for other panics.
fn missing_in(panic: &(dyn Any + Send)) -> Option<&'static str> {
    let literal = panic.downcast_ref::<&str>().copied();
    let text = literal.or_else(|| panic.downcast_ref::<String>().map(String::as_str))?;
    if text.contains("IO is disabled") {
        Some(NO_IO)
    } else if text.contains("timers are disabled") {
        Some(NO_TIME)
    } else if text.contains("there is no reactor running") {
        Some(NO_RUNTIME)
    } else if text.contains("URL was unset") {
        // The SDK panics if the endpoint is an empty text.
        Some(
            "the endpoint of the client is an empty text: leave it out, or write one such as \
             http://localhost:8000",
        )
    } else {
        None
    }
}
