//! What operator rules cost a message, and how that grows with their number.
//!
//! Each rule has ten prefixes of calling titles of its own and one operation; a third of them also ask for a missing signature.
//! What is asked comes in two mixes: calling titles under all prefixes alike, so that nearly each look-up goes to memory that was not
//! used for long, and those of so many senders as an interconnect has, which come again and again.

use std::collections::BTreeSet;
use std::error::Error;
use std::time::Duration;

use sealgate_config::model::{Action, Match, Mode, Protocol, Rule, Signature, Unmatched};
use sealgate_crypto::keyring::KeyRing;
use sealgate_crypto::pool::PoolConfig;
use sealgate_dataplane::policy::rules::{Facts, Report, Rules};
use sealgate_dataplane::state::Direction;
use sealgate_dataplane::state::keyed::Key;
use sealgate_wire::addr::Digits;

use crate::gateway::{self, Gateway};
use crate::measure::cpu_now;
use crate::traffic::{self, roaming::Dialogue};

/// Prefixes of a rule.
pub const PREFIXES: usize = 10;
/// Nodes that speak over one interconnect.
pub const SENDERS: usize = 4096;
/// Messages of a mix.
const MESSAGES: usize = 1 << 18;
/// Operations that are asked for.
const OPERATIONS: [u32; 6] = [2, 23, 45, 46, 56, 67];
/// Digits of a title.
const DIGITS: usize = 13;
/// Operators whose titles they are: each has a number of five digits in front, of which the first is 1 to 8.
const OPERATORS: u64 = 1000;

/// One set of rules and what is asked of it.
pub struct Subject {
    /// How many rules.
    pub count: usize,
    /// What compiling them came to.
    pub report: Report,
    rules: Rules,
    written: Vec<Rule>,
    mixes: [Vec<(Digits, u32)>; 2],
}

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Callers {
    /// Titles under all prefixes.
    All = 0,
    /// Those of [`SENDERS`] nodes.
    Senders = 1,
}

impl Subject {
    /// So many rules, the same ones each time.
    pub fn new(count: usize) -> Self {
        let dice = dice(count);
        let roll = |of: &str, i: u64| dice.hash(&[of.as_bytes(), &i.to_le_bytes()]);
        let (written, prefixes) = written(count);
        let rules = Rules::new(&written, Unmatched::Allow, |_| None);
        let caller = |i: u64| {
            let prefix = prefixes.get((roll("caller", i) % prefixes.len() as u64) as usize)?;
            let rest = format!("{prefix}{:013}", roll("subscriber", i) % 10_u64.pow(13));
            rest.get(..DIGITS)?.parse().ok()
        };
        let operation = |i: u64| OPERATIONS[(roll("operation", i) % OPERATIONS.len() as u64) as usize];
        let mix = |callers: u64| {
            let message = |i: u64| Some((caller(roll("message", i) % callers)?, operation(i)));
            (0..MESSAGES as u64).filter_map(message).collect()
        };
        Self { count, report: rules.report(), rules, written, mixes: [mix(u64::MAX), mix(SENDERS as u64)] }
    }

    /// A gateway under these rules, or under none, and its traffic without end: updateLocation of [`SENDERS`] nodes, unsigned. The
    /// rules let all pass, so that the same becomes of all messages.
    ///
    /// # Errors
    /// As [`Gateway::new`].
    pub fn gateway(&self, ruled: bool, keys: &KeyRing) -> Result<Gateway, Box<dyn Error>> {
        let mut policy = gateway::policy(Mode::Prefer, false)?;
        // All titles are one peer's, so that the tables of peers are the same under all rules.
        let peer = policy.peers.first_mut().ok_or("no peer")?;
        peer.gt = (1..=8).filter_map(|digit| digit.to_string().parse().ok()).collect();
        if ruled {
            let allow = |rule: &Rule| Rule { action: Action::Allow, ..rule.clone() };
            policy.rules = self.written.iter().map(allow).collect();
        }
        let callers = self.mixes[Callers::Senders as usize].iter().zip(0..traffic::CORPUS);
        let frames = callers.map(|((node, _), id)| {
            let imsi = format!("00101{id:010}").parse().unwrap_or_default();
            Dialogue { node: *node, imsi, id, port: 2905 }.begin(id.wrapping_mul(traffic::STRIDE))
        });
        Gateway::under(&policy, [Some(frames.collect()), Some(Vec::new())], None, PoolConfig::default(), keys)
    }

