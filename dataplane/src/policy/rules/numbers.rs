//! Very many prefixes of digit strings, and a value for each: all that cover a number, in few reads of memory.
//!
//! A prefix of at most 15 digits is a word, and lies where the hash of its beginning says, next to all others that begin so: one
//! place in memory, and not one a length, has most that may cover a number. How long that beginning is, and which lengths are
//! shorter, is said by the first digits of the number.

use std::collections::HashMap;

use sealgate_wire::addr::Digits;

use crate::policy::prefetch;

/// The longest prefix, in digits (E.164 §6.1).
const LONGEST: usize = 15;
/// Entries of a cache line.
const SLOTS: usize = 4;
/// How many lines behind its own an entry may lie.
const FAR: usize = 31;
/// The most prefixes that share their beginning, where that is not all of them: two lines, which a processor reads together.
const CROWD: u32 = 8;
/// No prefix: no digit is 15. A number of such digits finds the default, which must say nothing.
const FREE: u64 = u64::MAX;
/// What stands behind the digits of a number: no digit, and not what stands in free places.
const BEYOND: u64 = 0xeeee_eeee_eeee_eeee;

/// Values by prefix. Built once by control, read by workers.
#[derive(Clone, Debug)]
pub(super) struct Numbers<V> {
    /// How many digits choose a place in `lengths`.
    lead: usize,
    /// By the first digits.
    leads: Box<[Lead]>,
    lines: Box<[Line<V>]>,
    /// A flag for each line that an entry passed by, since there was no room.
    passed: Box<[u64]>,
    shift: u32,
}

/// What there is behind the first digits of a number.
#[derive(Clone, Copy, Default, Debug)]
struct Lead {
    /// A flag for each length that is shorter than the beginning which others lie under.
    short: u16,
    /// Digits of that beginning; 0: there are no others.
    begin: u8,
}

#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Line<V> {
    keys: [u64; SLOTS],
    values: [V; SLOTS],
}

/// The first digits of a number, four bits each, and how many.
fn key(digits: u64, len: usize) -> u64 {
    let used = u64::MAX >> (64 - 4 * LONGEST.min(len).max(1));
    (if len == 0 { 0 } else { digits & used }) | (len as u64) << 60
}

fn word(number: &Digits) -> u64 {
    u128::from_le_bytes(number.packed()) as u64
}

impl<V: Copy + Default> Numbers<V> {
    /// Of prefixes that are different, with a value each; one that has a digit above 9, or more than 15, covers nothing.
    pub(super) fn new(prefixes: &[(Digits, V)]) -> Self {
        let good = || prefixes.iter().filter(|(prefix, _)| prefix.is_decimal() && prefix.len() <= LONGEST);
        let lead = match prefixes.len() {
            0..64 => 0,
            64..4096 => 3,
            _ => 4,
        };
        let mut leads = vec![Lead::default(); 10_usize.pow(lead as u32)].into_boxed_slice();
        let mut sorted: Vec<u64> = good().map(|(prefix, _)| key(word(prefix), prefix.len())).collect();
        sorted.sort_unstable_by_key(|key| (place(*key, lead), *key));
        for group in sorted.chunk_by(|a, b| place(*a, lead) == place(*b, lead)) {
            let begin = beginning(group, lead);
            if let Some(found) = group.first().and_then(|key| leads.get_mut(place(*key, lead))) {
                found.begin = begin;
            }
        }
        for (prefix, _) in good() {
            let fixed = prefix.len().min(lead);
            // The digits that are left are the upper ones of the place.
            let (from, step) = (place(word(prefix), fixed), 10_usize.pow(fixed as u32));
            for i in 0..10_usize.pow((lead - fixed) as u32) {
                if let Some(found) = leads.get_mut(from + i * step)
                    && (found.begin == 0 || prefix.len() < usize::from(found.begin))
                {
                    found.short |= 1 << prefix.len();
                }
            }
        }
        let mut bits = (prefixes.len() * 2 / SLOTS).max(1).next_power_of_two().trailing_zeros();
        loop {
            let passed = vec![0; (1_usize << bits).div_ceil(64)].into_boxed_slice();
            let mut table = Self { lead, leads, lines: lines(bits), passed, shift: 64 - bits };
            if good().all(|(prefix, value)| table.put(word(prefix), prefix.len(), *value)) {
                return table;
            }
            leads = table.leads;
            bits += 1;
        }
    }

