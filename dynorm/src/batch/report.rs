//! Makes the report of the inputs that are not known to be done, without their entities.

use super::stats::Fates;
use crate::error::{BatchItem, BatchReport, Subject};

/// Reports the inputs that are not known to be done, by their keys.
pub(super) fn erased_report(
    subject: Subject,
    fates: &Fates,
    keys: impl Iterator<Item = Option<String>>,
) -> BatchReport {
    let failed = fates.iter().enumerate().filter_map(|(index, (fate, reason))| {
        let reason = reason.clone()?;
        Some((index, *fate, reason))
    });
    let failures: Vec<BatchItem> =
        failed.zip(keys).map(|((index, fate, reason), key)| BatchItem { index, key, fate, reason }).collect();
    let named = failures.iter().find_map(|failure| failure.reason.table()).map(str::to_owned);
    let subject = if subject.info.is_some()
        && let Some(table) = named
    {
        subject.in_table(table)
    } else {
        subject
    };
    BatchReport { subject, total: fates.len(), failures, stopped: None }
}