    /// CPU time of one look at the rules in nanoseconds, and which share of messages has one.
    pub fn look(&self, callers: Callers) -> (f64, f64) {
        let messages = &self.mixes[callers as usize];
        let mut found = 0;
        let began = cpu_now();
        for (calling, code) in messages {
            let facts = Facts { calling: Some(*calling), code: Some(*code), ..Facts::default() };
            let ruling = self.rules.first(Protocol::Map, Direction::In, std::hint::black_box(&facts));
            found += usize::from(std::hint::black_box(ruling).is_some());
        }
        let took: Duration = cpu_now().saturating_sub(began);
        let each = messages.len().max(1) as f64;
        (took.as_secs_f64() * 1e9 / each, found as f64 / each)
    }
}

fn dice(count: usize) -> Key {
    Key::new(count as u64, 7)
}

/// So many rules and all their prefixes.
fn written(count: usize) -> (Vec<Rule>, Vec<Digits>) {
    let dice = dice(count);
    let roll = |of: &str, i: u64| dice.hash(&[of.as_bytes(), &i.to_le_bytes()]);
    let total = count * PREFIXES;
    let mut texts = BTreeSet::new();
    let mut i = 0;
    while texts.len() < total {
        let operator = 10_000 + roll("operator", roll("whose", i) % OPERATORS) % 80_000;
        // Three to eight digits more: blocks of numbers, and single nodes.
        let len = 3 + (roll("length", i) % 6) as usize;
        texts.insert(format!("{operator}{:0len$}", roll("block", i) % 10_u64.pow(len as u32)));
        i += 1;
    }
    let mut prefixes: Vec<(u64, Digits)> =
        texts.iter().filter_map(|text| Some((roll("order", text.parse().ok()?), text.parse().ok()?))).collect();
    prefixes.sort_unstable_by_key(|(order, _)| *order);
    let written: Vec<Rule> = prefixes
        .chunks(PREFIXES)
        .enumerate()
        .map(|(i, own)| Rule {
            id: format!("rule-{i}"),
            matches: Match {
                protocol: Some(Protocol::Map),
                outbound: Some(false),
                calling: own.iter().map(|(_, prefix)| *prefix).collect(),
                opcode: vec![OPERATIONS[i % OPERATIONS.len()]],
                signature: if i % 3 == 0 { vec![Signature::Absent] } else { Vec::new() },
                ..Match::default()
            },
            action: Action::Drop,
            overrides: Vec::new(),
            log: false,
        })
        .collect();
    (written, prefixes.into_iter().map(|(_, prefix)| prefix).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_messages_have_a_rule_and_some_have_none() {
        let subject = Subject::new(20);
        assert_eq!((subject.report.rules, subject.report.values), (20, 20 * (PREFIXES + 1) + 7));
        for callers in [Callers::All, Callers::Senders] {
            let (ns, share) = subject.look(callers);
            assert!(ns > 0.0 && (0.1..0.3).contains(&share), "one operation of six: {share}");
        }
    }

    #[test]
    fn what_the_turn_judges_passes_by_its_rules() {
        use sealgate_wire::Reason;
        let mut gateway = Subject::new(20).gateway(true, &KeyRing::new()).unwrap_or_else(|error| panic!("{error}"));
        (0..100).for_each(|_| {
            gateway.worker.turn(gateway::NOW_MS);
        });
        let stats = gateway.worker.stats();
        assert!(stats.messages >= 3200);
        assert_eq!(stats.total(Reason::OkUnsignedAllowed), stats.messages);
        let snapshot = gateway.cell.current();
        let matched: u64 = snapshot.ruleset.counted().map(|(_, counted)| counted.matched).sum();
        assert!((stats.messages / 10..stats.messages / 3).contains(&matched), "one operation of six: {matched}");
    }
}
