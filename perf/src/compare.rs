//! Two runs of the same measurements: what differs, and by how much.

use crate::record::Document;

/// A figure that both runs have.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Its name.
    pub name: String,
    /// Its unit.
    pub unit: String,
    /// The median of the first run.
    pub first: f64,
    /// The median of the second run.
    pub second: f64,
    /// By how much the second is greater, as a share of the first.
    pub change: f64,
    /// Whether it is a ratio of two things measured in turn, which should not depend on the minute.
    pub is_ratio: bool,
}

impl Difference {
    /// Whether it is a ratio and differs by more than this share; what is no number differs from everything.
    pub fn is_apart(&self, share: f64) -> bool {
        self.is_ratio && (self.change.is_nan() || self.change.abs() > share)
    }
}

/// What two runs have in common, and what only one of them has.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// In the order of the first run.
    pub both: Vec<Difference>,
    /// Names of figures that only one run has.
    pub alone: Vec<String>,
    /// Trials that were disturbed in either run: its phase and why.
    pub spoiled: Vec<(String, String)>,
}

impl Comparison {
    /// Compares all figures.
    pub fn of(first: &Document, second: &Document) -> Self {
        let both = first.figures.iter().filter_map(|(name, one)| {
            let two = second.figures.get(name)?;
            let change = if one.median == two.median { 0.0 } else { two.median / one.median - 1.0 };
            let is_ratio = name.contains("ratio");
            let (first, second) = (one.median, two.median);
            Some(Difference { name: name.clone(), unit: one.unit.clone(), first, second, change, is_ratio })
        });
        let missing = |of: &Document, from: &Document| -> Vec<String> {
            of.figures.keys().filter(|name| !from.figures.contains_key(*name)).cloned().collect()
        };
        let spoiled = [first, second].into_iter().flat_map(|run| &run.trials);
        let spoiled = spoiled.filter_map(|trial| Some((trial.phase.clone(), trial.spoiled.clone()?)));
        Self {
            both: both.collect(),
            alone: [missing(first, second), missing(second, first)].concat(),
            spoiled: spoiled.collect(),
        }
    }

    /// Ratios that differ by more than this share.
    pub fn apart(&self, share: f64) -> impl Iterator<Item = &Difference> {
        self.both.iter().filter(move |difference| difference.is_apart(share))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(figures: &[(&str, f64)]) -> Document {
        let mut document = Document::begin("test");
        for (name, value) in figures {
            document.add(name, "", *value);
        }
        document
    }

    #[test]
    fn ratios_apart_are_found_and_times_are_not() {
        let first = run(&[("a_ratio", 20.0), ("b_ratio", 10.0), ("turn_ns", 1000.0), ("gone_ratio", 1.0)]);
        let second = run(&[("a_ratio", 21.9), ("b_ratio", 8.9), ("turn_ns", 2000.0), ("new_ns", 1.0)]);
        let comparison = Comparison::of(&first, &second);
        let apart: Vec<&str> = comparison.apart(0.1).map(|difference| difference.name.as_str()).collect();
        assert_eq!(apart, ["b_ratio"]);
        assert_eq!(comparison.alone, ["gone_ratio", "new_ns"]);
        assert_eq!(comparison.both.len(), 3);
    }

    #[test]
    fn no_number_is_apart_from_every_number() {
        let comparison = Comparison::of(&run(&[("a_ratio", 0.0)]), &run(&[("a_ratio", 3.0)]));
        assert_eq!(comparison.apart(0.1).count(), 1);
        let comparison = Comparison::of(&run(&[("a_ratio", f64::NAN)]), &run(&[("a_ratio", 3.0)]));
        assert_eq!(comparison.apart(0.1).count(), 1);
    }
}