    fn put(&mut self, digits: u64, len: usize, value: V) -> bool {
        let begin = self.leads.get(place(digits, self.lead)).map_or(0, |lead| usize::from(lead.begin));
        let among_others = begin > 0 && len >= begin;
        let (from, last) = (self.home(key(digits, if among_others { begin } else { len })), self.lines.len() - 1);
        for at in (0..=FAR).map(|i| (from + i) & last) {
            let Some(line) = self.lines.get_mut(at) else { continue };
            if let Some(slot) = line.keys.iter().position(|key| *key == FREE)
                && let (Some(own), Some(place)) = (line.keys.get_mut(slot), line.values.get_mut(slot))
            {
                (*own, *place) = (key(digits, len), value);
                return true;
            }
            if let Some(flags) = self.passed.get_mut(at / 64) {
                *flags |= 1 << (at % 64);
            }
        }
        false
    }

    #[inline(always)]
    fn home(&self, key: u64) -> usize {
        // With one line only there is nothing to choose, and nothing to shift by.
        key.wrapping_mul(0x9e37_79b9_7f4a_7c15).checked_shr(self.shift).unwrap_or(0) as usize
    }

    /// Calls `each` with the values of all prefixes that cover a number, in no order; with some of them perhaps twice.
    #[inline]
    pub(super) fn each(&self, number: &Digits, mut each: impl FnMut(V)) {
        let (digits, len) = (word(number), number.len().min(LONGEST));
        let Some(lead) = self.leads.get(place(digits, self.lead)) else { return };
        // Lengths beyond the number's own cover nothing.
        let mut short = u32::from(lead.short) & ((2 << len) - 1);
        let begin = usize::from(lead.begin);
        if begin > 0 && begin <= len {
            let ended = digits | BEYOND.checked_shl(4 * len as u32).unwrap_or(0);
            self.lines_of(key(digits, begin), |line| line.covering(ended), &mut each);
        }
        while short != 0 {
            let key = key(digits, short.trailing_zeros() as usize);
            short &= short - 1;
            self.lines_of(key, |line| line.equal(key), &mut each);
        }
    }

    /// Asks memory for what [`Numbers::each`] will read of a number.
    #[inline]
    pub(super) fn expect(&self, number: &Digits) {
        let digits = word(number);
        let begin = self.leads.get(place(digits, self.lead)).map_or(0, |lead| usize::from(lead.begin));
        let at = self.home(key(digits, begin)) & (self.lines.len() - 1);
        if let (Some(line), Some(flags)) = (self.lines.get(at), self.passed.get(at / 64)) {
            prefetch::read(line);
            prefetch::read(flags);
        }
    }

    /// Values of the entries that `which` flags, in the lines where one of this home may lie.
    #[inline(always)]
    fn lines_of(&self, home: u64, which: impl Fn(&Line<V>) -> u32, each: &mut impl FnMut(V)) {
        let from = self.home(home);
        for at in (0..=FAR).map(|i| (from + i) & (self.lines.len() - 1)) {
            let (Some(line), Some(flags)) = (self.lines.get(at), self.passed.get(at / 64)) else { return };
            let mut found = which(line);
            while found != 0 {
                if let Some(value) = line.values.get(found.trailing_zeros() as usize) {
                    each(*value);
                }
                found &= found - 1;
            }
            if flags >> (at % 64) & 1 == 0 {
                return;
            }
        }
    }

    /// Octets of memory, for reports.
    pub(super) fn memory(&self) -> usize {
        size_of_val(&*self.leads) + size_of_val(&*self.lines) + size_of_val(&*self.passed)
    }
}

// Without branches: which slot it is cannot be foreseen.
impl<V> Line<V> {
    /// A flag for each prefix that covers a number which has something else than digits behind its own.
    #[inline(always)]
    fn covering(&self, digits: u64) -> u32 {
        let mut found = 0;
        for (i, slot) in self.keys.iter().enumerate() {
            // Where they first differ must be behind the prefix; the length is no digit.
            let alike = (slot ^ digits | 1 << 60).trailing_zeros();
            found |= u32::from(alike >= (slot >> 58) as u32 & 0x3c) << i;
        }
        found
    }

    /// A flag for the prefix that has this key.
    #[inline(always)]
    fn equal(&self, key: u64) -> u32 {
        self.keys.iter().enumerate().fold(0, |found, (i, slot)| found | u32::from(*slot == key) << i)
    }
}

/// Of prefixes that begin alike, the fewest further digits under which there is no crowd; 0: there are none.
fn beginning(group: &[u64], lead: usize) -> u8 {
    let longest = group.iter().map(|key| (key >> 60) as usize).max().unwrap_or(0);
    let crowd = |begin: usize| {
        let mut counts: HashMap<u64, u32> = HashMap::new();
        for other in group.iter().filter(|other| (**other >> 60) as usize >= begin) {
            *counts.entry(key(*other, begin)).or_default() += 1;
        }
        counts.into_values().max().unwrap_or(0)
    };
    let begin = (lead.max(1)..=longest).find(|begin| crowd(*begin) <= CROWD);
    begin.unwrap_or(0) as u8
}

