//! Telephone numbers of a certificate in an order that finds one without a walk: a TNAuthList may have as many entries as fit.

use super::identifiers::{Identifiers, tn_bounds};

/// Ranges of telephone numbers, sorted. Answers as [`Identifiers::covers_tn`], in a time that grows with the logarithm of their
/// count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Each number there is.
    any: bool,
    /// By how many digits, and the first number.
    rows: Vec<Row>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Row {
    digits: usize,
    first: u64,
    /// Last number of the range here or before, with as many digits, that goes furthest.
    furthest: u64,
}

impl Numbers {
    /// Those of a certificate. Ranges that are none are left out.
    pub fn of(identifiers: &Identifiers) -> Self {
        let row = |(start, count): &(String, u64)| {
            let (first, furthest) = tn_bounds(start, *count)?;
            Some(Row { digits: start.len(), first, furthest })
        };
        let mut rows: Vec<_> = identifiers.tn_ranges.iter().filter_map(row).collect();
        rows.sort_unstable();
        let mut before: Option<Row> = None;
        for row in &mut rows {
            let same = before.filter(|before| before.digits == row.digits);
            row.furthest = row.furthest.max(same.map_or(0, |before| before.furthest));
            before = Some(*row);
        }
        Self { any: identifiers.any, rows }
    }

    /// Whether this number is among them. One of another length than the range is another number.
    pub fn covers(&self, number: &str) -> bool {
        self.any || self.has(number, 1)
    }

    /// Whether one of the ranges has these numbers, the first and how many.
    pub(super) fn has(&self, start: &str, count: u64) -> bool {
        let Some((first, last)) = tn_bounds(start, count) else { return false };
        let digits = start.len();
        let behind = self.rows.partition_point(|row| (row.digits, row.first) <= (digits, first));
        let row = behind.checked_sub(1).and_then(|at| self.rows.get(at));
        row.is_some_and(|row| row.digits == digits && row.furthest >= last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn of(tn_ranges: Vec<(String, u64)>) -> Identifiers {
        Identifiers { tn_ranges, ..Identifiers::default() }
    }

    #[test]
    fn a_range_behind_a_longer_one_hides_nothing() {
        let numbers =
            Numbers::of(&of(vec![("100".into(), 500), ("200".into(), 10), ("0200".into(), 2), ("9".into(), 3)]));
        for (number, want) in [
            ("099", false),
            ("100", true),
            ("210", true),
            ("599", true),
            ("600", false),
            ("0200", true),
            ("0202", false),
            ("0599", false),
            ("9", false),
            ("", false),
            ("+200", false),
            ("2000", false),
        ] {
            assert_eq!(numbers.covers(number), want, "{number}");
        }
        assert!(Numbers::of(&Identifiers::everything()).covers("123") && !Numbers::default().covers("123"));
        assert!(numbers.has("150", 450) && !numbers.has("150", 451), "all of it in one range");
    }

    #[test]
    fn a_hundred_thousand_numbers_are_found_in_a_few_steps() {
        let ranges: Vec<_> = (0..100_000_u64).rev().map(|n| (format!("9990{:08}", n * 3), 1 + n % 2)).collect();
        let all = of(ranges);
        let numbers = Numbers::of(&all);
        // As many as there are: walks over all of them would be 10^10 steps.
        for n in 0..100_000_u64 {
            let covered = |offset| numbers.covers(&format!("9990{:08}", n * 3 + offset));
            assert_eq!((covered(0), covered(1), covered(2)), (true, n % 2 == 1, false), "{n}");
        }
        assert!(all.is_subset_of(&all));
    }

    proptest! {
        #[test]
        fn the_order_answers_as_the_walk(
            ranges in vec(("[0-2]{1,3}", 0..40_u64), 0..12), numbers in vec(("[0-2]{1,3}", 1..20_u64), 1..12),
        ) {
            let all = of(ranges);
            let sorted = Numbers::of(&all);
            for (number, count) in numbers {
                prop_assert_eq!(sorted.covers(&number), all.covers_tn(&number), "{}", &number);
                let one = of(vec![(number.clone(), count)]);
                let walked = all.tn_ranges.iter().any(|own| super::super::identifiers::tn_within((&number, count), own));
                prop_assert_eq!(sorted.has(&number, count), walked);
                prop_assert_eq!(one.is_subset_of(&all), walked);
            }
        }
    }
}
