//! Plots: bars, with a group for each case on its own scale, readable on light and dark pages.

use std::fmt::Write as _;

use crate::report::{Table, shown};
use crate::results::{Row, figure};

const WIDTH: usize = 760;
const LABEL: usize = 190;
const BAR: usize = 16;
const LONGEST: f64 = 440.0;
/// A colour that is readable on white and on black.
const TEXT: &str = "#808890";
const COLOURS: [&str; 6] = ["#2f81f7", "#8b949e", "#bf8700", "#a371f7", "#2da44e", "#e5534b"];

pub(crate) fn bars(table: &Table, rows: &[Row], cases: &[&str], ways: &[&str]) -> String {
    let mut body = String::new();
    let mut y = 34;
    for case in cases {
        let figures = ways.iter().map(|way| figure(rows, case, way, table.measure));
        let figures: Vec<Option<f64>> = figures.collect();
        let most = figures.iter().flatten().fold(0.0f64, |most, figure| most.max(*figure));
        let _ = writeln!(body, r#"<text x="8" y="{}" font-weight="bold">{}</text>"#, y + 12, escaped(case));
        y += 20;
        for ((way, figure), colour) in ways.iter().zip(figures).zip(COLOURS.iter().cycle()) {
            let Some(figure) = figure else { continue };
            let length = if most > 0.0 { (figure.max(0.0) / most * LONGEST).max(1.0) } else { 1.0 };
            let middle = y + BAR - 4;
            let _ = writeln!(
                body,
                r#"<text x="{}" y="{middle}" text-anchor="end">{}</text>
<rect x="{LABEL}" y="{y}" width="{length:.1}" height="{}" rx="2" fill="{colour}"/>
<text x="{:.1}" y="{middle}">{}</text>"#,
                LABEL - 8,
                escaped(way),
                BAR - 2,
                LABEL as f64 + length + 6.0,
                shown(Some(figure)),
            );
            y += BAR;
        }
        y += 10;
    }
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}" height="{y}" font-family="system-ui, sans-serif" font-size="12" fill="{TEXT}">
<text x="8" y="18" font-size="14">{}, less is better; each group on a scale of its own</text>
{body}</svg>
"#,
        escaped(table.title)
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
