//! The plot, four panels in an SVG file.

use std::path::Path;

use anyhow::Context as _;
use indicatif::HumanCount;
use plotters::coord::Shift;
use plotters::prelude::*;

const SIZE: (u32, u32) = (1400, 900);
const COLOURS: [RGBColor; 2] = [RGBColor(31, 119, 180), RGBColor(214, 96, 32)];
const WAITS: RGBColor = RGBColor(90, 160, 90);
const GRID: RGBColor = RGBColor(228, 228, 228);

/// Lines over time in seconds.
#[derive(Default)]
pub(crate) struct Panel {
    pub(crate) title: &'static str,
    /// The label of the left axis.
    pub(crate) left: &'static str,
    /// The upper end of the left axis.
    pub(crate) top: f64,
    pub(crate) lines: Vec<Line>,
    /// The percentage of time spent waiting, on the right axis, which is drawn if there are points.
    pub(crate) waits: Vec<(f64, f64)>,
}

pub(crate) struct Line {
    name: &'static str,
    stroke: Stroke,
    points: Vec<(f64, f64)>,
}

#[derive(Clone, Copy, PartialEq)]
enum Stroke {
    Solid,
    Dashed,
    /// With the area below the line.
    Filled,
}

impl Line {
    pub(crate) fn solid(name: &'static str, points: Vec<(f64, f64)>) -> Self {
        Self { name, stroke: Stroke::Solid, points }
    }

    pub(crate) fn dashed(name: &'static str, points: Vec<(f64, f64)>) -> Self {
        Self { name, stroke: Stroke::Dashed, points }
    }

    pub(crate) fn filled(name: &'static str, points: Vec<(f64, f64)>) -> Self {
        Self { name, stroke: Stroke::Filled, points }
    }
}

/// Writes the panels into a file, two in a row.
pub(crate) fn draw(file: &Path, title: &str, panels: &[Panel]) -> anyhow::Result<()> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        let root = root.titled(title, ("sans-serif", 28))?;
        let areas = root.split_evenly((panels.len().div_ceil(2), 2));
        for (panel, area) in panels.iter().zip(areas) {
            panel.draw(&area)?;
        }
        root.present()?;
    }
    std::fs::write(file, svg).with_context(|| format!("cannot write {}", file.display()))
}

impl Panel {
    fn draw(&self, area: &DrawingArea<SVGBackend<'_>, Shift>) -> anyhow::Result<()> {
        let points = self.lines.iter().flat_map(|line| &line.points);
        let width = points.fold(0.0_f64, |width, (seconds, _)| width.max(*seconds));
        let has_right = !self.waits.is_empty();
        let mut chart = ChartBuilder::on(area)
            .caption(self.title, ("sans-serif", 18))
            .margin(14)
            .x_label_area_size(42)
            .y_label_area_size(72)
            .right_y_label_area_size(if has_right { 52 } else { 20 })
            .build_cartesian_2d(0.0..width, 0.0..self.top)?
            .set_secondary_coord(0.0..width, 0.0..150.0);

        chart
            .configure_mesh()
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .x_desc("seconds")
            .x_label_formatter(&|seconds| ((seconds * 100.0).round() / 100.0).to_string())
            .y_desc(self.left)
            .y_label_formatter(&|count| HumanCount(*count as u64).to_string())
            .label_style(("sans-serif", 14))
            .draw()?;
        if has_right {
            chart
                .configure_secondary_axes()
                .y_desc("percent of the time")
                .y_label_formatter(&|count| format!("{count:.0}"))
                .label_style(("sans-serif", 14).into_font().color(&WAITS))
                .draw()?;
        }

        for (line, colour) in self.lines.iter().zip(COLOURS) {
            let points = line.points.iter().copied();
            if line.stroke == Stroke::Filled {
                chart.draw_series(AreaSeries::new(points.clone(), 0.0, colour.mix(0.2)))?;
            }
            let drawn = match line.stroke {
                Stroke::Dashed => {
                    chart.draw_series(DashedLineSeries::new(points, 8, 6, colour.stroke_width(2)))?
                }
                _ => chart.draw_series(LineSeries::new(points, colour.stroke_width(2)))?,
            };
            drawn.label(line.name).legend(move |(x, y)| key(x, y, colour));
        }
        if has_right {
            let points = self.waits.iter().copied();
            chart
                .draw_secondary_series(LineSeries::new(points, WAITS.stroke_width(1)))?
                .label("time spent waiting (right)")
                .legend(|(x, y)| key(x, y, WAITS));
        }
        chart
            .configure_series_labels()
            .position(if has_right {
                SeriesLabelPosition::UpperRight
            } else {
                SeriesLabelPosition::LowerRight
            })
            .margin(16)
            .background_style(WHITE.mix(0.9))
            .border_style(GRID)
            .label_font(("sans-serif", 14))
            .draw()?;
        Ok(())
    }
}

/// The symbol before a name in the legend.
fn key(x: i32, y: i32, colour: RGBColor) -> PathElement<(i32, i32)> {
    PathElement::new([(x, y), (x + 20, y)], colour.stroke_width(3))
}
