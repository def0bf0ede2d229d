//! Where the failures of a stream go, and the error that holds those which went nowhere.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::mpsc;

use super::engine::Outcome;
use super::inputs::describe;
use super::{KeyFailure, SaveFailure, Stats};
use crate::entity::{Entity, EntityInfo};
use crate::error::{BatchItem, BatchReport, Error, OperationKind, Result, Subject};
use crate::sealed::Sealed;

/// How many failures of a stream are kept when nothing takes them; then the stream ends.
const MAX_KEPT_FAILURES: usize = 1_000;

/// Where the failures of a stream go.
pub(super) struct Failures<'a, F> {
    pub(super) consumer: Consumer<'a, F>,
    /// What the channel had no room for yet.
    waiting: VecDeque<F>,
    kept: Vec<F>,
    /// Why the stream must end.
    pub(super) problem: Option<Arc<Error>>,
}

pub(super) enum Consumer<'a, F> {
    None,
    Callback(Box<dyn FnMut(F) + Send + 'a>),
    Channel { sender: mpsc::Sender<F>, reserving: Option<Reserving<F>> },
}

pub(super) type Reserving<F> = Pin<Box<dyn Future<Output = Option<mpsc::OwnedPermit<F>>> + Send>>;

impl<F> Default for Failures<'_, F> {
    fn default() -> Self {
        Self { consumer: Consumer::None, waiting: VecDeque::new(), kept: Vec::new(), problem: None }
    }
}

impl<F: StreamFailure> Failures<'_, F> {
    pub(super) fn push(&mut self, failure: F) {
        match &mut self.consumer {
            Consumer::Channel { .. } => self.waiting.push_back(failure),
            Consumer::Callback(take) => {
                let copy = failure.clone();
                if catch_unwind(AssertUnwindSafe(|| take(failure))).is_err() {
                    self.consumer = Consumer::None;
                    self.kept.push(copy);
                    self.end("the callback for failures panicked");
                }
            }
            Consumer::None => {
                self.kept.push(failure);
                if self.kept.len() >= MAX_KEPT_FAILURES {
                    self.end(
                        "1000 items have failed and nothing takes them; give the batch `.on_failure(…)` or `.failures_to(…)` to go on whatever fails",
                    );
                }
            }
        }
    }

    /// The first input whose failure nobody has taken.
    pub(super) fn first(&self) -> Option<usize> {
        self.waiting.iter().chain(&self.kept).map(StreamFailure::index).min()
    }

    fn end(&mut self, why: &str) {
        let end = || Arc::new(Error::configuration(why, None));
        self.problem.get_or_insert_with(end);
    }

    /// Ready when the channel has taken everything.
    pub(super) fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Consumer::Channel { sender, reserving } = &mut self.consumer else { return Poll::Ready(()) };
        while !self.waiting.is_empty() {
            let reserve = reserving.get_or_insert_with(|| {
                let sender = sender.clone();
                Box::pin(async move { sender.reserve_owned().await.ok() })
            });
            let Poll::Ready(permit) = reserve.as_mut().poll(context) else { return Poll::Pending };
            *reserving = None;
            match permit {
                Some(permit) => {
                    if let Some(failure) = self.waiting.pop_front() {
                        permit.send(failure);
                    }
                }
                None => {
                    // Nobody receives any more.
                    self.consumer = Consumer::None;
                    let waiting = std::mem::take(&mut self.waiting);
                    waiting.into_iter().for_each(|failure| self.push(failure));
                    break;
                }
            }
        }
        Poll::Ready(())
    }

    pub(super) fn finish(mut self, outcome: Outcome) -> Result<Stats, StreamError<F>> {
        let Outcome { stats, stopped, .. } = outcome;
        self.kept.extend(self.waiting);
        if self.kept.is_empty() && stopped.is_none() {
            return Ok(stats);
        }
        Err(StreamError(Box::new(Inner { failures: self.kept, stats, stopped })))
    }
}

