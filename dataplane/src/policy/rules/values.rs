//! What a rule may ask, by dimension: lists that are compared with what a message says, each list kept once.

use std::collections::HashMap;

use sealgate_config::model::{Match, RoleName, Span};
use sealgate_crypto::pki::Role;
use sealgate_wire::addr::Digits;
use sealgate_wire::diameter::is_within;

use super::facts::Facts;
use crate::policy::snapshot::PeerId;

/// What rules ask, each of it once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub(super) enum Dimension {
    Peer,
    Code,
    Method,
    Ac,
    Calling,
    Called,
    Opc,
    Realm,
    Imsi,
    Category,
    Signature,
    Sai,
    Role,
    Time,
}

impl Dimension {
    pub(super) const ALL: [Dimension; 14] = [
        Dimension::Peer,
        Dimension::Code,
        Dimension::Method,
        Dimension::Ac,
        Dimension::Calling,
        Dimension::Called,
        Dimension::Opc,
        Dimension::Realm,
        Dimension::Imsi,
        Dimension::Category,
        Dimension::Signature,
        Dimension::Sai,
        Dimension::Role,
        Dimension::Time,
    ];
}

/// What one rule wants in one dimension. `Any` where it does not ask.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) enum Wanted {
    Any,
    /// Peers, codes, point codes; rising.
    Numbers(Box<[u32]>),
    /// Flags of a small set.
    Flags(u32),
    /// Prefixes, none under another, in the order of their digits.
    Digits(Box<[Digits]>),
    /// Methods and application contexts, word for word.
    Words(Box<[Box<[u8]>]>),
    /// Realms, in lower case.
    Realms(Box<[Box<[u8]>]>),
    /// Identifiers of keys.
    Keys(Box<[[u8; 8]]>),
    /// A time of day.
    Span(u16, u16),
}

impl Wanted {
    /// What a rule wants; `peers`: places of peers by name, those that there are.
    pub(super) fn of(rule: &Match, dimension: Dimension, peers: &impl Fn(&str) -> Option<PeerId>) -> Self {
        match dimension {
            Dimension::Peer if rule.peer.is_empty() => Self::Any,
            // A rule for peers that are gone matches nothing, and not everything.
            Dimension::Peer => {
                Self::Numbers(rising(rule.peer.iter().filter_map(|name| Some(u32::from(peers(name)?))).collect()))
            }
            Dimension::Code => Self::numbers(rule.codes().0),
            Dimension::Opc => Self::numbers(&rule.opc),
            Dimension::Method => Self::words(rule.method.iter().map(String::as_bytes)),
            Dimension::Ac => Self::words(rule.ac.iter().map(Vec::as_slice)),
            Dimension::Calling => Self::digits(&rule.calling),
            Dimension::Called => Self::digits(&rule.called),
            Dimension::Imsi => Self::digits(&rule.imsi),
            Dimension::Realm if rule.realm.is_empty() => Self::Any,
            Dimension::Realm => Self::Realms(rule.realm.iter().map(|realm| realm.as_bytes().into()).collect()),
            Dimension::Category => Self::flags(rule.category.iter().map(|category| *category as u32)),
            Dimension::Signature => Self::flags(rule.signature.iter().map(|state| *state as u32)),
            Dimension::Role => Self::flags(rule.role.iter().map(|role| role_number(*role))),
            Dimension::Sai if rule.sai.is_empty() => Self::Any,
            Dimension::Sai => Self::Keys(rule.sai.clone().into()),
            Dimension::Time => match rule.time {
                Some(Span { from, to }) => Self::Span(from, to),
                None => Self::Any,
            },
        }
    }

    fn numbers(numbers: &[u32]) -> Self {
        if numbers.is_empty() { Self::Any } else { Self::Numbers(rising(numbers.to_vec())) }
    }

    fn digits(digits: &[Digits]) -> Self {
        if digits.is_empty() { Self::Any } else { Self::Digits(essential(digits)) }
    }

    fn words<'a>(words: impl Iterator<Item = &'a [u8]>) -> Self {
        let words: Box<[Box<[u8]>]> = words.map(Into::into).collect();
        if words.is_empty() { Self::Any } else { Self::Words(words) }
    }

    fn flags(flags: impl Iterator<Item = u32>) -> Self {
        let flags = flags.fold(0, |all, flag| all | 1 << flag);
        if flags == 0 { Self::Any } else { Self::Flags(flags) }
    }

    /// How many values it has; each of them may lead to the rule.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Any | Self::Span(..) => 0,
            Self::Numbers(numbers) => numbers.len(),
            Self::Flags(flags) => flags.count_ones() as usize,
            Self::Digits(digits) => digits.len(),
            Self::Words(words) | Self::Realms(words) => words.len(),
            Self::Keys(keys) => keys.len(),
        }
    }
}

fn rising(mut numbers: Vec<u32>) -> Box<[u32]> {
    numbers.sort_unstable();
    numbers.dedup();
    numbers.into()
}

/// The flag of a role.
pub(super) fn role_number(role: RoleName) -> u32 {
    match role {
        RoleName::Csp => Role::Csp as u32,
        RoleName::Carrier => Role::Carrier as u32,
        RoleName::Hub => Role::Hub as u32,
    }
}

