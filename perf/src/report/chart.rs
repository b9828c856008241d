//! Curves over one axis, with what was measured, how far it spread, and what a model says.

use super::axis::{Axis, Scale};
use super::svg::{Anchor, COLOURS, Svg};
use super::text::number;
use crate::record::Point;

pub(super) const WIDTH: f64 = 640.0;
/// Room for what stands left of, right of and below the curves.
pub(super) const LEFT: f64 = 66.0;
pub(super) const RIGHT: f64 = 22.0;
const BELOW: f64 = 52.0;
/// Height of the curves themselves.
pub(super) const PLOT: f64 = 280.0;
/// One row of the legend.
const ROW: f64 = 20.0;

/// What a curve is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Points that were measured, with their spread.
    Measured,
    /// As many points as a distribution has: no marks.
    Distribution,
    /// What a model says.
    Model,
    /// What the tester itself adds.
    Floor,
}

/// One curve.
#[derive(Clone, Debug)]
pub(super) struct Curve {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) points: Vec<Point>,
}

/// One side of a chart.
#[derive(Clone, Debug)]
pub(super) struct Side {
    pub(super) label: String,
    pub(super) scale: Scale,
}

/// Curves over one axis.
#[derive(Clone, Debug)]
pub(super) struct Chart {
    pub(super) x: Side,
    pub(super) y: Side,
    pub(super) curves: Vec<Curve>,
}

impl Chart {
    pub(super) fn draw(&self) -> Svg {
        let rows = self.legend();
        let top = 34.0 + ROW * rows.len() as f64;
        let mut svg = Svg::new(WIDTH, top + PLOT + BELOW);
        let points = || self.curves.iter().flat_map(|curve| &curve.points);
        let x = Axis::spanning(self.x.scale, points().map(|point| point.x), LEFT, WIDTH - RIGHT);
        let ends = points().flat_map(|point| [point.y, point.low, point.high]);
        let y = Axis::new(self.y.scale, ends, top + PLOT, top);
        frame(&mut svg, &x, &y, top);
        svg.text((16.0, top - 16.0), Anchor::Start, "", &self.y.label);
        svg.text(((LEFT + WIDTH - RIGHT) / 2.0, top + PLOT + 42.0), Anchor::Middle, "", &self.x.label);
        for (row, places) in rows.iter().enumerate() {
            for (at, curve) in places {
                self.key(&mut svg, (*at, 14.0 + ROW * row as f64), *curve);
            }
        }
        // What was measured lies over what was reckoned.
        for last in [false, true] {
            for (place, curve) in self.curves.iter().enumerate() {
                if (curve.kind == Kind::Measured) == last {
                    lay(&mut svg, curve, self.colour(place), &x, &y);
                }
            }
        }
        svg
    }

    /// Names that would say nothing are left out: of a single curve.
    fn legend(&self) -> Vec<Vec<(f64, usize)>> {
        let mut rows: Vec<Vec<(f64, usize)>> = Vec::new();
        if self.curves.len() < 2 {
            return rows;
        }
        let mut at = WIDTH;
        for (place, curve) in self.curves.iter().enumerate() {
            // Nobody knows the font that a page is shown with; most are narrower.
            let width = 38.0 + 7.2 * curve.name.chars().count() as f64;
            if at + width > WIDTH {
                rows.push(Vec::new());
                at = 16.0;
            }
            if let Some(row) = rows.last_mut() {
                row.push((at, place));
            }
            at += width + 10.0;
        }
        rows
    }

    fn key(&self, svg: &mut Svg, (x, y): (f64, f64), place: usize) {
        let Some(curve) = self.curves.get(place) else { return };
        let colour = self.colour(place);
        svg.path(&[(x, y - 4.0), (x + 28.0, y - 4.0)], &class(curve.kind, colour));
        if curve.kind == Kind::Measured {
            svg.mark(colour, (x + 14.0, y - 4.0), &format!("f{}", colour % COLOURS), "");
        }
        svg.text((x + 35.0, y), Anchor::Start, "strong", &curve.name);
    }

    /// Colours go to what was measured; the rest has looks of its own.
    fn colour(&self, place: usize) -> usize {
        self.curves.iter().take(place).filter(|curve| matches!(curve.kind, Kind::Measured | Kind::Distribution)).count()
    }
}

fn class(kind: Kind, colour: usize) -> String {
    match kind {
        Kind::Measured | Kind::Distribution => {
            let dash = match colour % 4 {
                0 => String::new(),
                dash => format!(" dash{dash}"),
            };
            format!("curve l{}{dash}", colour % COLOURS)
        }
        Kind::Model => "model".to_owned(),
        Kind::Floor => "floor".to_owned(),
    }
}

/// Lines and ticks behind what is drawn.
pub(super) fn frame(svg: &mut Svg, x: &Axis, y: &Axis, top: f64) {
    let (bottom, right) = (top + PLOT, WIDTH - RIGHT);
    for (value, label) in y.ticks() {
        let at = y.at(value);
        svg.line((LEFT, at), (right, at), "grid");
        svg.text((LEFT - 8.0, at + 4.5), Anchor::End, "", &label);
    }
    let mut free = f64::NEG_INFINITY;
    for (value, label) in x.ticks() {
        let at = x.at(value);
        svg.line((at, bottom), (at, bottom + 5.0), "rule");
        // A label that would run into the one before is left out; its tick stays.
        let half = label.chars().count() as f64 * 3.7;
        let middle = at.min(WIDTH - 2.0 - half);
        if middle - half > free {
            svg.text((middle, bottom + 20.0), Anchor::Middle, "", &label);
            free = middle + half + 4.0;
        }
    }
    svg.line((LEFT, bottom), (right, bottom), "rule");
}

fn lay(svg: &mut Svg, curve: &Curve, colour: usize, x: &Axis, y: &Axis) {
    let places: Vec<_> = curve.points.iter().map(|point| (x.at(point.x), y.at(point.y))).collect();
    svg.path(&places, &class(curve.kind, colour));
    if curve.kind != Kind::Measured {
        return;
    }
    let (line, fill) = (format!("bar l{}", colour % COLOURS), format!("f{}", colour % COLOURS));
    for (point, at) in curve.points.iter().zip(places) {
        let (low, high) = (y.at(point.low), y.at(point.high));
        if (low - high).abs() > 1.0 {
            svg.line((at.0, low), (at.0, high), &line);
            svg.line((at.0 - 4.0, low), (at.0 + 4.0, low), &line);
            svg.line((at.0 - 4.0, high), (at.0 + 4.0, high), &line);
        }
        let hint = format!(
            "{}: {} at {} ({} to {})",
            curve.name,
            number(point.y),
            number(point.x),
            number(point.low),
            number(point.high)
        );
        svg.mark(colour, at, &fill, &hint);
    }
}
