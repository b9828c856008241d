//! Operator rules compiled (formats 13.1): one decision structure for each protocol and direction.

mod checks;
mod facts;
mod numbers;
mod tree;
mod values;

pub use facts::{Facts, Overrides, check_of};

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sealgate_config::model::{Action, Per, Protocol, Rule as Written, Unmatched};
use sealgate_wire::addr::Digits;

use self::checks::{Check, CheckTable, Deed};
use self::tree::{Search, Tree};
use self::values::{Dimension, Interned, Lists, Wanted};
use super::fast::Fast;
use super::snapshot::PeerId;
use crate::state::Direction;

/// Copies of the counters, so that workers do not wait for each other's cache lines.
const SHARDS: usize = 8;

/// The rules of a policy.
#[derive(Debug)]
pub struct Rules {
    trees: [[Tree; 2]; Protocol::ALL.len()],
    checks: Box<[Check]>,
    lists: Lists,
    /// Tags of the rules.
    tags: Box<[u64]>,
    names: Box<[Box<str>]>,
    by_tag: HashMap<u64, u32, Fast>,
    /// What becomes of a message that no rule matches.
    pub unmatched: Unmatched,
    /// Protocols, by number and direction, that have a rule which switches a built-in check off.
    overriding: [[bool; 2]; Protocol::ALL.len()],
    /// The same of those that ask for subscribers.
    naming: [[bool; 2]; Protocol::ALL.len()],
    /// Whether there is a rate for each caller.
    metering: bool,
    counts: [Box<[Counts]>; SHARDS],
    report: Report,
}

/// What the rules say of one message, or of one part of it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Ruling {
    /// The rule; see [`tag_of`].
    pub tag: u64,
    /// Its place in the snapshot that it was found in.
    place: u32,
    /// What becomes of the message.
    pub action: Action,
    /// Built-in checks that do not count for it.
    pub overrides: Overrides,
    /// Whether the message is for the log: the rule says so, or alerts.
    pub log: bool,
    /// Octet of the part of the message that it was found for.
    pub at: u32,
}

/// How often a rule was the one that counted.
#[derive(Debug, Default)]
struct Counts {
    matched: AtomicU64,
    refused: AtomicU64,
}

/// What a rule has done since its policy came into force.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counted {
    /// Messages that it was the first rule for, and which nothing else refused.
    pub matched: u64,
    /// Those of them that it refused, or would have if its peer were not in mode learn or test.
    pub refused: u64,
}

/// What compiling came to.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Report {
    /// Rules.
    pub rules: usize,
    /// Prefixes, codes, names: all that rules ask for.
    pub values: usize,
    /// Octets of memory.
    pub octets: usize,
    /// The most rules that are compared one by one for a message.
    pub widest: usize,
    /// How long it took.
    pub took: Duration,
}

/// What stands for a rule's name wherever a name is too long: FNV-1a over its octets, never 0.
pub fn tag_of(name: &str) -> u64 {
    let hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash: u64, octet| (hash ^ u64::from(octet)).wrapping_mul(0x0000_0100_0000_01b3));
    hash.max(1)
}

impl Rules {
    /// Compiles the rules of a policy.
    ///
    /// * `peers`: the place of a peer by its name; `unknown` is that of senders which belong to none
    pub fn new(written: &[Written], unmatched: Unmatched, peers: impl Fn(&str) -> Option<PeerId>) -> Self {
        let started = Instant::now();
        let wanted = |rule: u32, dimension: Dimension| {
            written.get(rule as usize).map_or(Wanted::Any, |rule| Wanted::of(&rule.matches, dimension, &peers))
        };
        let mut interned = Interned::default();
        let mut values = 0;
        let rows: Vec<[u32; Dimension::ALL.len()]> = (0..written.len() as u32)
            .map(|rule| {
                Dimension::ALL.map(|dimension| {
                    let wanted = wanted(rule, dimension);
                    values += wanted.len();
                    interned.place(wanted)
                })
            })
            .collect();
        let mut lists = interned.done();
        let mut checks = CheckTable::default();
        let deed = |rule: u32| {
            written.get(rule as usize).map(|rule| Deed {
                action: rule.action,
                overrides: Overrides::of(&rule.overrides),
                log: rule.log || rule.action == Action::Alert,
            })
        };
        let mut overriding = [[false; 2]; Protocol::ALL.len()];
        let mut naming = overriding;
        let trees = Protocol::ALL.map(|protocol| {
            [Direction::In, Direction::Out].map(|way| {
                let means = |rule: &Written| rule.matches.means(protocol, way == Direction::Out);
                let mine: Vec<u32> = (0..).zip(written).filter(|(_, rule)| means(rule)).map(|(i, _)| i).collect();
                let any =
                    |has: fn(&Written) -> bool| mine.iter().any(|&rule| written.get(rule as usize).is_some_and(has));
                overriding[protocol as usize][way as usize] = any(|rule| !rule.overrides.is_empty());
                naming[protocol as usize][way as usize] = any(|rule| !rule.matches.imsi.is_empty());
                Tree::new(&mine, (&wanted, &deed), &rows, &mut checks)
            })
        });
        let checks = checks.done();
        lists.keep(checks.iter().flat_map(|check| &check.lists).map(|(_, list)| *list));
        let octets = trees.iter().flatten().map(Tree::memory).sum::<usize>()
            + lists.memory()
            + checks.iter().map(Check::memory).sum::<usize>()
            + written.len() * (size_of::<u64>() + SHARDS * size_of::<Counts>());
        let widest = trees.iter().flatten().map(Tree::widest).max().unwrap_or(0);
        let tags: Box<[u64]> = written.iter().map(|rule| tag_of(&rule.id)).collect();
        let report = Report { rules: written.len(), values, octets, widest, took: started.elapsed() };
        Self {
            trees,
            checks,
            lists,
            names: written.iter().map(|rule| rule.id.as_str().into()).collect(),
            by_tag: (0..).zip(&tags).map(|(place, tag)| (*tag, place)).collect(),
            counts: std::array::from_fn(|_| written.iter().map(|_| Counts::default()).collect()),
            tags,
            unmatched,
            overriding,
            naming,
            metering: written
                .iter()
                .any(|rule| matches!(rule.action, Action::RateLimit(rate) if rate.per == Per::CallingGt)),
            report,
        }
    }

