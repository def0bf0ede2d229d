//! The error of a batch, without its entities.

use std::fmt;

use super::{Error, Subject};
use crate::batch::Fate;

/// The details of a failed batch: the items that failed or whose outcome is unknown.
pub struct BatchReport {
    pub(crate) subject: Subject,
    pub(crate) total: usize,
    pub(crate) failures: Vec<BatchItem>,
    /// Why the batch ended early, if it did.
    pub(crate) stopped: Option<std::sync::Arc<Error>>,
}

/// One input of a batch that failed or whose outcome is unknown, without its entity.
#[derive(Debug)]
#[non_exhaustive]
pub struct BatchItem {
    /// The position in the input, from 0.
    pub index: usize,
    /// The key as text, without the values of sensitive fields.
    pub key: Option<String>,
    /// What happened to the input.
    pub fate: Fate,
    /// Why it failed.
    pub reason: std::sync::Arc<Error>,
}

/// Shows the message and the first failures alone: there may be hundreds of thousands.
impl fmt::Debug for BatchReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 10;
        let mut debug = f.debug_struct("BatchReport");
        debug.field("message", &format_args!("{self}"));
        debug.field("failures", &self.failures.get(..SHOWN).unwrap_or(&self.failures));
        if let Some(more @ 1..) = self.failures.len().checked_sub(SHOWN) {
            debug.field("more_failures", &more);
        }
        debug.field("stopped", &self.stopped).finish()
    }
}

impl fmt::Display for BatchReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { subject, total, failures, stopped } = self;
        let (operation, failed) = (subject.operation, failures.len());
        write!(f, "{operation} {subject}: ")?;
        if stopped.is_some() {
            f.write_str("ended early")?;
            if *total > 0 {
                write!(f, " after {total} items")?;
            }
            if failed == 0 {
                return Ok(());
            }
            write!(f, ", {failed} of them not done")?;
        } else {
            let are = if failed == 1 { "is" } else { "are" };
            write!(f, "{failed} of {total} items {are} not done")?;
        }
        // The number of each fate, if there are several.
        let mut fates: Vec<(String, usize)> = Vec::new();
        for failure in failures {
            let fate = match failure.fate {
                Fate::Superseded { .. } => "superseded by one of them".to_owned(),
                fate => fate.to_string(),
            };
            match fates.iter_mut().find(|(known, _)| *known == fate) {
                Some((_, count)) => *count += 1,
                None => fates.push((fate, 1)),
            }
        }
        if fates.len() > 1 {
            let fates: Vec<String> = fates.iter().map(|(fate, count)| format!("{count} {fate}")).collect();
            write!(f, ": {}", fates.join(", "))?;
        }
        if let Some(first) = self.failures.first() {
            write!(f, "; the first is #{} ({})", first.index, first.fate)?;
            if let Some(key) = &first.key {
                write!(f, " with {key}")?;
            }
        }
        Ok(())
    }
}
