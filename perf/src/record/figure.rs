//! All samples of one figure.

use serde::{Deserialize, Serialize};

/// What was measured several times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// The middle sample.
    pub median: f64,
    /// The lowest sample.
    pub low: f64,
    /// The highest sample.
    pub high: f64,
    /// Half the distance between the quartiles, as a share of the median: how far a sample is from the middle as a rule.
    pub spread: f64,
    /// The unit; empty for a ratio.
    pub unit: String,
    /// The samples in the order in which they were taken.
    pub samples: Vec<f64>,
}

impl Figure {
    /// A figure of these samples.
    pub fn new(unit: &str, samples: Vec<f64>) -> Self {
        let mut figure = Self { median: 0.0, low: 0.0, high: 0.0, spread: 0.0, unit: unit.to_owned(), samples };
        figure.sum_up();
        figure
    }

    /// One sample more.
    pub fn push(&mut self, sample: f64) {
        self.samples.push(sample);
        self.sum_up();
    }

    fn sum_up(&mut self) {
        let mut sorted = self.samples.clone();
        sorted.sort_by(f64::total_cmp);
        self.median = quantile(&sorted, 0.5);
        self.low = sorted.first().copied().unwrap_or(0.0);
        self.high = sorted.last().copied().unwrap_or(0.0);
        let quartiles = quantile(&sorted, 0.75) - quantile(&sorted, 0.25);
        self.spread = if self.median == 0.0 { 0.0 } else { (quartiles / 2.0 / self.median).abs() };
    }
}

/// The value below which this share of the samples lies, between two of them in proportion.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let at = share * last as f64;
    let below = at as usize;
    let value = |place: usize| sorted.get(place).copied().unwrap_or(0.0);
    value(below) + (value((below + 1).min(last)) - value(below)) * (at - below as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_sums_up_its_samples() {
        let mut figure = Figure::new("ns", vec![4.0, 1.0, 3.0, 2.0]);
        assert_eq!((figure.median, figure.low, figure.high), (2.5, 1.0, 4.0));
        figure.push(100.0);
        assert_eq!((figure.median, figure.low, figure.high), (3.0, 1.0, 100.0));
        assert!((figure.spread - 1.0 / 3.0).abs() < 1e-12, "quartiles 2 and 4 around 3: {}", figure.spread);
    }

    #[test]
    fn none_and_one_are_samples_too() {
        assert_eq!(Figure::new("", Vec::new()).median, 0.0);
        let one = Figure::new("", vec![7.0]);
        assert_eq!((one.median, one.low, one.high, one.spread), (7.0, 7.0, 7.0, 0.0));
    }
}