    /// Whether a message of this protocol and direction needs no look at the rules.
    pub fn is_idle(&self, protocol: Protocol, way: Direction) -> bool {
        self.unmatched == Unmatched::Allow && self.trees[protocol as usize][way as usize].is_empty()
    }

    /// Whether a rule for this protocol and direction switches a built-in check off.
    pub fn overrides(&self, protocol: Protocol, way: Direction) -> bool {
        self.overriding[protocol as usize][way as usize]
    }

    /// Whether a rule for this protocol and direction asks for subscribers.
    pub(crate) fn name_subscribers(&self, protocol: Protocol, way: Direction) -> bool {
        self.naming[protocol as usize][way as usize]
    }

    /// Whether a rule gives each caller a rate of its own.
    pub(crate) fn meter_callers(&self) -> bool {
        self.metering
    }

    /// Asks memory for what [`Rules::first`] will read of a message with this calling number.
    #[inline]
    pub fn expect(&self, protocol: Protocol, way: Direction, calling: &Digits) {
        self.trees[protocol as usize][way as usize].expect(calling);
    }

    /// The first rule that matches.
    #[inline]
    pub fn first(&self, protocol: Protocol, way: Direction, facts: &Facts<'_>) -> Option<Ruling> {
        let tree = &self.trees[protocol as usize][way as usize];
        let (place, &Deed { action, overrides, log }) = tree.first(&Search::new(&self.checks, &self.lists, facts))?;
        let tag = *self.tags.get(place as usize)?;
        Some(Ruling { tag, place, action, overrides, log, at: 0 })
    }

    /// Counts a rule; `shard`: the worker.
    pub fn count(&self, ruling: &Ruling, refused: bool, shard: usize) {
        // Another policy may have come into force since the rule was found.
        let same = self.tags.get(ruling.place as usize) == Some(&ruling.tag);
        let place = if same { Some(ruling.place) } else { self.by_tag.get(&ruling.tag).copied() };
        let counts = place.and_then(|place| self.counts[shard % SHARDS].get(place as usize));
        let Some(counts) = counts else { return };
        counts.matched.fetch_add(1, Ordering::Relaxed);
        if refused {
            counts.refused.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Names of the rules and what each has done, in their order.
    pub fn counted(&self) -> impl Iterator<Item = (&str, Counted)> {
        self.names.iter().enumerate().map(|(place, name)| {
            let sum = |of: fn(&Counts) -> &AtomicU64| {
                let counts = self.counts.iter().filter_map(|shard| shard.get(place));
                counts.map(|counts| of(counts).load(Ordering::Relaxed)).sum()
            };
            (&**name, Counted { matched: sum(|counts| &counts.matched), refused: sum(|counts| &counts.refused) })
        })
    }

    /// The name that a tag stands for.
    pub fn name_of(&self, tag: u64) -> Option<&str> {
        self.by_tag.get(&tag).and_then(|&place| self.names.get(place as usize)).map(|name| &**name)
    }

    /// What compiling came to.
    pub fn report(&self) -> Report {
        self.report
    }
}

impl Ruling {
    /// The same for the log.
    pub fn told(self) -> Self {
        Self { log: true, ..self }
    }

    /// The stricter of two: of what is said about the parts of a message, the worst counts.
    pub fn stricter(self, other: Self) -> Self {
        let rank = |ruling: &Self| match ruling.action {
            Action::Drop | Action::Reject => 4,
            Action::RateLimit(_) => 3,
            Action::Mark => 2,
            Action::Alert => 1,
            Action::Allow => 0,
        };
        if rank(&other) > rank(&self) { other } else { self }
    }
}

#[cfg(test)]
mod tests;
