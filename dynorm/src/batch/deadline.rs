//! The deadline of a batch.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::retry::Retry;
use crate::error::{Error, Report, Subject};

/// When a batch started, and its deadline.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline {
    start: Instant,
    given: Duration,
    at: Option<Instant>,
}

impl Deadline {
    /// Starts the time of a batch now.
    pub(super) fn of(retry: &Retry) -> Self {
        let start = Instant::now();
        let at = retry.deadline.and_then(|deadline| start.checked_add(deadline));
        Self { start, given: retry.deadline.unwrap_or_default(), at }
    }

    pub(super) const fn at(&self) -> Option<Instant> {
        self.at
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    pub(super) fn has_passed(&self) -> bool {
        self.at.is_some_and(|at| Instant::now() >= at)
    }

    /// Returns the output of a future, or `None` at the deadline. A future that is ready at once is not cut
    /// off.
    pub(super) async fn bound<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let Some(at) = self.at else { return Some(future.await) };
        let (mut future, mut timer) = (pin!(future), pin!(sleep_until(at)));
        poll_fn(|context| match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if self.has_passed() => Poll::Ready(None),
            Poll::Pending => timer.as_mut().poll(context).map(|()| None),
        })
        .await
    }

    /// Returns the error that the deadline has passed.
    pub(super) fn passed(&self, subject: Subject, outcome_known: bool) -> Error {
        let mut report =
            Report::new(subject, format!("the deadline of the batch, {:?}, has passed", self.given), None);
        report.outcome_known = outcome_known;
        Error::Timeout(report)
    }
}
