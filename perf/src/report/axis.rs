//! From values to places on paper, and the ticks that tell the way back.

use super::text::short;

/// How a value becomes a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    Linear,
    Log,
    /// Values are shares in percent; each further nine takes the same room, as in HdrHistogram's plots.
    Nines,
}

/// One axis.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    scale: Scale,
    low: f64,
    high: f64,
    from: f64,
    to: f64,
    /// All values are whole numbers: between them there is nothing to tell.
    whole: bool,
}

impl Axis {
    /// An axis on which all of these values have a place.
    ///
    /// A linear one begins at 0 if nothing is below it, so that what looks twice as high is. A logarithmic one of values
    /// that have no logarithm becomes linear.
    /// * `from`, `to`: where it begins and ends on paper
    pub(super) fn new(scale: Scale, values: impl Iterator<Item = f64> + Clone, from: f64, to: f64) -> Self {
        let whole = values.clone().all(|value| value.fract() == 0.0);
        let (low, high) = ends(values);
        let scale = if scale == Scale::Log && low <= 0.0 { Scale::Linear } else { scale };
        let mut axis = Self { scale, low, high, from, to, whole };
        match scale {
            Scale::Linear => {
                axis.low = low.min(0.0);
                axis.high = if high > axis.low { high } else { axis.low + 1.0 };
                let step = axis.step();
                axis.high = (axis.high / step - 1e-9).ceil() * step;
                axis.low = (axis.low / step + 1e-9).floor() * step;
            }
            Scale::Log => {
                axis.low = rung_below(low);
                axis.high = rung_above(high);
                if axis.high <= axis.low {
                    axis.high = axis.low * 10.0;
                }
            }
            Scale::Nines => (axis.low, axis.high) = (0.0, high.max(90.0)),
        }
        axis
    }

    /// From the lowest value to the highest: for what was varied, of which nobody compares lengths.
    pub(super) fn spanning(scale: Scale, values: impl Iterator<Item = f64> + Clone, from: f64, to: f64) -> Self {
        let mut axis = Self::new(scale, values.clone(), from, to);
        let (low, high) = ends(values);
        if axis.scale != Scale::Nines && low < high {
            (axis.low, axis.high) = (low, high);
        }
        axis
    }

    /// Where a value is; what is beyond an end is at the end.
    pub(super) fn at(&self, value: f64) -> f64 {
        let place = match self.scale {
            Scale::Linear => (value - self.low) / (self.high - self.low),
            Scale::Log => (value.max(self.low) / self.low).log10() / (self.high / self.low).log10(),
            Scale::Nines => nines(value) / nines(self.high),
        };
        self.from + (self.to - self.from) * place.clamp(0.0, 1.0)
    }

    /// Ticks from the lowest, with what stands there.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        match self.scale {
            Scale::Linear => {
                let step = self.step();
                let first = (self.low / step - 1e-9).ceil();
                let count = ((self.high / step + 1e-9).floor() - first).max(0.0) as usize;
                (0..=count).map(|n| (first + n as f64) * step).map(|value| (value, short(value))).collect()
            }
            Scale::Log => self.rungs(),
            Scale::Nines => {
                let all = [50.0, 90.0, 99.0, 99.9, 99.99, 99.999, 99.9999, 99.99999, 99.999_999];
                let shown = all.into_iter().filter(|share| *share <= self.high + 1e-9);
                shown.map(|share| (share, format!("{share} %"))).collect()
            }
        }
    }

    fn rungs(&self) -> Vec<(f64, String)> {
        let decades = (self.high / self.low).log10();
        let steps: &[f64] = if decades <= 3.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let (first, last) = (self.low.log10().floor() as i32, self.high.log10().ceil() as i32);
        let rungs = (first..=last).flat_map(|decade| steps.iter().map(move |step| step * 10_f64.powi(decade)));
        let inside = rungs.filter(|value| (self.low * 0.999..=self.high * 1.001).contains(value));
        inside.map(|value| (value, short(value))).collect()
    }

    /// A round distance of ticks: about five of them.
    fn step(&self) -> f64 {
        let raw = (self.high - self.low) / 5.0;
        let decade = 10_f64.powf(raw.log10().floor());
        let step = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().find(|step| step * decade >= raw * 0.999);
        let step = step.unwrap_or(10.0) * decade;
        if self.whole { step.ceil() } else { step }
    }
}

