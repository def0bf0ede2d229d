//! The interface between the engine and the code that knows the entity types.

use std::sync::Arc;
use std::task::{Context, Poll};

use super::super::Fate;
use super::super::body::Body;
use super::super::settings::Settings;
use super::super::work::Work;
use crate::codec::{Item, ValueError};
use crate::entity::EntityInfo;
use crate::error::{Error, Result};
use crate::write::Known;

/// The inputs of a batch. The implementation knows the entity types: it hands over the inputs one after
/// another, and is told the fate of each.
pub(in crate::batch) trait Inputs: Send {
    /// Returns the next input. The engine numbers them from 0.
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Input>>;

    /// Reports the fate of an input, once for each, with the reason if it is not done.
    fn settle(&mut self, index: usize, fate: Fate, reason: Option<&Arc<Error>>);

    /// Reports the item that was read for these inputs, before they are settled.
    fn found(&mut self, _: &[usize], _: &Item<'_>) -> Result<(), ValueError> {
        Ok(())
    }

    /// Encodes an input again for the stored item, as far as that is known.
    fn again(&mut self, _: usize, _: &Known) -> Option<Result<Body>> {
        None
    }

    /// Returns the next input that was taken from the caller but not handed over, after the batch has
    /// stopped.
    fn poll_left(&mut self, _: &mut Context<'_>) -> Poll<Option<Left>> {
        Poll::Ready(None)
    }

    /// The number of inputs that are done and wait for their hooks.
    fn waiting_for_hooks(&self) -> usize {
        0
    }

    /// Ready when the settled inputs were passed on, and there is room for more.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }

    /// The first input that is settled but not passed on yet.
    fn held_back(&self) -> Option<usize> {
        None
    }

    /// Why the batch must stop, if the consumer of its results requires it.
    fn stopped(&self) -> Option<Arc<Error>> {
        None
    }

    /// The position of an input in the order of the caller.
    fn position(&self, index: usize) -> usize {
        index
    }

    /// The number of inputs, if that is known.
    fn total(&self) -> Option<u64>;
}

/// One input, encoded, or the reason why it cannot be sent.
pub(in crate::batch) struct Input {
    pub(in crate::batch) table: usize,
    pub(in crate::batch) info: &'static EntityInfo,
    pub(in crate::batch) body: Result<Body, Unsent>,
    /// Its fate in an earlier batch.
    pub(in crate::batch) earlier: Option<(Fate, Arc<Error>)>,
}

/// Why an input is not sent, with its fate.
pub(in crate::batch) struct Unsent {
    pub(in crate::batch) fate: Fate,
    pub(in crate::batch) error: Error,
}

impl Unsent {
    /// The input itself is refused.
    pub(in crate::batch) fn rejected(error: Error) -> Self {
        Self { fate: Fate::Rejected, error }
    }

    /// A step before sending failed, such as a hook. It may succeed another time.
    pub(in crate::batch) fn not_begun(error: Error) -> Self {
        let fate = if matches!(error, Error::Invalid(_)) { Fate::Rejected } else { Fate::NotSent };
        Self { fate, error }
    }

    pub(in crate::batch) fn in_table(self, table: &str) -> Self {
        Self { error: self.error.in_table(table), ..self }
    }
}

/// An input that was taken from the caller but not handed over, with the reason if there is one.
pub(in crate::batch) struct Left {
    pub(in crate::batch) unsent: Option<Unsent>,
}

/// The source of the inputs.
#[derive(Clone, Copy, Debug)]
pub(in crate::batch) enum Origin {
    /// All inputs are in memory. The first ones, which may share their keys, are taken in before anything is
    /// sent, so that one input of each key is sent.
    AtHand { first: usize },
    /// The inputs arrive one after another.
    Stream,
}

/// The number of inputs that may be in flight or waiting: twice as many as fit into the requests in flight.
pub(in crate::batch) fn room(work: Work, settings: &Settings<'_>) -> usize {
    let requests = settings.options.concurrency.unwrap_or(work.most_under_way());
    requests.saturating_mul(work.most_items()).saturating_mul(2)
}
