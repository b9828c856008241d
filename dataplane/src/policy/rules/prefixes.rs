//! Very many prefixes of digit strings: which is the longest that covers a number, in few reads of memory.
//!
//! The first digits lead through one table, and from there on each node takes two. A node is a bit for each pair of digits that
//! leads on and a bit for each pair whose value is another than that of the pair before it, in the manner of a poptrie: a
//! million prefixes lie in some 40 MB, and a search reads one place a node.

use sealgate_wire::addr::Digits;

/// Ten digits, and one more for the end of the number or what is no digit.
const RADIX: usize = 11;
/// Pairs of digits.
const PAIRS: usize = RADIX * RADIX;
/// From how many prefixes on five digits lead through the first table and not three.
const MANY: usize = 4096;
/// Marks a place of the first table as a node.
const NODE: u32 = 1 << 31;
/// The longest prefix, in digits (E.164 §6.1).
const LONGEST: usize = 15;

/// A set of prefixes, numbered by their place in the list that it was made of. Built by control, read by workers.
#[derive(Clone, Debug, Default)]
pub(super) struct Prefixes {
    /// By the first digits: a node, or the number of a prefix plus one.
    first: Box<[u32]>,
    /// How many digits those are.
    digits: u32,
    nodes: Vec<Node>,
    values: Vec<u32>,
    /// The longest prefix that each one lies under, plus one; 0: none.
    parents: Box<[u32]>,
}

/// Two digits.
#[derive(Clone, Copy, Debug, Default)]
struct Node {
    /// Pairs that lead to another node.
    children: Pairs,
    /// Pairs whose value differs from that of the pair before.
    changes: Pairs,
    /// The first of its nodes, and of its values.
    nodes: u32,
    values: u32,
}

/// A flag for each pair of digits.
#[derive(Clone, Copy, Debug, Default)]
struct Pairs([u64; 2]);

impl Pairs {
    fn set(&mut self, pair: usize) {
        self.0[pair >> 6 & 1] |= 1 << (pair & 63);
    }

    #[inline(always)]
    fn has(&self, pair: usize) -> bool {
        self.0[pair >> 6 & 1] >> (pair & 63) & 1 != 0
    }

    /// How many are set up to this pair, itself not counted.
    #[inline(always)]
    fn below(&self, pair: usize) -> u32 {
        let low = if pair < 64 { self.0[0] & ((1 << pair) - 1) } else { self.0[0] };
        let high = if pair < 64 { 0 } else { self.0[1] & ((1 << (pair - 64)) - 1) };
        low.count_ones() + high.count_ones()
    }
}

/// A number on its way through the table: digits that are left, four bits each, and how many.
#[derive(Clone, Copy)]
struct Rest {
    word: u64,
}

impl Rest {
    fn of(number: &Digits) -> Self {
        let [low, _] = words(number);
        // What lies behind the last digit is no digit; nor is what lies behind the sixteenth, but no prefix is so long.
        let ends = u64::MAX.checked_shl(4 * number.len().min(16) as u32).unwrap_or(0);
        Self { word: low | ends }
    }

    #[inline(always)]
    fn digit(&mut self) -> usize {
        let digit = (self.word & 0x0f).min(10) as usize;
        self.word = self.word >> 4 | 0xf << 60;
        digit
    }

    #[inline(always)]
    fn pair(&mut self) -> usize {
        let first = self.digit();
        first * RADIX + self.digit()
    }
}

fn words(number: &Digits) -> [u64; 2] {
    let word = u128::from_le_bytes(number.packed());
    [word as u64, (word >> 64) as u64]
}

impl Prefixes {
    /// Of at most 2^31 - 2 prefixes, each once; one that has a digit above 9, or more than 15, covers nothing.
    pub(super) fn new(prefixes: &[Digits]) -> Self {
        let mut sorted: Vec<Entry> = (1..)
            .zip(prefixes)
            .filter(|(_, prefix)| prefix.is_decimal() && prefix.len() <= LONGEST)
            .map(|(number, prefix)| Entry { digits: prefix.iter().collect::<Vec<u8>>().into_boxed_slice(), number })
            .collect();
        sorted.sort_unstable_by(|a, b| a.digits.cmp(&b.digits));
        let digits = if sorted.len() >= MANY { 5 } else { 3 };
        let mut table = Self {
            first: vec![0; RADIX.pow(digits)].into_boxed_slice(),
            digits,
            nodes: Vec::new(),
            values: Vec::new(),
            parents: parents(&sorted, prefixes.len()),
        };
        table.fill(&sorted);
        table.nodes.shrink_to_fit();
        table.values.shrink_to_fit();
        table
    }

