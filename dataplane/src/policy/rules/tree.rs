//! The decision structure of one protocol and direction: which is the first rule that matches.
//!
//! A node asks one dimension and leads on by what the message says of it: to the rules that want just that, and to those that do
//! not ask. A rule stands once for each value that it wants, so that memory grows with what is written in the policy and not
//! with its combinations; a search goes both ways, but never where only later rules are than one that it has. A few rules
//! together are compared one by one.

use std::collections::HashMap;

use sealgate_wire::addr::Digits;

use super::checks::{Brief, Check, CheckTable, Deed};
use super::facts::Facts;
use super::numbers::Numbers;
use super::values::{Dimension, Lists, Wanted};
use crate::policy::fast::Fast;
use crate::policy::realms::Realms;

/// Rules that are compared one by one rather than asked apart.
const FEW: usize = 4;
/// A dimension is worth a node if it leaves no more than so many of eight rules to look at.
const WORTH: f64 = 6.0 / 8.0;

/// Where a search goes on: nowhere, at one rule, or at a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Place {
    /// The rule, or the node.
    at: u32,
    /// What is left to ask of the rule, a place in [`CheckTable`]; or one of the two below.
    left: u32,
}

impl Place {
    /// Behind all rules.
    const NOWHERE: Place = Place { at: u32::MAX, left: u32::MAX };
    /// What is `left` of a node.
    const NODE: u32 = u32::MAX - 1;
}

impl Default for Place {
    fn default() -> Self {
        Self::NOWHERE
    }
}

/// A rule while nodes are made, and what has not been asked of it yet.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    rule: u32,
    /// A flag for each dimension.
    left: u32,
}

#[derive(Clone, Debug)]
enum Node {
    /// Rules in their order: `few[from..to]`.
    Few { from: u32, to: u32 },
    /// A question.
    Ask(Box<Ask>),
}

#[derive(Clone, Debug)]
struct Ask {
    by: By,
    /// Rules that do not ask this.
    any: Place,
}

/// Where each value leads.
#[derive(Clone, Debug)]
enum By {
    Numbers(Dimension, HashMap<u32, Place, Fast>),
    Digits(Dimension, Numbers<Place>),
    Words(Dimension, HashMap<Box<[u8]>, Place, Fast>),
    Realms(Realms<Place>),
    Keys(HashMap<[u8; 8], Place, Fast>),
    /// By flag; a message has one or none.
    Flags(Dimension, Vec<Place>),
}

/// Rules of one protocol and direction, compiled.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    /// The first rule in or below each node.
    least: Vec<u32>,
    few: Vec<Place>,
    root: Option<Place>,
}

/// What a search asks.
pub(super) struct Search<'s> {
    checks: &'s [Check],
    lists: &'s Lists,
    facts: &'s Facts<'s>,
    brief: Brief,
}

impl<'s> Search<'s> {
    #[inline]
    pub(super) fn new(checks: &'s [Check], lists: &'s Lists, facts: &'s Facts<'s>) -> Self {
        Self { checks, lists, facts, brief: Brief::of(facts) }
    }
}

impl Tree {
    /// * `rules`: those that may match, rising
    /// * `wanted`: what a rule wants in a dimension; `deed`: what it does; `rows`: the list of what is wanted for each rule and
    ///   dimension
    pub(super) fn new(
        rules: &[u32],
        (wanted, deed): (&impl Fn(u32, Dimension) -> Wanted, &impl Fn(u32) -> Option<Deed>),
        rows: &[[u32; Dimension::ALL.len()]],
        checks: &mut CheckTable,
    ) -> Self {
        let mut tree = Self::default();
        if rules.is_empty() {
            return tree;
        }
        let mut all = Vec::with_capacity(rules.len());
        let mut values = 0;
        for &rule in rules {
            let mut left = 0;
            let mut longest = 1;
            for dimension in Dimension::ALL {
                let wanted = wanted(rule, dimension);
                left |= u32::from(wanted != Wanted::Any) << dimension as u32;
                longest = longest.max(wanted.len());
            }
            values += longest;
            all.push(Candidate { rule, left });
        }
        // What rules may stand in more places than one: as often as their longest list says, and then as much again.
        let mut builder = Builder { tree: &mut tree, wanted, deed, rows, checks, spare: values * 2 + 1024 };
        let root = builder.place(all);
        tree.root = Some(root);
        tree.nodes.shrink_to_fit();
        tree.least.shrink_to_fit();
        tree.few.shrink_to_fit();
        tree
    }

