//! The error of a batch, as far as it goes without its entities.

use std::fmt;

use super::{Error, Subject};
use crate::batch::Fate;

/// The items of a batch that are not known to be done.
pub struct BatchReport {
    pub(crate) subject: Subject,
    pub(crate) total: usize,
    pub(crate) failures: Vec<BatchItem>,
    /// Why a stream ended early.
    pub(crate) stopped: Option<std::sync::Arc<Error>>,
}

/// One input of a batch that is not known to be done, without its entity.
#[derive(Debug)]
#[non_exhaustive]
pub struct BatchItem {
    /// Its position in the input.
    pub index: usize,
    /// Its key, as text; the sensitive parts left out.
    pub key: Option<String>,
    /// What is known of it.
    pub fate: Fate,
    /// Why.
    pub reason: std::sync::Arc<Error>,
}

/// What it says, and the first failures: there may be hundreds of thousands.
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
        // By fate, if there are several.
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
