//! Counts against their baseline.

use std::fmt;

use super::baseline::{Count, Counts};

/// A change of more than this share is told.
pub const TOLERANCE: f64 = 0.03;
/// Functions that are named for a case.
const NAMED: usize = 8;

/// What became of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Within the tolerance.
    Same,
    /// Fewer instructions: good, and to be accepted, so that they cannot come back unseen.
    Better,
    /// More.
    Worse,
    /// The baseline has no such case.
    New,
    /// The baseline has it, and it was not run.
    Gone,
}

impl Change {
    /// Whether the gate stays shut.
    pub fn fails(self) -> bool {
        !matches!(self, Self::Same | Self::Better)
    }
}

/// A case, before and now.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The case.
    pub case: String,
    /// Instructions of the baseline.
    pub before: f64,
    /// Instructions now.
    pub now: f64,
    /// What that means.
    pub change: Change,
    /// The functions that changed most, and by how many instructions; only where the case is not the same.
    pub functions: Vec<(String, f64)>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { case, before, now, change, functions } = self;
        match change {
            Change::New => write!(f, "{case:<22} {:>10} {now:>10.1}  NEW: not in the baseline", "")?,
            Change::Gone => write!(f, "{case:<22} {before:>10.1} {:>10}  GONE: in the baseline only", "")?,
            _ => {
                let word = match change {
                    Change::Worse => "  WORSE",
                    Change::Better => "  better",
                    _ => "",
                };
                write!(f, "{case:<22} {before:>10.1} {now:>10.1} {:>+8.2} %{word}", 100.0 * (now / before - 1.0))?;
            }
        }
        functions.iter().try_for_each(|(function, by)| write!(f, "\n{by:>+34.1} {function}"))
    }
}

/// Every case of either.
pub fn compare(before: &Counts, now: &Counts) -> Vec<Finding> {
    let gone = before.cases.keys().filter(|case| !now.cases.contains_key(*case));
    let cases = now.cases.keys().chain(gone);
    cases.map(|case| finding(case, before.cases.get(case), now.cases.get(case))).collect()
}

fn finding(case: &str, before: Option<&Count>, now: Option<&Count>) -> Finding {
    let change = match (before, now) {
        (Some(before), Some(now)) if now.whole > before.whole * (1.0 + TOLERANCE) => Change::Worse,
        (Some(before), Some(now)) if now.whole < before.whole * (1.0 - TOLERANCE) => Change::Better,
        (Some(_), Some(_)) => Change::Same,
        (None, _) => Change::New,
        (_, None) => Change::Gone,
    };
    let functions = match (before, now) {
        (Some(before), Some(now)) if change != Change::Same => differences(before, now),
        _ => Vec::new(),
    };
    let whole = |count: Option<&Count>| count.map_or(0.0, |count| count.whole);
    Finding { case: case.to_owned(), before: whole(before), now: whole(now), change, functions }
}

/// The functions that changed most.
fn differences(before: &Count, now: &Count) -> Vec<(String, f64)> {
    let own = |count: &Count, function: &str| count.functions.get(function).copied().unwrap_or(0.0);
    let names =
        before.functions.keys().chain(now.functions.keys().filter(|name| !before.functions.contains_key(*name)));
    let mut changed: Vec<(String, f64)> = names
        .map(|name| (name.clone(), own(now, name) - own(before, name)))
        .filter(|(_, by)| by.abs() >= 0.05)
        .collect();
    changed.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
    changed.truncate(NAMED);
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(cases: &[(&str, &[(&str, f64)])]) -> Counts {
        let count = |functions: &[(&str, f64)]| Count {
            whole: functions.iter().map(|one| one.1).sum(),
            functions: functions.iter().map(|(name, own)| ((*name).to_owned(), *own)).collect(),
        };
        let cases = cases.iter().map(|(case, functions)| ((*case).to_owned(), count(functions))).collect();
        Counts { with: Vec::new(), cases }
    }

    #[test]
    fn three_per_cent_is_the_border() {
        for (now, change) in
            [(103.0, Change::Same), (103.1, Change::Worse), (97.0, Change::Same), (96.9, Change::Better)]
        {
            let found = compare(&counts(&[("a", &[("f", 100.0)])]), &counts(&[("a", &[("f", now)])]));
            assert_eq!(found[0].change, change, "{now}");
        }
    }

    #[test]
    fn the_functions_that_grew_are_named() {
        let before = counts(&[("a", &[("f", 100.0), ("g", 50.0), ("old", 9.0)]), ("gone", &[("f", 1.0)])]);
        let now = counts(&[("a", &[("f", 100.0), ("g", 80.0), ("new", 20.0)]), ("more", &[("f", 1.0)])]);
        let found = compare(&before, &now);
        let changes: Vec<_> = found.iter().map(|finding| (finding.case.as_str(), finding.change)).collect();
        assert_eq!(changes, [("a", Change::Worse), ("more", Change::New), ("gone", Change::Gone)]);
        let functions = [("g".to_owned(), 30.0), ("new".to_owned(), 20.0), ("old".to_owned(), -9.0)];
        assert_eq!(found[0].functions, functions);
        assert!(found.iter().all(|finding| finding.change.fails()));
        assert!(found[0].to_string().contains("WORSE\n"), "{}", found[0]);
    }
}
