//! Every trial, in the order in which they were made: which held, which lost, which say nothing.

use super::axis::{Axis, Scale};
use super::chart::{LEFT, PLOT, RIGHT, WIDTH, frame};
use super::svg::{Anchor, Svg};
use super::text::number;
use crate::record::Trial;

/// What became of a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Held,
    Lost,
    Spoiled,
}

impl Fate {
    /// A spoiled trial is spoiled, whatever it lost.
    pub(super) fn of(trial: &Trial) -> Self {
        match trial {
            Trial { spoiled: Some(_), .. } => Self::Spoiled,
            Trial { lost: 0, duplicates: 0, misordered: 0, misjudged: 0, .. } => Self::Held,
            _ => Self::Lost,
        }
    }
}

/// How many held, how many lost or misjudged, how many were spoiled.
pub(super) fn count(trials: &[Trial]) -> [usize; 3] {
    [Fate::Held, Fate::Lost, Fate::Spoiled].map(|fate| trials.iter().filter(|trial| Fate::of(trial) == fate).count())
}

pub(super) fn draw(trials: &[Trial]) -> Svg {
    let top = 56.0;
    let mut svg = Svg::new(WIDTH, top + PLOT + 52.0);
    let numbers = || (1..=trials.len()).map(|number| number as f64);
    let x = Axis::spanning(Scale::Linear, numbers(), LEFT + 12.0, WIDTH - RIGHT - 12.0);
    let targets = || trials.iter().map(|trial| trial.target_per_s);
    let scale = if targets().fold(f64::INFINITY, f64::min) * 20.0 < targets().fold(0.0, f64::max) {
        Scale::Log
    } else {
        Scale::Linear
    };
    let y = Axis::new(scale, targets(), top + PLOT, top);
    frame(&mut svg, &x, &y, top);
    svg.text((16.0, top - 16.0), Anchor::Start, "", "messages/s to be offered");
    svg.text(((LEFT + WIDTH - RIGHT) / 2.0, top + PLOT + 42.0), Anchor::Middle, "", "trial");
    key(&mut svg, count(trials));
    for (number, trial) in numbers().zip(trials) {
        let at = (x.at(number), y.at(trial.target_per_s));
        mark(&mut svg, Fate::of(trial), at, &hint(number, trial));
    }
    svg
}

fn key(svg: &mut Svg, counts: [usize; 3]) {
    let mut at = 16.0;
    for (fate, count, name) in [
        (Fate::Held, counts[0], "without loss"),
        (Fate::Lost, counts[1], "with loss or misjudged"),
        (Fate::Spoiled, counts[2], "spoiled"),
    ] {
        let name = format!("{count} {name}");
        mark(svg, fate, (at + 6.0, 10.0), "");
        let class = if fate == Fate::Spoiled && count > 0 { "badtext" } else { "strong" };
        svg.text((at + 18.0, 14.5), Anchor::Start, class, &name);
        at += 44.0 + 7.2 * name.chars().count() as f64;
    }
}

fn mark(svg: &mut Svg, fate: Fate, at: (f64, f64), hint: &str) {
    match fate {
        Fate::Held => svg.mark(0, at, "f0", hint),
        Fate::Lost => svg.mark(2, at, "o1", hint),
        Fate::Spoiled => svg.cross(at, "bad", hint),
    }
}

fn hint(place: f64, trial: &Trial) -> String {
    let spoiled = trial.spoiled.as_ref().map(|why| format!("; spoiled: {why}")).unwrap_or_default();
    format!("{place}, {}: {}/s, {} lost{spoiled}", trial.phase, number(trial.target_per_s), trial.lost)
}
