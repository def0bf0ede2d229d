//! What the engine is given: inputs, one after another, by whoever knows their types.

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

/// The inputs of a batch, on the side that knows their types: it hands them in one after another, and hears
/// what becomes of each.
pub(in crate::batch) trait Inputs: Send {
    /// The next input. The engine numbers them from 0.
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Input>>;

    /// The fate of an input, once for each. A reason says why it is not done.
    fn settle(&mut self, index: usize, fate: Fate, reason: Option<&Arc<Error>>);

    /// The item that answers these inputs, before they are settled.
    fn found(&mut self, _: &[usize], _: &Item<'_>) -> Result<(), ValueError> {
        Ok(())
    }

    /// An input once more, with what is known of its item by now.
    fn again(&mut self, _: usize, _: &Known) -> Option<Result<Body>> {
        None
    }

    /// The next of those that were taken from the caller and not handed in, when nothing more is to be begun.
    fn poll_left(&mut self, _: &mut Context<'_>) -> Poll<Option<Left>> {
        Poll::Ready(None)
    }

    /// How many inputs that are done wait for their hooks.
    fn waiting_for_hooks(&self) -> usize {
        0
    }

    /// Ready when what was settled has been passed on, and more may be.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }

    /// The first of the inputs that are settled here, and not passed on yet.
    fn held_back(&self) -> Option<usize> {
        None
    }

    /// Why nothing more is to be begun, if whoever gave the inputs has had enough.
    fn stopped(&self) -> Option<Arc<Error>> {
        None
    }

    /// Where an input stands among those that the caller gave.
    fn position(&self, index: usize) -> usize {
        index
    }

    /// How many there are, if that is known.
    fn total(&self) -> Option<u64>;
}

/// One input, encoded, or the reason why it cannot be sent.
pub(in crate::batch) struct Input {
    pub(in crate::batch) table: usize,
    pub(in crate::batch) info: &'static EntityInfo,
    pub(in crate::batch) body: Result<Body, Unsent>,
    /// What an earlier batch has said of it.
    pub(in crate::batch) earlier: Option<(Fate, Arc<Error>)>,
}

/// Why an input is not sent, and the fate that this is.
pub(in crate::batch) struct Unsent {
    pub(in crate::batch) fate: Fate,
    pub(in crate::batch) error: Error,
}

impl Unsent {
    /// The input itself is refused.
    pub(in crate::batch) fn rejected(error: Error) -> Self {
        Self { fate: Fate::Rejected, error }
    }

    /// Something that has to be done before it could not be done: it may be another time.
    pub(in crate::batch) fn not_begun(error: Error) -> Self {
        let fate = if matches!(error, Error::Invalid(_)) { Fate::Rejected } else { Fate::NotSent };
        Self { fate, error }
    }

    pub(in crate::batch) fn in_table(self, table: &str) -> Self {
        Self { error: self.error.in_table(table), ..self }
    }
}

/// An input that was taken from the caller and not handed in, with the reason if one was found meanwhile.
pub(in crate::batch) struct Left {
    pub(in crate::batch) unsent: Option<Unsent>,
}

/// Where inputs come from.
#[derive(Clone, Copy, Debug)]
pub(in crate::batch) enum Origin {
    /// They are all at hand. As many as may share their keys come first, and are taken in before anything is
    /// sent, so that of several with one key one is sent.
    AtHand { first: usize },
    /// They come one after another.
    Stream,
}

/// How many inputs may be on their way: twice what the requests under way take.
pub(in crate::batch) fn room(work: Work, settings: &Settings<'_>) -> usize {
    let requests = settings.options.concurrency.unwrap_or(work.most_under_way());
    requests.saturating_mul(work.most_items()).saturating_mul(2)
}
