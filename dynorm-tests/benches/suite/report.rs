//! The tables: printed, and written into `docs/BENCHMARKS.md` between the markers of their part.

use std::fmt::Write as _;

use anyhow::Context as _;

use crate::plot;
use crate::results::{Row, figure, workspace};

/// A figure of a part, as a table of cases and ways.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table {
    /// The name of the figure.
    pub(crate) measure: &'static str,
    /// The title, with the unit.
    pub(crate) title: &'static str,
    /// The way that `dynorm` is compared with.
    pub(crate) against: Option<&'static str>,
    /// Whether it is plotted.
    pub(crate) plot: bool,
}

/// The section of a part in Markdown; writes the plots into their files.
pub(crate) fn section(part: &str, tables: &[Table], rows: &[Row]) -> anyhow::Result<String> {
    let mut text = String::new();
    for table in tables {
        let ways = distinct(rows, table.measure, |row| &row.way);
        let cases = distinct(rows, table.measure, |row| &row.case);
        if cases.is_empty() {
            continue;
        }
        let markdown = markdown(table, rows, &cases, &ways);
        let _ = writeln!(text, "{markdown}");
        if table.plot {
            let name = format!("{part}-{}.svg", table.measure);
            let drawing = plot::bars(table, rows, &cases, &ways);
            std::fs::write(workspace().join("docs/benchmarks").join(&name), drawing)?;
            let _ = writeln!(text, "![{}](benchmarks/{name})\n", table.title);
        }
    }
    Ok(text)
}

/// Replaces the section of a part in the page.
pub(crate) fn publish(part: &str, section: &str) -> anyhow::Result<()> {
    let page = workspace().join("docs/BENCHMARKS.md");
    let text = std::fs::read_to_string(&page).with_context(|| format!("cannot read {}", page.display()))?;
    let (begin, end) = (format!("<!-- begin {part} -->\n"), format!("<!-- end {part} -->"));
    let (before, rest) = text.split_once(&begin).with_context(|| format!("the page has no {begin}"))?;
    let (_, after) = rest.split_once(&end).with_context(|| format!("the page has no {end}"))?;
    std::fs::write(&page, format!("{before}{begin}\n{section}{end}{after}"))?;
    Ok(())
}

fn distinct<'r>(rows: &'r [Row], measure: &str, of: impl Fn(&'r Row) -> &'r String) -> Vec<&'r str> {
    let mut found = Vec::new();
    for row in rows.iter().filter(|row| row.figures.contains_key(measure)) {
        let name = of(row).as_str();
        if !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

fn markdown(table: &Table, rows: &[Row], cases: &[&str], ways: &[&str]) -> String {
    let mut text = format!("| {} |", table.title);
    for way in ways {
        let _ = write!(text, " {way} |");
    }
    if let Some(against) = table.against {
        let _ = write!(text, " dynorm : {against} |");
    }
    let columns = ways.len() + usize::from(table.against.is_some());
    let _ = writeln!(text, "\n|---|{}", "---:|".repeat(columns));
    for case in cases {
        let _ = write!(text, "| {case} |");
        for way in ways {
            let _ = write!(text, " {} |", shown(figure(rows, case, way, table.measure)));
        }
        if let Some(against) = table.against {
            let of = |way| figure(rows, case, way, table.measure);
            let _ = match of(crate::DYNORM).zip(of(against)) {
                Some((ours, theirs)) if theirs > 0.0 => write!(text, " {:.2} |", ours / theirs),
                _ => write!(text, " |"),
            };
        }
        text.push('\n');
    }
    text
}

/// Formats a figure with at least three digits, and with commas between thousands.
pub(crate) fn shown(figure: Option<f64>) -> String {
    let Some(figure) = figure else { return "–".to_owned() };
    match figure.abs() {
        size if size < 10.0 => format!("{figure:.2}"),
        size if size < 100.0 => format!("{figure:.1}"),
        _ => {
            let digits = format!("{figure:.0}");
            let mut text = String::new();
            for (index, digit) in digits.chars().enumerate() {
                if index > 0 && (digits.len() - index).is_multiple_of(3) {
                    text.push(',');
                }
                text.push(digit);
            }
            text
        }
    }
}