    fn fill(&mut self, sorted: &[Entry]) {
        let depth = self.digits as usize;
        // Shorter ones first, so that longer ones stand above them.
        for len in 0..=depth {
            for entry in sorted.iter().filter(|entry| entry.digits.len() == len) {
                let free = RADIX.pow((depth - len) as u32);
                let from = index(&entry.digits) * free;
                if let Some(places) = self.first.get_mut(from..from + free) {
                    places.fill(entry.number);
                }
            }
        }
        let longer: Vec<&Entry> = sorted.iter().filter(|entry| entry.digits.len() > depth).collect();
        for group in longer.chunk_by(|a, b| a.digits.get(..depth) == b.digits.get(..depth)) {
            let Some(at) = group.first().and_then(|entry| entry.digits.get(..depth)).map(index) else { continue };
            let Some(inherited) = self.first.get(at).copied() else { continue };
            let node = self.nodes.len();
            self.nodes.push(Node::default());
            self.build(node, group, depth, inherited);
            if let Some(place) = self.first.get_mut(at) {
                *place = NODE | node as u32;
            }
        }
    }

    /// Makes a node.
    ///
    /// * `entries`: those below it, longer than `depth` and equal so far
    /// * `inherited`: the longest prefix above
    fn build(&mut self, at: usize, entries: &[&Entry], depth: usize, inherited: u32) {
        let digit = |entry: &Entry, i: usize| entry.digits.get(depth + i).copied().map_or(0, usize::from);
        let mut slots = [inherited; PAIRS];
        for entry in entries.iter().filter(|entry| entry.digits.len() == depth + 1) {
            let from = digit(entry, 0) * RADIX;
            if let Some(places) = slots.get_mut(from..from + RADIX) {
                places.fill(entry.number);
            }
        }
        for entry in entries.iter().filter(|entry| entry.digits.len() == depth + 2) {
            if let Some(place) = slots.get_mut(digit(entry, 0) * RADIX + digit(entry, 1)) {
                *place = entry.number;
            }
        }
        let longer: Vec<&Entry> = entries.iter().copied().filter(|entry| entry.digits.len() > depth + 2).collect();
        let groups: Vec<&[&Entry]> =
            longer.chunk_by(|a, b| a.digits.get(..depth + 2) == b.digits.get(..depth + 2)).collect();
        let first = self.nodes.len();
        self.nodes.resize(first + groups.len(), Node::default());
        let mut node = Node { nodes: first as u32, values: self.values.len() as u32, ..Node::default() };
        let mut below = Vec::with_capacity(groups.len());
        for group in groups {
            let Some(entry) = group.first() else { continue };
            let pair = digit(entry, 0) * RADIX + digit(entry, 1);
            node.children.set(pair);
            below.push((group, slots.get(pair).copied().unwrap_or(0)));
        }
        let mut before = None;
        for (pair, &value) in slots.iter().enumerate() {
            // The value of a pair that leads on is never read here.
            if !node.children.has(pair) && before != Some(value) {
                node.changes.set(pair);
                self.values.push(value);
                before = Some(value);
            }
        }
        if let Some(place) = self.nodes.get_mut(at) {
            *place = node;
        }
        for (i, (group, inherited)) in below.into_iter().enumerate() {
            self.build(first + i, group, depth + 2, inherited);
        }
    }

    /// The number of the longest prefix that covers `number`.
    #[inline]
    pub(super) fn longest(&self, number: &Digits) -> Option<usize> {
        let mut rest = Rest::of(number);
        let mut at = 0;
        for _ in 0..self.digits {
            at = at * RADIX + rest.digit();
        }
        let mut found = self.first.get(at).copied()?;
        if found & NODE != 0 {
            let mut node = self.nodes.get((found ^ NODE) as usize)?;
            loop {
                let pair = rest.pair();
                if !node.children.has(pair) {
                    let value = node.values + node.changes.below(pair + 1) - 1;
                    found = self.values.get(value as usize).copied()?;
                    break;
                }
                node = self.nodes.get((node.nodes + node.children.below(pair)) as usize)?;
            }
        }
        (found as usize).checked_sub(1)
    }

    /// The next shorter prefix that covers what this one covers.
    #[inline]
    pub(super) fn parent(&self, prefix: usize) -> Option<usize> {
        (*self.parents.get(prefix)? as usize).checked_sub(1)
    }