fn lines<V: Copy + Default>(bits: u32) -> Box<[Line<V>]> {
    vec![Line { keys: [FREE; SLOTS], values: [V::default(); SLOTS] }; 1 << bits].into_boxed_slice()
}

/// The place of the first digits; what is no digit has that of another one, whose prefixes will not be found under its key.
#[inline(always)]
fn place(word: u64, digits: usize) -> usize {
    debug_assert!(digits <= 6, "{digits}");
    let mut used = word & ((1 << (4 * digits)) - 1);
    if (used + 0x66_6666) & 0x111_1110 != (used ^ 0x66_6666) & 0x111_1110 {
        used = decimal(used);
    }
    // Pairs of digits, then all three pairs.
    let pairs = (used & 0x0f_0f0f) + (used >> 4 & 0x0f_0f0f) * 10;
    ((pairs & 0xff) + (pairs >> 8 & 0xff) * 100 + (pairs >> 16) * 10_000) as usize
}

/// Nine in the place of what is no digit.
#[cold]
fn decimal(word: u64) -> u64 {
    (0..6).fold(0, |all, i| all | (word >> (4 * i) & 0x0f).min(9) << (4 * i))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::btree_set, prelude::*};

    fn digits(text: &str) -> Digits {
        text.parse().unwrap_or_default()
    }

    fn table(prefixes: &[Digits]) -> Numbers<u32> {
        Numbers::new(&prefixes.iter().copied().zip(1..).collect::<Vec<_>>())
    }

    /// Numbers of all prefixes that cover a number.
    fn covering(table: &Numbers<u32>, number: &Digits) -> Vec<usize> {
        let mut all = Vec::new();
        table.expect(number);
        table.each(number, |value| all.extend((value as usize).checked_sub(1)));
        all.sort_unstable();
        all.dedup();
        all
    }

    fn compare(prefixes: &[Digits], numbers: &[Digits]) -> Result<(), TestCaseError> {
        let table = table(prefixes);
        for number in numbers {
            let want: Vec<usize> = (0..prefixes.len()).filter(|&i| number.starts_with(&prefixes[i])).collect();
            prop_assert_eq!(covering(&table, number), want, "{}", number);
        }
        Ok(())
    }

    #[test]
    fn all_that_cover_are_found() {
        let table = table(&["999", "99902", "9990211", "1", "999021134567890"].map(digits));
        let all = |number: &str| covering(&table, &digits(number));
        assert_eq!(all("999021199"), [0, 1, 2]);
        assert_eq!(all("99902"), [0, 1]);
        assert_eq!(all("9990"), [0]);
        assert_eq!(all("99"), [0; 0]);
        assert_eq!(all("9990b11"), [0], "what is no digit is in no prefix");
        assert_eq!(all("999021134567890123456"), [0, 1, 2, 4], "a number may be longer than any prefix");
        assert_eq!(all(""), [0; 0]);
        assert_eq!(covering(&self::table(&[digits("")]), &digits("")), [0], "the empty one covers all");
        assert_eq!(covering(&self::table(&[]), &digits("1")), [0; 0]);
        assert_eq!(covering(&self::table(&[digits("9a"), digits("0")]), &digits("9a")), [0; 0]);
        assert_eq!(covering(&self::table(&[digits("0")]), &digits("")), [0; 0], "nothing is not nought");
        assert_eq!(all("fffffffffffffff"), [0; 0]);
    }

    #[test]
    fn few_and_many_are_found_alike() {
        for count in [1, 60, 70, 3000, 9000_u32] {
            // All lengths, next to each other, short ones among them.
            let mut prefixes: Vec<Digits> =
                (0..count).map(|i| digits(&format!("{:0>4}{}", i % 600, i * 7919))).collect();
            prefixes.extend(["0", "01", "012", "0123", "01234", "999999999999999"].map(digits));
            prefixes.sort_by_key(|prefix| prefix.to_string());
            prefixes.dedup();
            let longer = |prefix: &Digits| [digits(&format!("{prefix}5")), digits(&format!("{prefix}12"))];
            let numbers: Vec<Digits> = prefixes.iter().flat_map(longer).chain(prefixes.iter().copied()).collect();
            let step = numbers.len() / 700 + 1;
            compare(&prefixes, &numbers.into_iter().step_by(step).collect::<Vec<_>>()).unwrap();
        }
    }

    proptest! {
        #[test]
        fn none_is_overlooked(
            prefixes in btree_set("[0-3]{0,9}", 0..90), numbers in btree_set("[0-3c]{0,12}", 1..40),
        ) {
            let prefixes: Vec<Digits> = prefixes.iter().map(|text| digits(text)).collect();
            let numbers: Vec<Digits> = numbers.iter().map(|text| digits(text)).chain(prefixes.iter().copied()).collect();
            compare(&prefixes, &numbers)?;
        }
    }
}
