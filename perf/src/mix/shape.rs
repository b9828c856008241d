//! When frames are due: the shape of a rate over time.

use serde::Deserialize;

use super::dice::Dice;

/// How a rate lies over time. The mean is the rate that is asked for, but for the beginning of a ramp.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(try_from = "Written")]
pub enum Shape {
    /// Equal gaps.
    #[default]
    Constant,
    /// Rises evenly to the rate, and stays there.
    Ramp {
        /// Where it begins, as a share of the rate: above 0, at most 1.
        from: f64,
        /// How long it rises, seconds.
        over_s: f64,
    },
    /// All that is due in a period comes in its beginning, with equal gaps.
    Burst {
        /// The beginning, milliseconds; at most the period.
        length_ms: f64,
        /// The period, milliseconds.
        period_ms: f64,
    },
    /// Gaps of many independent senders: exponentially distributed.
    Poisson,
}

/// A shape as a profile writes it: `{shape: ramp, from: 0.1, over_s: 10}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    shape: Word,
    from: Option<f64>,
    over_s: Option<f64>,
    length_ms: Option<f64>,
    period_ms: Option<f64>,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Constant,
    Ramp,
    Burst,
    Poisson,
}

impl TryFrom<Written> for Shape {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        // YAML does not say of which key it asked this.
        written.shape().map_err(|words| format!("rate: {words}"))
    }
}

impl Written {
    fn shape(self) -> Result<Shape, String> {
        let Self { shape, from, over_s, length_ms, period_ms } = self;
        for (name, value, of, word) in [
            ("from", from, "ramp", Word::Ramp),
            ("over_s", over_s, "ramp", Word::Ramp),
            ("length_ms", length_ms, "burst", Word::Burst),
            ("period_ms", period_ms, "burst", Word::Burst),
        ] {
            match value {
                Some(_) if shape != word => return Err(format!("{name} belongs to the shape {of} only")),
                Some(value) if !(value > 0.0 && value <= 1e9) => return Err(format!("{name} is above 0, at most 1e9")),
                None if shape == word => return Err(format!("the shape {of} needs {name}")),
                Some(_) | None => {}
            }
        }
        let given = |value: Option<f64>| value.unwrap_or(0.0);
        match shape {
            Word::Constant => Ok(Shape::Constant),
            Word::Poisson => Ok(Shape::Poisson),
            Word::Ramp if given(from) > 1.0 => Err("from is a share of the rate: at most 1".to_owned()),
            Word::Ramp => Ok(Shape::Ramp { from: given(from), over_s: given(over_s) }),
            Word::Burst if given(length_ms) > given(period_ms) => Err("length_ms is at most period_ms".to_owned()),
            Word::Burst => Ok(Shape::Burst { length_ms: given(length_ms), period_ms: given(period_ms) }),
        }
    }
}

impl Shape {
    /// When each frame is due, nanoseconds since the beginning; never falls and never ends.
    ///
    /// * `rate_per_s`: frames a second, above 0; * `seed`: of what is random about it
    pub fn due(&self, rate_per_s: f64, seed: u64) -> impl Iterator<Item = u64> + use<> {
        let (shape, mut dice, mut at_s) = (*self, Dice::new(seed), 0.0);
        (0_u64..).map(move |number| {
            let number = number as f64;
            let due_s = match shape {
                Shape::Constant => number / rate_per_s,
                Shape::Ramp { from, over_s } => ramp(number, rate_per_s, from, over_s),
                Shape::Burst { length_ms, period_ms } => {
                    // The period in which it is due, and how far its place in it is pressed together.
                    let periods = number / rate_per_s * 1e3 / period_ms;
                    (periods.floor() * period_ms + periods.fract() * length_ms) / 1e3
                }
                Shape::Poisson => {
                    let due = at_s;
                    at_s -= dice.unit().ln() / rate_per_s;
                    due
                }
            };
            (due_s * 1e9) as u64
        })
    }
}

/// When this many frames have been due, seconds.
fn ramp(number: f64, rate: f64, from: f64, over_s: f64) -> f64 {
    let risen = rate * over_s * (1.0 + from) / 2.0;
    if number >= risen || over_s <= 0.0 {
        return over_s.max(0.0) + (number - risen.max(0.0)) / rate;
    }
    // The number due by time t is rate (from t + (1 - from) t^2 / (2 over)): solved for t, without the difference of
    // two large numbers.
    let (slope, start) = (rate * (1.0 - from) / over_s, rate * from);
    2.0 * number / (start + (start * start + 2.0 * slope * number).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(shape: Shape, rate: f64, until_s: f64) -> usize {
        shape.due(rate, 1).take_while(|ns| (*ns as f64) < until_s * 1e9).count()
    }

    #[test]
    fn each_shape_has_its_rate() {
        assert_eq!(Shape::Constant.due(1000.0, 1).take(4).collect::<Vec<_>>(), [0, 1_000_000, 2_000_000, 3_000_000]);
        let ramp = Shape::Ramp { from: 0.5, over_s: 2.0 };
        // 2 s at three quarters of the rate on average, then 1 s of the whole.
        assert!(counted(ramp, 1000.0, 2.0).abs_diff(1500) <= 1);
        assert!(counted(ramp, 1000.0, 3.0).abs_diff(2500) <= 1);
        assert!(counted(ramp, 1000.0, 0.1).abs_diff(51) <= 1, "{}", counted(ramp, 1000.0, 0.1));
        let burst = Shape::Burst { length_ms: 10.0, period_ms: 100.0 };
        assert_eq!((counted(burst, 1000.0, 0.01), counted(burst, 1000.0, 0.099)), (100, 100));
        assert_eq!(counted(burst, 1000.0, 0.999), 1000);
        let poisson = counted(Shape::Poisson, 100_000.0, 1.0);
        assert!(poisson.abs_diff(100_000) < 1500, "five standard deviations: {poisson}");
    }

    #[test]
    fn a_poisson_gap_varies_as_much_as_it_is_long() {
        let due: Vec<u64> = Shape::Poisson.due(1e6, 7).take(100_001).collect();
        let gaps: Vec<f64> = due.windows(2).map(|pair| (pair[1] - pair[0]) as f64).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        assert!((variance.sqrt() / mean - 1.0).abs() < 0.02, "mean {mean}, deviation {}", variance.sqrt());
        let other: Vec<u64> = Shape::Poisson.due(1e6, 8).take(100).collect();
        assert_ne!(due[..100], other[..]);
    }

    #[test]
    fn no_shape_goes_back() {
        for shape in [
            Shape::Constant,
            Shape::Ramp { from: 0.01, over_s: 0.1 },
            Shape::Ramp { from: 1.0, over_s: 0.1 },
            Shape::Burst { length_ms: 1.0, period_ms: 7.0 },
            Shape::Poisson,
        ] {
            let due: Vec<u64> = shape.due(123_456.7, 3).take(50_000).collect();
            assert!(due.windows(2).all(|pair| pair[0] <= pair[1]), "{shape:?}");
        }
    }
}