    /// Octets of memory, for reports.
    pub(super) fn memory(&self) -> usize {
        self.first.len() * size_of::<u32>()
            + self.nodes.capacity() * size_of::<Node>()
            + (self.values.capacity() + self.parents.len()) * size_of::<u32>()
    }
}

/// A prefix while the table is built.
struct Entry {
    digits: Box<[u8]>,
    /// Its place in the list, plus one.
    number: u32,
}

fn index(digits: &[u8]) -> usize {
    digits.iter().fold(0, |at, &digit| at * RADIX + usize::from(digit))
}

/// The next shorter one of each, of a list in the order of its digits.
fn parents(sorted: &[Entry], count: usize) -> Box<[u32]> {
    let mut parents = vec![0; count].into_boxed_slice();
    let mut above: Vec<&Entry> = Vec::new();
    for entry in sorted {
        while above.last().is_some_and(|top| !entry.digits.starts_with(&top.digits)) {
            above.pop();
        }
        if let Some(place) = parents.get_mut(entry.number as usize - 1) {
            *place = above.last().map_or(0, |top| top.number);
        }
        above.push(entry);
    }
    parents
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::btree_set, prelude::*};

    fn digits(text: &str) -> Digits {
        text.parse().unwrap_or_default()
    }

    /// The numbers of all prefixes that cover a number, longest first.
    fn covering(table: &Prefixes, number: &Digits) -> Vec<usize> {
        core::iter::successors(table.longest(number), |&prefix| table.parent(prefix)).collect()
    }

    fn compare(prefixes: &[Digits], numbers: &[Digits]) -> Result<(), TestCaseError> {
        let table = Prefixes::new(prefixes);
        for number in numbers {
            let mut want: Vec<usize> = (0..prefixes.len()).filter(|&i| number.starts_with(&prefixes[i])).collect();
            want.sort_by_key(|&i| core::cmp::Reverse(prefixes[i].len()));
            prop_assert_eq!(covering(&table, number), want, "{}", number);
        }
        Ok(())
    }

    #[test]
    fn the_longest_comes_first_and_then_what_it_lies_under() {
        let prefixes = ["999", "99902", "9990211", "1", "999021134567890"].map(digits);
        let table = Prefixes::new(&prefixes);
        let all = |number: &str| covering(&table, &digits(number));
        assert_eq!(all("999021199"), [2, 1, 0]);
        assert_eq!(all("99902"), [1, 0]);
        assert_eq!(all("9990"), [0]);
        assert_eq!(all("99"), [0; 0]);
        assert_eq!(all("9990b11"), [0], "what is no digit is in no prefix");
        assert_eq!(all("999021134567890123456"), [4, 2, 1, 0], "a number may be longer than any prefix");
        assert_eq!(all(""), [0; 0]);
        assert_eq!(Prefixes::new(&[digits("")]).longest(&digits("")), Some(0), "the empty one covers all");
        assert_eq!(Prefixes::default().longest(&digits("1")), None);
        assert_eq!(Prefixes::new(&[digits("9a")]).longest(&digits("9a")), None);
    }

    #[test]
    fn many_are_found_as_few_are() {
        // More than `MANY`, of all lengths, next to each other.
        let mut prefixes: Vec<Digits> =
            (0..6000_u32).map(|i| digits(&format!("{:0>4}{}", i % 600, i * 7919))).collect();
        prefixes.extend(["0", "01", "012", "0123", "01234", "999999999999999"].map(digits));
        prefixes.sort_by_key(|prefix| prefix.to_string());
        prefixes.dedup();
        let longer = prefixes.iter().flat_map(|prefix| [digits(&format!("{prefix}5")), digits(&format!("{prefix}12"))]);
        let numbers: Vec<Digits> = longer.chain(prefixes.iter().copied()).collect();
        assert_eq!(Prefixes::new(&prefixes).digits, 5);
        compare(&prefixes, &numbers[..2000]).unwrap();
    }

    proptest! {
        #[test]
        fn all_that_cover_are_found(
            prefixes in btree_set("[0-3]{0,9}", 0..60), numbers in btree_set("[0-3c]{0,12}", 1..40),
        ) {
            let prefixes: Vec<Digits> = prefixes.iter().map(|text| digits(text)).collect();
            let numbers: Vec<Digits> = numbers.iter().map(|text| digits(text)).chain(prefixes.iter().copied()).collect();
            compare(&prefixes, &numbers)?;
        }
    }
}