/// Lists of all rules. Place 0 stands for a rule that does not ask.
#[derive(Clone, Debug, Default)]
pub(super) struct Lists(Vec<Wanted>);

/// Gives each list its place while rules are compiled.
#[derive(Default)]
pub(super) struct Interned {
    places: HashMap<Wanted, u32>,
    lists: Lists,
}

impl Interned {
    pub(super) fn place(&mut self, wanted: Wanted) -> u32 {
        if wanted == Wanted::Any {
            return 0;
        }
        *self.places.entry(wanted).or_insert_with_key(|wanted| {
            self.lists.0.push(wanted.clone());
            self.lists.0.len() as u32
        })
    }

    pub(super) fn done(self) -> Lists {
        self.lists
    }
}

impl Lists {
    /// Forgets all but these, which are all that will be asked for.
    pub(super) fn keep(&mut self, asked: impl Iterator<Item = u32>) {
        let mut kept = vec![false; self.0.len()];
        for place in asked {
            if let Some(keep) = kept.get_mut((place as usize).wrapping_sub(1)) {
                *keep = true;
            }
        }
        for (list, keep) in self.0.iter_mut().zip(kept) {
            if !keep {
                *list = Wanted::Any;
            }
        }
    }

    /// Whether what a message says in a dimension is on a list.
    pub(super) fn holds(&self, place: u32, dimension: Dimension, facts: &Facts<'_>) -> bool {
        let Some(place) = (place as usize).checked_sub(1) else { return true };
        let Some(wanted) = self.0.get(place) else { return false };
        match wanted {
            Wanted::Any => true,
            Wanted::Numbers(numbers) => facts.number(dimension).is_some_and(|n| numbers.binary_search(&n).is_ok()),
            Wanted::Flags(flags) => facts.flag(dimension) & flags != 0,
            Wanted::Digits(prefixes) => facts.digits(dimension).is_some_and(|number| covers(prefixes, &number)),
            Wanted::Words(words) => {
                let word = facts.word(dimension);
                words.iter().any(|wanted| **wanted == *word)
            }
            Wanted::Realms(realms) => realms.iter().any(|realm| is_within(facts.realm, realm)),
            Wanted::Keys(keys) => facts.signer.is_some_and(|(sai, _)| keys.contains(&sai)),
            &Wanted::Span(from, to) => Span { from, to }.has(facts.minute),
        }
    }

    /// Octets of memory, for reports.
    pub(super) fn memory(&self) -> usize {
        let list = |wanted: &Wanted| match wanted {
            Wanted::Digits(digits) => size_of_val(&**digits),
            Wanted::Numbers(numbers) => size_of_val(&**numbers),
            Wanted::Words(words) | Wanted::Realms(words) => words.iter().map(|word| word.len() + 16).sum(),
            Wanted::Keys(keys) => size_of_val(&**keys),
            Wanted::Any | Wanted::Flags(_) | Wanted::Span(..) => 0,
        };
        self.0.capacity() * size_of::<Wanted>() + self.0.iter().map(list).sum::<usize>()
    }
}

/// Whether one of these prefixes, in the order of their digits, covers a number: of those that come before it in that order, the
/// last one that does not lie under another.
fn covers(prefixes: &[Digits], number: &Digits) -> bool {
    let before = prefixes.partition_point(|prefix| order(prefix) <= order(number));
    before.checked_sub(1).and_then(|at| prefixes.get(at)).is_some_and(|prefix| number.starts_with(prefix))
}

/// Digits from left to right, then how many: a prefix comes before all that it covers.
fn order(digits: &Digits) -> (u128, usize) {
    let first_highest = u128::from_le_bytes(digits.packed()).swap_bytes();
    // Two digits lie in an octet the other way round.
    let nibbles = u128::MAX / 17;
    ((first_highest & nibbles) << 4 | first_highest >> 4 & nibbles, digits.len())
}

/// Prefixes in their order, without those that others cover.
fn essential(digits: &[Digits]) -> Box<[Digits]> {
    let mut sorted = digits.to_vec();
    sorted.sort_unstable_by_key(order);
    sorted.dedup_by(|later, kept| later.starts_with(kept));
    sorted.into()
}

impl Facts<'_> {
    #[inline(always)]
    pub(super) fn number(&self, dimension: Dimension) -> Option<u32> {
        match dimension {
            Dimension::Peer => Some(self.peer.into()),
            Dimension::Code => self.code,
            Dimension::Opc => self.opc,
            _ => None,
        }
    }

    #[inline(always)]
    pub(super) fn digits(&self, dimension: Dimension) -> Option<Digits> {
        match dimension {
            Dimension::Calling => self.calling,
            Dimension::Called => self.called,
            Dimension::Imsi => self.imsi,
            _ => None,
        }
    }

    #[inline(always)]
    pub(super) fn word(&self, dimension: Dimension) -> &[u8] {
        if dimension == Dimension::Method { self.method } else { self.ac }
    }

    /// A flag, or none.
    #[inline(always)]
    pub(super) fn flag(&self, dimension: Dimension) -> u32 {
        match dimension {
            Dimension::Category => 1 << self.category as u32,
            Dimension::Signature => self.signature.flag(),
            Dimension::Role => self.signer.and_then(|(_, role)| role).map_or(0, |role| 1 << role as u32),
            _ => 0,
        }
    }
}
