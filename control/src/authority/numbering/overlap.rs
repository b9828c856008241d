//! Whether records say twice who has something: the same record again, or what two operators would have.

use super::{NumberingFault, Record};
use std::collections::BTreeMap;

/// A record in the order in which overlaps are neighbours.
type Keyed<'a> = (String, &'a Record);
/// A range of numbers of one length, or of point codes.
type Range<'a> = (usize, u64, u64, &'a Record);

/// Adds a fault for each record that is there already, and for each that overlaps another operator's.
pub(super) fn find(records: &[Record], faults: &mut Vec<NumberingFault>) {
    let mut seen = BTreeMap::new();
    for one in records {
        if let Some(line) = seen.insert((&one.operator, one.kind, &one.value), one.line) {
            faults.push(fault(one, format!("{} stands in line {line} already; take one out", one.value)));
        }
    }
    prefixes(records, faults);
    ranges(records, faults);
}

fn fault(one: &Record, text: String) -> NumberingFault {
    let column = one.operator.chars().count() + one.kind.name().len() + 3;
    NumberingFault { line: one.line, column, text }
}

fn clash(one: &Record, other: &Record, faults: &mut Vec<NumberingFault>) {
    let (later, earlier) = if one.line > other.line { (one, other) } else { (other, one) };
    let text = format!(
        "{} overlaps {} of {} in line {}; a number or name belongs to one operator",
        later.value, earlier.value, earlier.operator, earlier.line
    );
    faults.push(fault(later, text));
}

/// Identifiers that cover what begins with them: as text, so that covering is being its beginning.
fn prefixes(records: &[Record], faults: &mut Vec<NumberingFault>) {
    // The labels of a name from its end, each with a dot, so that a label is never the beginning of another.
    let reversed = |kind: &str, name: &String| {
        name.split('.').rev().fold(kind.to_owned(), |mut key, label| {
            key.push_str(label);
            key.push('.');
            key
        })
    };
    let mut all: Vec<Keyed<'_>> = Vec::new();
    for one in records {
        let has = &one.identifiers;
        all.extend(has.gt_prefixes.iter().map(|(plan, digits)| (format!("gt{plan} {digits}"), one)));
        all.extend(has.plmns.iter().map(|plmn| (format!("plmn {plmn}."), one)));
        all.extend(has.realms.iter().map(|name| (reversed("realm ", name), one)));
        all.extend(has.sip_domains.iter().map(|name| (reversed("sip ", name), one)));
    }
    all.sort_by(|(one, a), (other, b)| (one, a.line).cmp(&(other, b.line)));
    // Those that the next may lie below, the widest first.
    let mut above: Vec<&Keyed<'_>> = Vec::new();
    for keyed in &all {
        while above.last().is_some_and(|(key, _)| !keyed.0.starts_with(key.as_str())) {
            above.pop();
        }
        if let Some((_, other)) = above.iter().find(|(_, other)| other.operator != keyed.1.operator) {
            clash(keyed.1, other, faults);
        }
        above.push(keyed);
    }
}

fn ranges(records: &[Record], faults: &mut Vec<NumberingFault>) {
    let mut all: Vec<Range<'_>> = Vec::new();
    for one in records {
        // Point codes stand apart from numbers: no number has no digits.
        all.extend(one.identifiers.ispcs.iter().map(|(first, last)| (0, (*first).into(), (*last).into(), one)));
        all.extend(one.identifiers.tn_ranges.iter().filter_map(|(start, count)| {
            let first: u64 = start.parse().ok()?;
            Some((start.len(), first, first.checked_add(*count)?.checked_sub(1)?, one))
        }));
    }
    all.sort_by_key(|(digits, first, last, one)| (*digits, *first, *last, one.line));
    // The two that reach furthest, of different operators: whoever begins before their ends overlaps one of them.
    let mut furthest: [Option<Range<'_>>; 2] = [None, None];
    for range in all {
        let (digits, first, last, one) = range;
        let meets = |other: &&Range<'_>| other.0 == digits && other.2 >= first && other.3.operator != one.operator;
        if let Some(other) = furthest.iter().flatten().find(meets) {
            clash(one, other.3, faults);
        }
        let [best, second] = furthest;
        let reaches = |other: Option<Range<'_>>| other.is_some_and(|other| other.0 == digits && other.2 >= last);
        let is_mine = |other: Option<Range<'_>>| other.is_some_and(|other| other.3.operator == one.operator);
        furthest = match (is_mine(best), reaches(best)) {
            (true, true) => [best, second],
            (true, false) => [Some(range), second],
            (false, true) if reaches(second) => [best, second],
            (false, true) => [best, Some(range)],
            (false, false) => [Some(range), best],
        };
    }
}