/// What a failure of a stream has: [`SaveFailure`] or [`KeyFailure`].
pub trait StreamFailure: Sealed + Clone + Send + Sync + 'static {
    #[doc(hidden)]
    const INFO: &'static EntityInfo;
    #[doc(hidden)]
    const KIND: OperationKind;
    #[doc(hidden)]
    fn index(&self) -> usize;
    #[doc(hidden)]
    fn reason(&self) -> &Error;
    #[doc(hidden)]
    fn item(&self) -> BatchItem;
}

impl<E: Entity> Sealed for SaveFailure<E> {}
impl<E: Entity> Sealed for KeyFailure<E> {}

impl<E: Entity> StreamFailure for SaveFailure<E> {
    const INFO: &'static EntityInfo = E::INFO;
    const KIND: OperationKind = OperationKind::Saving;

    fn index(&self) -> usize {
        self.index
    }

    fn reason(&self) -> &Error {
        &self.reason
    }

    fn item(&self) -> BatchItem {
        let Self { index, key, fate, reason, .. } = self;
        BatchItem { index: *index, key: describe::<E>(key), fate: *fate, reason: reason.clone() }
    }
}

impl<E: Entity> StreamFailure for KeyFailure<E> {
    const INFO: &'static EntityInfo = E::INFO;
    const KIND: OperationKind = OperationKind::Deleting;

    fn index(&self) -> usize {
        self.index
    }

    fn reason(&self) -> &Error {
        &self.reason
    }

    fn item(&self) -> BatchItem {
        let Self { index, key, fate, reason } = self;
        BatchItem { index: *index, key: describe::<E>(key), fate: *fate, reason: reason.clone() }
    }
}

/// A stream did not come to its end, or some of its items have failed and nothing took them.
///
/// [`stopped`](Self::stopped) says why it ended early, if it did; [`failures`](Self::failures) has what was not handed on.
pub struct StreamError<F>(Box<Inner<F>>);

struct Inner<F> {
    failures: Vec<F>,
    stats: Stats,
    stopped: Option<Arc<Error>>,
}

impl<F> StreamError<F> {
    pub(super) fn not_begun(error: Error) -> Self {
        let stopped = Some(Arc::new(error));
        Self(Box::new(Inner { failures: Vec::new(), stats: Stats::default(), stopped }))
    }

    /// The items that have failed and were not handed to a callback or a channel.
    #[must_use]
    pub fn failures(&self) -> &[F] {
        &self.0.failures
    }

    /// The same, by value.
    #[must_use]
    pub fn into_failures(self) -> Vec<F> {
        self.0.failures
    }

    /// Why nothing more was taken from the stream, if it did not come to its end.
    #[must_use]
    pub fn stopped(&self) -> Option<&Error> {
        self.0.stopped.as_deref()
    }

    /// What the batch took.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.0.stats
    }
}

impl<F: StreamFailure> StreamError<F> {
    fn report(&self) -> BatchReport {
        let Inner { failures, stats, stopped } = &*self.0;
        let failures: Vec<BatchItem> = failures.iter().map(StreamFailure::item).collect();
        let reasons = failures.iter().map(|failure| &failure.reason).chain(stopped);
        let table = reasons.filter_map(|reason| reason.table()).next().unwrap_or(F::INFO.table).to_owned();
        let received = stats.items + stats.superseded + stats.failed;
        BatchReport {
            subject: Subject::of(F::INFO).in_table(table).during(F::KIND.doing()),
            total: usize::try_from(received).unwrap_or(usize::MAX),
            failures,
            stopped: stopped.clone(),
        }
    }
}

impl<F: StreamFailure> From<StreamError<F>> for Error {
    fn from(error: StreamError<F>) -> Self {
        Self::Batch(Box::new(error.report()))
    }
}

impl<F: StreamFailure> std::error::Error for StreamError<F> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let first = self.0.failures.first().map(StreamFailure::reason);
        self.0.stopped.as_deref().or(first).map(|error| error as _)
    }
}

impl<F: StreamFailure> fmt::Display for StreamError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.report(), f)
    }
}

/// Without the entities, which need not implement it.
impl<F: StreamFailure> fmt::Debug for StreamError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StreamError").field(&self.report()).finish()
    }
}