    /// Whether it has no rules.
    pub(super) fn is_empty(&self) -> bool {
        self.root.is_none()
    }

    /// Asks memory for what will be read of a message with this calling number.
    #[inline]
    pub(super) fn expect(&self, calling: &Digits) {
        let root = self.root.filter(|root| root.left == Place::NODE).and_then(|root| self.nodes.get(root.at as usize));
        if let Some(Node::Ask(ask)) = root
            && let By::Digits(Dimension::Calling, numbers) = &ask.by
        {
            numbers.expect(calling);
        }
    }

    /// The first rule that matches.
    #[inline]
    pub(super) fn first<'s>(&self, search: &Search<'s>) -> Option<(u32, &'s Deed)> {
        let mut best = Place::NOWHERE;
        self.search(self.root?, search, &mut best);
        Some((best.at, &search.checks.get(best.left as usize)?.deed))
    }

    #[inline(always)]
    fn search(&self, place: Place, search: &Search<'_>, best: &mut Place) {
        if place.left == Place::NODE {
            self.node(place.at as usize, search, best);
        } else {
            search.one(place, best);
        }
    }

    fn node(&self, at: usize, search: &Search<'_>, best: &mut Place) {
        if self.least.get(at).is_none_or(|least| *least >= best.at) {
            return;
        }
        match self.nodes.get(at) {
            Some(Node::Few { from, to }) => {
                for place in self.few.get(*from as usize..*to as usize).into_iter().flatten() {
                    if search.one(*place, best) {
                        return;
                    }
                }
            }
            Some(Node::Ask(ask)) => {
                ask.by.each(search.facts, |place| self.search(place, search, best));
                self.search(ask.any, search, best);
            }
            None => {}
        }
    }

    /// Octets of memory, for reports.
    pub(super) fn memory(&self) -> usize {
        let node = |node: &Node| match node {
            Node::Few { .. } => 0,
            Node::Ask(ask) => size_of::<Ask>() + ask.by.memory(),
        };
        self.nodes.capacity() * size_of::<Node>()
            + self.least.capacity() * size_of::<u32>()
            + self.few.capacity() * size_of::<Place>()
            + self.nodes.iter().map(node).sum::<usize>()
    }

    /// The most rules that are compared one by one, for reports.
    pub(super) fn widest(&self) -> usize {
        let width = |node: &Node| match node {
            Node::Few { from, to } => (to - from) as usize,
            Node::Ask(_) => 0,
        };
        self.nodes.iter().map(width).max().unwrap_or(0)
    }
}

impl Search<'_> {
    /// Takes a rule that comes before the best one, if it matches; true if no later one of the same node need be looked at.
    #[inline]
    fn one(&self, place: Place, best: &mut Place) -> bool {
        if place == Place::NOWHERE {
            return false;
        }
        if place.at >= best.at {
            return true;
        }
        let holds = self.checks.get(place.left as usize).is_some_and(|check| {
            check.may(&self.brief)
                && check.lists.iter().all(|(dimension, list)| self.lists.holds(*list, *dimension, self.facts))
        });
        if holds {
            *best = place;
        }
        holds
    }
}

impl By {
    /// Calls `each` with all places where what the message says leads.
    #[inline]
    fn each(&self, facts: &Facts<'_>, mut each: impl FnMut(Place)) {
        match self {
            By::Numbers(dimension, places) => {
                let number = facts.number(*dimension);
                number.and_then(|number| places.get(&number)).copied().into_iter().for_each(each);
            }
            By::Digits(dimension, numbers) => {
                if let Some(number) = facts.digits(*dimension) {
                    numbers.each(&number, each);
                }
            }
            By::Words(dimension, places) => {
                places.get(facts.word(*dimension)).copied().into_iter().for_each(each);
            }
            By::Realms(realms) => realms.visit(facts.realm, |place| each(*place)),
            By::Keys(places) => {
                facts.signer.and_then(|(sai, _)| places.get(&sai)).copied().into_iter().for_each(each);
            }
            By::Flags(dimension, places) => {
                let flag = facts.flag(*dimension);
                if flag != 0 {
                    places.get(flag.trailing_zeros() as usize).copied().into_iter().for_each(each);
                }
            }
        }
    }