/// The lowest and the highest; 0 and 1 if there is none.
fn ends(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let finite = values.filter(|value| value.is_finite());
    let (low, high) =
        finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    if low > high { (0.0, 1.0) } else { (low, high) }
}

/// Nines of a share in percent: 90 % is 1, 99 % is 2.
fn nines(share: f64) -> f64 {
    -(1.0 - share.clamp(0.0, 99.999_999_99) / 100.0).log10()
}

/// 1, 2 or 5 of a decade, at most this value.
fn rung_below(value: f64) -> f64 {
    let decade = 10_f64.powf(value.log10().floor());
    [5.0, 2.0, 1.0].into_iter().map(|step| step * decade).find(|rung| *rung <= value * 1.0001).unwrap_or(decade)
}

/// 1, 2, 5 or 10 of a decade, at least this value.
fn rung_above(value: f64) -> f64 {
    let decade = 10_f64.powf(value.log10().floor());
    let rungs = [1.0, 2.0, 5.0, 10.0].into_iter().map(|step| step * decade);
    rungs.into_iter().find(|rung| *rung >= value * 0.9999).unwrap_or(10.0 * decade)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<String> {
        axis.ticks().into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn a_linear_axis_begins_at_nothing_and_ends_on_a_tick() {
        let axis = Axis::new(Scale::Linear, [310.0, 930.0].into_iter(), 100.0, 0.0);
        assert_eq!(labels(&axis), ["0", "200", "400", "600", "800", "1,000"]);
        assert_eq!((axis.at(0.0), axis.at(1000.0), axis.at(500.0), axis.at(5000.0)), (100.0, 0.0, 50.0, 0.0));
    }

    #[test]
    fn what_was_varied_fills_its_axis() {
        let axis = Axis::spanning(Scale::Linear, [60.0, 255.0].into_iter(), 0.0, 1.0);
        assert_eq!(labels(&axis), ["100", "150", "200", "250"]);
        assert_eq!((axis.at(60.0), axis.at(255.0)), (0.0, 1.0));
        let one = Axis::spanning(Scale::Linear, [3.0].into_iter(), 0.0, 1.0);
        assert!((0.0..=1.0).contains(&one.at(3.0)) && !labels(&one).is_empty());
    }

    #[test]
    fn there_are_no_parts_of_a_worker() {
        assert_eq!(labels(&Axis::spanning(Scale::Linear, [1.0, 2.0].into_iter(), 0.0, 1.0)), ["1", "2"]);
        assert_eq!(labels(&Axis::new(Scale::Linear, [0.0, 1.0].into_iter(), 0.0, 1.0)), ["0", "1"]);
        assert!(labels(&Axis::new(Scale::Linear, [0.5, 1.0].into_iter(), 0.0, 1.0)).len() > 3);
    }

    #[test]
    fn decades_are_equally_far_apart() {
        let axis = Axis::new(Scale::Log, [7.0, 80_000.0].into_iter(), 0.0, 1.0);
        assert_eq!(labels(&axis), ["10", "100", "1,000", "10,000", "100 k"]);
        let step = axis.at(100.0) - axis.at(10.0);
        assert!((axis.at(10_000.0) - axis.at(1000.0) - step).abs() < 1e-12);
        let zero = Axis::new(Scale::Log, [0.0, 8.0].into_iter(), 0.0, 1.0);
        assert_eq!(zero.scale, Scale::Linear, "0 has no place on a logarithmic axis");
    }

    #[test]
    fn each_nine_takes_the_same_room() {
        let axis = Axis::new(Scale::Nines, [0.0, 99.99].into_iter(), 0.0, 4.0);
        for (share, place) in [(0.0, 0.0), (90.0, 1.0), (99.0, 2.0), (99.9, 3.0), (99.99, 4.0)] {
            assert!((axis.at(share) - place).abs() < 1e-6, "{share}: {}", axis.at(share));
        }
        assert_eq!(labels(&axis), ["50 %", "90 %", "99 %", "99.9 %", "99.99 %"]);
    }

    #[test]
    fn nothing_and_one_value_have_an_axis_too() {
        assert!(Axis::new(Scale::Linear, std::iter::empty(), 0.0, 1.0).at(0.5).is_finite());
        assert!(Axis::new(Scale::Log, [3.0].into_iter(), 0.0, 1.0).at(3.0).is_finite());
        assert!(Axis::new(Scale::Linear, [0.0].into_iter(), 0.0, 1.0).at(0.0).is_finite());
    }
}
