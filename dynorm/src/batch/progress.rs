//! The progress of a batch, for progress bars and logs, and for tasks that have dropped the batch.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Stats, count};

/// The progress of a batch.
///
/// ```
/// # use dynorm::prelude::*;
/// # #[derive(Entity, Clone, Debug, Default)]
/// # struct User { #[entity(id)] id: Id<User>, age: u32 }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> dynorm::Result<()> {
/// # let db = Database::memory()?;
/// # db.create_table::<User>().await?;
/// # db.install();
/// let mut shown = 0;
/// UserRepo::batch_save(vec![User::default(); 60]).on_progress(|progress| shown = progress.done).await?;
/// assert_eq!(shown, 60);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// The number of inputs that are done, or replaced by one that is.
    pub done: u64,
    /// The number of inputs that have failed.
    pub failed: u64,
    /// The number of inputs that the batch has taken in so far, including unfinished ones.
    pub received: u64,
    /// The number of inputs, if that is known. For most streams it is not.
    pub total: Option<u64>,
    /// Every input before this position is done, or has failed and was handed on. An interrupted stream can
    /// continue here.
    pub checkpoint: u64,
    /// The statistics so far.
    pub stats: Stats,
}

impl Progress {
    pub(super) fn update(&mut self, stats: &Stats, received: usize, checkpoint: u64) {
        self.done = stats.items + stats.superseded;
        self.failed = stats.failed;
        self.received = count(received);
        self.checkpoint = checkpoint;
        self.stats.clone_from(stats);
    }
}

/// `120 of 500 done, 3 failed`
impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.done)?;
        if let Some(total) = self.total {
            write!(f, " of {total}")?;
        }
        f.write_str(" done")?;
        if self.failed > 0 {
            write!(f, ", {} failed", self.failed)?;
        }
        Ok(())
    }
}

/// Reports the progress of a batch to other tasks, and after the batch was dropped. Clones report the same
/// batch.
///
/// ```
/// # use dynorm::prelude::*;
/// # #[derive(Entity, Clone, Debug, Default)]
/// # struct User { #[entity(id)] id: Id<User>, age: u32 }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> dynorm::Result<()> {
/// # let db = Database::memory()?;
/// # db.create_table::<User>().await?;
/// # db.install();
/// let mut save = UserRepo::batch_save(vec![User::default(); 60]);
/// let progress = save.progress();
/// let _ = tokio::time::timeout(std::time::Duration::from_secs(5), save.into_future()).await;
/// println!("{}", progress.get());
/// # assert_eq!(progress.get().to_string(), "60 of 60 done");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct ProgressHandle(Arc<Mutex<Progress>>);

impl ProgressHandle {
    /// Returns the progress as of the last answer.
    #[must_use]
    pub fn get(&self) -> Progress {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set(&self, progress: &Progress) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone_from(progress);
    }
}

impl fmt::Debug for ProgressHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.get(), f)
    }
}

/// Finds the first unfinished input. Takes one byte for each input after it.
#[derive(Debug, Default)]
pub(super) struct Checkpoint {
    start: usize,
    open: VecDeque<bool>,
}

impl Checkpoint {
    /// Makes one with room for this many inputs.
    pub(super) fn of(inputs: usize) -> Self {
        Self { start: 0, open: VecDeque::with_capacity(inputs) }
    }

    pub(super) fn open(&mut self) {
        self.open.push_back(true);
    }

    pub(super) fn close(&mut self, index: usize) {
        if let Some(open) = index.checked_sub(self.start).and_then(|index| self.open.get_mut(index)) {
            *open = false;
        }
        while self.open.front() == Some(&false) {
            self.open.pop_front();
            self.start += 1;
        }
    }

    pub(super) fn get(&self) -> u64 {
        count(self.start)
    }
}

#[cfg(test)]
mod tests {
    use super::Checkpoint;

    #[test]
    fn the_checkpoint_stands_behind_all_that_is_settled() {
        let mut checkpoint = Checkpoint::default();
        (0..5).for_each(|_| checkpoint.open());
        for (settled, stands) in [(1, 0), (0, 2), (4, 2), (4, 2), (3, 2), (2, 5)] {
            checkpoint.close(settled);
            assert_eq!(checkpoint.get(), stands);
        }
        checkpoint.open();
        checkpoint.close(0);
        checkpoint.close(9);
        assert_eq!(checkpoint.get(), 5);
    }
}