    fn memory(&self) -> usize {
        match self {
            By::Numbers(_, places) => places.capacity() * size_of::<(u32, Place)>(),
            By::Digits(_, numbers) => numbers.memory(),
            By::Words(_, places) => {
                let words: usize = places.keys().map(|word| word.len()).sum();
                places.capacity() * size_of::<(Box<[u8]>, Place)>() + words
            }
            By::Realms(realms) => realms.memory(),
            By::Keys(places) => places.capacity() * size_of::<([u8; 8], Place)>(),
            By::Flags(_, places) => places.capacity() * size_of::<Place>(),
        }
    }
}

/// One value of a dimension, for grouping.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Value {
    Number(u32),
    Digits(Digits),
    Octets(Box<[u8]>),
    Key([u8; 8]),
}

/// The values of a list.
fn values(wanted: &Wanted) -> Vec<Value> {
    match wanted {
        Wanted::Any | Wanted::Span(..) => Vec::new(),
        Wanted::Numbers(numbers) => numbers.iter().copied().map(Value::Number).collect(),
        Wanted::Flags(flags) => (0..u32::BITS).filter(|bit| flags >> bit & 1 != 0).map(Value::Number).collect(),
        Wanted::Digits(digits) => digits.iter().copied().map(Value::Digits).collect(),
        Wanted::Words(words) | Wanted::Realms(words) => words.iter().cloned().map(Value::Octets).collect(),
        Wanted::Keys(keys) => keys.iter().copied().map(Value::Key).collect(),
    }
}

struct Builder<'b, W, D> {
    tree: &'b mut Tree,
    wanted: &'b W,
    deed: &'b D,
    rows: &'b [[u32; Dimension::ALL.len()]],
    checks: &'b mut CheckTable,
    /// Entries that may still be made besides one for each rule.
    spare: usize,
}

/// Rules by what they want in a dimension.
struct Groups {
    dimension: Dimension,
    by: HashMap<Value, Vec<Candidate>>,
    any: Vec<Candidate>,
    entries: usize,
}

impl Groups {
    /// How many rules are left to look at behind the question, of a message that a rule here means.
    fn left(&self) -> f64 {
        let squares: f64 = self.by.values().map(|group| (group.len() as f64).powi(2)).sum();
        self.any.len() as f64 + squares / (self.entries as f64).max(1.0)
    }
}

