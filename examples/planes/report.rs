//! The report at the end.

use std::fmt;

use dynorm::Stats;
use indicatif::HumanCount;

/// The steps of the import, as a table.
#[derive(Default)]
pub(crate) struct Report(Vec<[String; 5]>);

impl Report {
    /// Adds a row with the statistics of a batch.
    pub(crate) fn batch(&mut self, what: &str, stats: &Stats) {
        let numbers = [stats.items, stats.requests, stats.retries].map(thousands);
        let [items, requests, retries] = numbers;
        let time = format!("{} ms", thousands(stats.elapsed.as_millis() as u64));
        self.0.push([what.to_owned(), items, requests, retries, time]);
    }

    /// Adds a row with a number of items.
    pub(crate) fn number(&mut self, what: &str, items: u64) {
        self.0.push([what, &thousands(items), "", "", ""].map(str::to_owned));
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = ["what", "items", "requests", "retries", "time"].map(str::to_owned);
        for [what, items, requests, retries, time] in std::iter::once(&head).chain(&self.0) {
            let line = format!("{what:<36} {items:>7} {requests:>9} {retries:>8} {time:>10}");
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// Formats a number with separators, such as `3,322`.
pub(crate) fn thousands(number: u64) -> String {
    HumanCount(number).to_string()
}
