//! The measurements: rows of figures, stored in `docs/benchmarks/`, one file a part.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

/// The figures of one case, done in one way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) case: String,
    pub(crate) way: String,
    /// By figure: `instructions`, `ns`, …
    pub(crate) figures: BTreeMap<String, f64>,
}

impl Row {
    pub(crate) fn new(case: impl Into<String>, way: impl Into<String>) -> Self {
        Self { case: case.into(), way: way.into(), figures: BTreeMap::new() }
    }

    pub(crate) fn add(&mut self, measure: &str, figure: f64) {
        self.figures.insert(measure.to_owned(), (figure * 1000.0).round() / 1000.0);
    }

    pub(crate) fn with(mut self, measure: &str, figure: f64) -> Self {
        self.add(measure, figure);
        self
    }
}

/// A figure of one case, done in one way.
pub(crate) fn figure(rows: &[Row], case: &str, way: &str, measure: &str) -> Option<f64> {
    let row = rows.iter().find(|row| row.case == case && row.way == way)?;
    row.figures.get(measure).copied()
}

/// The directory of the workspace.
pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned).unwrap_or_default()
}

fn file(part: &str) -> PathBuf {
    workspace().join("docs/benchmarks").join(format!("{part}.json"))
}

pub(crate) fn keep(part: &str, rows: &[Row]) -> anyhow::Result<()> {
    let file = file(part);
    std::fs::create_dir_all(workspace().join("docs/benchmarks"))?;
    let json = serde_json::to_string_pretty(rows)? + "\n";
    std::fs::write(&file, json).with_context(|| format!("cannot write {}", file.display()))
}
