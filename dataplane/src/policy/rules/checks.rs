//! What is left to ask of a rule that has been found, where most of it is asked in two comparisons of words, and what it does.

use std::collections::HashMap;

use sealgate_config::model::Action;

use super::facts::{Facts, Overrides};
use super::values::{Dimension, Wanted};

/// What a rule does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Deed {
    pub(super) action: Action,
    pub(super) overrides: Overrides,
    pub(super) log: bool,
}

/// What is left to ask of a rule, and what it does. Few rules differ in that, so that all of it stays in a cache.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Check {
    pub(super) deed: Deed,
    /// The code that it wants; [`ANY`]: not this one alone.
    code: u64,
    /// Flags that it does not want, see [`Brief`].
    unwanted: u32,
    /// Lists, and in which dimension.
    pub(super) lists: Box<[(Dimension, u32)]>,
}

/// A code that no message has.
const ANY: u64 = 1 << 32;
/// Flags of one dimension; the last of them is up where a message has none.
const FLAGS: u32 = 8;

/// A message in two words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Brief {
    code: u64,
    /// One flag of each dimension that has flags.
    flags: u32,
}

/// Where the flags of a dimension lie.
fn shift(dimension: Dimension) -> Option<u32> {
    match dimension {
        Dimension::Category => Some(0),
        Dimension::Signature => Some(FLAGS),
        Dimension::Role => Some(2 * FLAGS),
        _ => None,
    }
}

impl Brief {
    #[inline]
    pub(super) fn of(facts: &Facts<'_>) -> Self {
        let role = facts.flag(Dimension::Role);
        let role = if role == 0 { 1 << (FLAGS - 1) } else { role };
        Self {
            code: facts.code.map_or(u64::MAX, u64::from),
            flags: facts.flag(Dimension::Category) | facts.flag(Dimension::Signature) << FLAGS | role << (2 * FLAGS),
        }
    }
}

impl Check {
    /// * `asked`: dimensions, places of their lists, and the lists
    pub(super) fn of(deed: Deed, asked: impl Iterator<Item = (Dimension, u32, Wanted)>) -> Self {
        let mut check = Self { deed, code: ANY, unwanted: 0, lists: Box::default() };
        let mut lists = Vec::new();
        for (dimension, list, wanted) in asked {
            match (wanted, shift(dimension)) {
                (Wanted::Numbers(numbers), _) if dimension == Dimension::Code && numbers.len() == 1 => {
                    check.code = numbers.first().map_or(ANY, |code| u64::from(*code));
                }
                (Wanted::Flags(flags), Some(shift)) => check.unwanted |= (!flags & ((1 << FLAGS) - 1)) << shift,
                _ => lists.push((dimension, list)),
            }
        }
        check.lists = lists.into();
        check
    }

    /// Whether a message is what the rule wants, as far as that is said in a word.
    #[inline(always)]
    pub(super) fn may(&self, brief: &Brief) -> bool {
        ((self.code == ANY) | (self.code == brief.code)) & (self.unwanted & brief.flags == 0)
    }

    /// Octets of memory, for reports.
    pub(super) fn memory(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.lists)
    }
}

/// Each of them once.
#[derive(Default)]
pub(super) struct CheckTable {
    places: HashMap<Check, u32>,
    all: Vec<Check>,
}

impl CheckTable {
    pub(super) fn place(&mut self, check: Check) -> u32 {
        *self.places.entry(check).or_insert_with_key(|check| {
            self.all.push(check.clone());
            self.all.len() as u32 - 1
        })
    }

    pub(super) fn done(self) -> Box<[Check]> {
        self.all.into()
    }
}
