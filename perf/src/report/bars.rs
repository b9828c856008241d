//! Stacked bars: what a whole is made of.

use super::svg::{Anchor, COLOURS, Svg};
use super::text::{self, quantity};

const WIDTH: f64 = 640.0;
const LEFT: f64 = 16.0;
const BAR: f64 = 28.0;
/// From one bar to the next: its name, itself, its parts in words, and room.
const STEP: f64 = 88.0;

/// One bar.
#[derive(Clone, Debug)]
pub(super) struct Bar {
    pub(super) name: String,
    /// Names of parts and how large they are.
    pub(super) parts: Vec<(String, f64)>,
}

impl Bar {
    pub(super) fn total(&self) -> f64 {
        self.parts.iter().map(|(_, size)| size).sum()
    }
}

/// Bars on one scale; parts of one name have one colour.
pub(super) fn draw(bars: &[Bar], unit: &str) -> Svg {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in bars.iter().flat_map(|bar| &bar.parts) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let rows = legend(&names);
    let top = 14.0 + 20.0 * rows.last().map_or(0.0, |(_, row)| row + 1.0);
    let mut svg = Svg::new(WIDTH, top + STEP * bars.len() as f64);
    for (place, ((x, row), name)) in rows.iter().zip(&names).enumerate() {
        let y = 16.0 + 20.0 * row;
        svg.rect((*x, y - 11.0), (13.0, 13.0), &format!("f{}", place % COLOURS), "");
        svg.text((x + 19.0, y), Anchor::Start, "strong", name);
    }
    let most = bars.iter().map(Bar::total).fold(f64::MIN_POSITIVE, f64::max);
    let scale = (WIDTH - LEFT - 16.0) / most;
    for (number, bar) in bars.iter().enumerate() {
        let y = top + STEP * number as f64 + 20.0;
        svg.text((LEFT, y - 7.0), Anchor::Start, "strong", &format!("{}: {}", bar.name, quantity(bar.total(), unit)));
        let mut x = LEFT;
        for (name, size) in &bar.parts {
            let colour = names.iter().position(|known| known == name).unwrap_or(0);
            let width = size * scale;
            let hint = format!("{name}: {}", quantity(*size, unit));
            svg.rect((x, y), (width, BAR), &format!("part f{}", colour % COLOURS), &hint);
            x += width;
        }
        // Parts may be too narrow to stand in.
        let parts: Vec<_> = bar.parts.iter().map(|(name, size)| format!("{name} {}", text::number(*size))).collect();
        svg.text((LEFT, y + BAR + 17.0), Anchor::Start, "", &parts.join(", "));
    }
    svg
}

/// Where each name stands: from the left, and in which row.
fn legend(names: &[&str]) -> Vec<(f64, f64)> {
    let (mut at, mut row) = (LEFT, 0.0);
    let mut places = Vec::new();
    for name in names {
        let width = 36.0 + 7.2 * name.chars().count() as f64;
        if at + width > WIDTH && at > LEFT {
            (at, row) = (LEFT, row + 1.0);
        }
        places.push((at, row));
        at += width;
    }
    places
}