impl<W: Fn(u32, Dimension) -> Wanted, D: Fn(u32) -> Option<Deed>> Builder<'_, W, D> {
    /// Puts rules, which rise, into a node.
    fn place(&mut self, rules: Vec<Candidate>) -> Place {
        let Some(first) = rules.first() else { return Place::NOWHERE };
        if rules.len() == 1 {
            return self.rule(first);
        }
        let at = self.tree.nodes.len();
        self.tree.least.push(first.rule);
        let from = self.tree.few.len() as u32;
        self.tree.nodes.push(Node::Few { from, to: from });
        let here = Place { at: at as u32, left: Place::NODE };
        let Some(groups) = self.question(&rules) else {
            let places: Vec<Place> = rules.iter().map(|candidate| self.rule(candidate)).collect();
            self.tree.few.extend(places);
            let to = self.tree.few.len() as u32;
            self.set(at, Node::Few { from, to });
            return here;
        };
        self.spare = self.spare.saturating_sub((groups.entries + groups.any.len()).saturating_sub(rules.len()));
        drop(rules);
        let Groups { dimension, by, any, .. } = groups;
        // The same policy gives the same structure.
        let mut groups: Vec<(Value, Vec<Candidate>)> = by.into_iter().collect();
        groups.sort_unstable_by_key(|(_, group)| group.first().map(|first| (first.rule, group.len())));
        let mut places = Vec::with_capacity(groups.len());
        for (value, group) in groups {
            places.push((value, self.place(group)));
        }
        let any = self.place(any);
        let by = by_value(dimension, places);
        self.set(at, Node::Ask(Box::new(Ask { by, any })));
        here
    }

    /// A rule, and what is left to ask of it.
    fn rule(&mut self, candidate: &Candidate) -> Place {
        let row = self.rows.get(candidate.rule as usize);
        let left = Dimension::ALL.iter().zip(row.into_iter().flatten());
        let left = left.filter(|(dimension, _)| candidate.left >> **dimension as u32 & 1 != 0);
        let asked = left.map(|(dimension, list)| (*dimension, *list, (self.wanted)(candidate.rule, *dimension)));
        let Some(deed) = (self.deed)(candidate.rule) else { return Place::NOWHERE };
        Place { at: candidate.rule, left: self.checks.place(Check::of(deed, asked)) }
    }

    fn set(&mut self, at: usize, node: Node) {
        if let Some(place) = self.tree.nodes.get_mut(at) {
            *place = node;
        }
    }

    /// The question that tells most of these rules apart, if it is worth one.
    fn question(&self, rules: &[Candidate]) -> Option<Groups> {
        if rules.len() <= FEW {
            return None;
        }
        let asked = rules.iter().fold(0, |all, candidate| all | candidate.left);
        let dimensions = Dimension::ALL.into_iter().filter(|dimension| asked >> *dimension as u32 & 1 != 0);
        let best = dimensions.filter_map(|dimension| self.groups(rules, dimension));
        let best = best.min_by(|a, b| a.left().total_cmp(&b.left()))?;
        (best.left() <= rules.len() as f64 * WORTH).then_some(best)
    }

    /// Rules by what they want in a dimension; `None` where that makes too many of them.
    fn groups(&self, rules: &[Candidate], dimension: Dimension) -> Option<Groups> {
        if dimension == Dimension::Time {
            return None;
        }
        let mut groups = Groups { dimension, by: HashMap::new(), any: Vec::new(), entries: 0 };
        let bit = 1 << dimension as u32;
        for &candidate in rules {
            if candidate.left & bit == 0 {
                groups.any.push(candidate);
                continue;
            }
            let candidate = Candidate { left: candidate.left & !bit, ..candidate };
            for value in values(&(self.wanted)(candidate.rule, dimension)) {
                groups.by.entry(value).or_default().push(candidate);
                groups.entries += 1;
            }
            if groups.entries > rules.len() + self.spare {
                return None;
            }
        }
        Some(groups)
    }
}

fn by_value(dimension: Dimension, places: Vec<(Value, Place)>) -> By {
    let numbers = || {
        places.iter().filter_map(|(value, place)| match value {
            Value::Number(number) => Some((*number, *place)),
            _ => None,
        })
    };
    match dimension {
        Dimension::Calling | Dimension::Called | Dimension::Imsi => {
            let digits = places.iter().filter_map(|(value, place)| match value {
                Value::Digits(digits) => Some((*digits, *place)),
                _ => None,
            });
            By::Digits(dimension, Numbers::new(&digits.collect::<Vec<_>>()))
        }
        Dimension::Category | Dimension::Signature | Dimension::Role => {
            let mut by_flag = vec![Place::NOWHERE; numbers().map(|(flag, _)| flag as usize + 1).max().unwrap_or(0)];
            for (flag, place) in numbers() {
                if let Some(slot) = by_flag.get_mut(flag as usize) {
                    *slot = place;
                }
            }
            By::Flags(dimension, by_flag)
        }
        Dimension::Peer | Dimension::Code | Dimension::Opc | Dimension::Time => {
            By::Numbers(dimension, numbers().collect())
        }
        Dimension::Method | Dimension::Ac => {
            let words = places.into_iter().filter_map(|(value, place)| match value {
                Value::Octets(word) => Some((word, place)),
                _ => None,
            });
            By::Words(dimension, words.collect())
        }
        Dimension::Realm => {
            let mut realms = Realms::default();
            for (value, place) in places {
                if let Value::Octets(realm) = value {
                    realms.insert_octets(&realm, place);
                }
            }
            By::Realms(realms)
        }
        Dimension::Sai => {
            let keys = places.into_iter().filter_map(|(value, place)| match value {
                Value::Key(key) => Some((key, place)),
                _ => None,
            });
            By::Keys(keys.collect())
        }
    }
}
