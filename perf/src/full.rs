//! What memories that an attacker has filled to their limit cost the others.
//!
//! Two gateways judge the same valid traffic: location updates of one operator's subscribers, each accepted by our register. Then, in one of
//! them, two others make subscribers, nodes, dialogues and segments up, until each memory has had to forget as much as it
//! holds, and go on with that between any two blocks of the others. What is compared is the CPU time of the valid bursts alone, and by
//! how much their ratio is another one than before the attack: two gateways in one process are not equally fast, since each lies
//! elsewhere in memory.

use std::error::Error;
use std::time::Duration;

use sealgate_config::model::{
    Action, DetectMode, Detection, Flood, Geo, GeoCode, GeoPlace, Match, Mode, Over, Per, Policy, Protocol, Rate, Rule,
    Scan, Switch, Windowed,
};
use sealgate_crypto::keyring::KeyRing;
use sealgate_crypto::pool::PoolConfig;
use sealgate_dataplane::pipeline::worker::BURST;
use sealgate_wire::addr::Digits;
use sealgate_wire::{Reason, reason};

use crate::gateway::{self, Gateway, NOW_MS};
use crate::measure::cpu_now;
use crate::traffic::roaming::Dialogue;

/// Subscribers of the operator whose traffic is valid.
const SUBSCRIBERS: u32 = 20_000;
/// Its nodes.
const NODES: u32 = 256;
/// Bursts of one side in a row.
const BURSTS: usize = 8;
/// Titles of whom the attacker speaks for where dialogues stay open, and where there is anything else. A peer that has as many dialogues
/// open as it may could fill nothing else.
const DIALOGUES: &str = "99904";
const SUBJECTS: &str = "99905";
/// Ports of the associations of both operators.
const PORTS: [u16; 2] = [2905, 2906];

/// A gateway, a clock, and who speaks.
pub struct Side {
    gateway: Gateway,
    now_ms: u64,
    /// Messages so far, of the valid operator and of the attacker.
    sent: [u32; 2],
    attacked: bool,
    /// Limit of the memory of where subscribers are.
    subscribers: usize,
}

/// What was seen of one block of valid traffic.
#[derive(Clone, Copy, Debug, Default)]
pub struct Block {
    /// Messages.
    pub messages: u64,
    /// CPU time of their turns.
    pub took: Duration,
    /// Messages refused.
    pub refused: u64,
}

/// Entries forgotten for want of room, and octets of memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Filled {
    /// Where subscribers are.
    pub subscribers: u64,
    /// Updates that wait for their answer.
    pub pending: u64,
    /// Steps of procedures.
    pub steps: u64,
    /// Sources.
    pub sources: u64,
    /// Open transactions, and dialogues that their peer's limit spoke against.
    pub transactions: u64,
    /// Token buckets.
    pub buckets: u64,
    /// Messages in segments that were given up, or refused for want of room.
    pub segments: u64,
    /// Octets of the memories of detection and of token buckets.
    pub octets: usize,
}

impl Side {
    /// One that knows the valid operator's subscribers.
    ///
    /// * `subscribers`: limit of the memory of where subscribers are
    ///
    /// # Errors
    /// As [`Gateway::new`].
    pub fn new(subscribers: usize, keys: &KeyRing) -> Result<Self, Box<dyn Error>> {
        let gateway = Gateway::under(&policy(subscribers)?, [None, None], None, PoolConfig::default(), keys)?;
        let mut side = Self { gateway, now_ms: NOW_MS, sent: [0; 2], attacked: false, subscribers };
        while side.sent[0] < 2 * SUBSCRIBERS {
            let block = side.valid()?;
            if block.refused > 0 {
                return Err(format!("{} of {} valid messages are refused", block.refused, block.messages).into());
            }
        }
        Ok(side)
    }

    /// Lets the attacker begin, until all memories are full, with at most so many messages; he goes on in each block from then on.
    ///
    /// # Errors
    /// A frame that finds no buffer: a defect of this program.
    pub fn fill(&mut self, most: u32) -> Result<Filled, Box<dyn Error>> {
        self.attacked = true;
        while self.sent[1] < most && !self.filled().is_full(self.subscribers) {
            self.attack()?;
        }
        Ok(self.filled())
    }

    /// A block of valid traffic, behind one of the attacker's if he has begun.
    ///
    /// # Errors
    /// As [`fill`](Self::fill).
    pub fn take(&mut self) -> Result<Block, Box<dyn Error>> {
        if self.attacked {
            self.attack()?;
        }
        self.valid()
    }

    fn valid(&mut self) -> Result<Block, Box<dyn Error>> {
        let refused = self.refused();
        let mut block = Block::default();
        for _ in 0..BURSTS {
            let first = self.sent[0];
            let dialogues = (first..first + BURST as u32).map(|i| Dialogue {
                node: number(&format!("99902{:07}", i % SUBSCRIBERS % NODES)),
                imsi: number(&format!("00101{:010}", i % SUBSCRIBERS)),
                id: i,
                port: PORTS[0],
            });
            let frames: Vec<_> = dialogues.map(|one| (one.begin(one.id), one.accepted(one.id))).collect();
            let (asked, answers): (Vec<_>, Vec<_>) = frames.into_iter().unzip();
            block.took += self.burst(0, &asked)? + self.burst(1, &answers)?;
            self.now_ms += 1;
            block.messages += 2 * BURST as u64;
            self.sent[0] += BURST as u32;
        }
        block.refused = self.refused() - refused;
        Ok(block)
    }

    fn attack(&mut self) -> Result<(), Box<dyn Error>> {
        for _ in 0..BURSTS {
            let first = self.sent[1];
            let (mut asked, mut answers) = (Vec::new(), Vec::new());
            for i in first..first + BURST as u32 {
                let one = Dialogue {
                    node: number(&format!("{}{:07}", if i % 4 == 2 { DIALOGUES } else { SUBJECTS }, i % 10_000_000)),
                    imsi: number(&format!("00101{:010}", 1_000_000 + u64::from(i))),
                    id: i,
                    port: PORTS[1],
                };
                asked.push(if i % 4 == 0 { one.segment(i) } else { one.begin(i) });
                match i % 4 {
                    1 => answers.push(one.accepted(i)),
                    2 => answers.push(one.continued(i)),
                    _ => {}
                }
            }
            self.burst(0, &asked)?;
            self.burst(1, &answers)?;
            self.sent[1] += BURST as u32;
        }
        self.now_ms += 1;
        Ok(())
    }

    /// CPU time of the turn with these frames.
    fn burst(&mut self, port: usize, frames: &[Vec<u8>]) -> Result<Duration, Box<dyn Error>> {
        let entry = self.gateway.worker.port_mut(port).ok_or("no port")?;
        for frame in frames {
            if !entry.inject(frame)? {
                return Err("no buffer for a frame".into());
            }
        }
        let began = cpu_now();
        self.gateway.worker.turn(self.now_ms);
        Ok(cpu_now().saturating_sub(began))
    }

    fn refused(&self) -> u64 {
        let stats = self.gateway.worker.stats();
        let bad = |reason: &&Reason| !reason.passes();
        reason::ALL.iter().filter(bad).map(|reason| stats.total(*reason)).sum()
    }

    /// What the memories have forgotten.
    pub fn filled(&self) -> Filled {
        let shared = &self.gateway.shared;
        let (detection, events) = (&shared.detection, &self.gateway.worker.stats().events);
        let event = |reason: Reason| events.get(reason.index()).copied().unwrap_or(0);
        Filled {
            subscribers: detection.subscribers.counters().evicted,
            pending: detection.pending.evicted(),
            steps: detection.steps.counters().evicted,
            sources: detection.sources.evicted(),
            transactions: shared.dialogues.counters().evicted + shared.dialogues.refused(),
            buckets: shared.buckets.evicted(),
            segments: event(Reason::SccpReasmTimeout) + self.gateway.worker.stats().total(Reason::SccpReasmLimit),
            octets: detection.memory() + shared.buckets.memory(),
        }
    }
}

impl Filled {
    /// Whether the attacker has filled each of them over and over: forgotten are as many subscribers as there is room for, and more of
    /// all else than there is room for by default.
    pub fn is_full(&self, subscribers: usize) -> bool {
        let rest = [self.pending, self.steps, self.sources, self.transactions, self.buckets];
        self.subscribers >= subscribers as u64
            && rest.iter().all(|forgotten| *forgotten >= 262_144)
            && self.segments > 0
    }
}

fn number(text: &str) -> Digits {
    text.parse().unwrap_or_default()
}

/// All detectors refuse what they find, with limits that valid traffic does not reach; each caller has a token bucket; answers
/// need an open transaction.
fn policy(subscribers: usize) -> Result<Policy, Box<dyn Error>> {
    let mut policy = gateway::policy(Mode::Prefer, false)?;
    policy.defaults.transactions.check = true;
    let switch = Switch { mode: DetectMode::Drop, learn_s: 0 };
    let windowed = Windowed { switch, window_s: 300 };
    let mut detection = Detection { previous_location: switch, ..Detection::default() };
    detection.subscribers.limit = subscribers;
    detection.velocity.switch = switch;
    detection.velocity.geo = Some(Geo { file: "geo.csv".into(), places: vec![place("99902", 0), place(SUBJECTS, 1)] });
    (detection.multi_request, detection.multi_protocol, detection.cross_generation) = (windowed, windowed, windowed);
    detection.scan = Scan { switch, window_s: 600, subscribers: 1_000_000 };
    detection.flood = Flood { switch, per_second: 1_000_000, burst: 1_000_000 };
    policy.detection = detection;
    // A bucket is in use until it is full again: of an attacker who calls once with each number, for a second.
    let rule = |id: &str, calling: &str, per_second, burst| Rule {
        id: id.into(),
        matches: Match {
            protocol: Some(Protocol::Map),
            outbound: Some(false),
            calling: vec![number(calling)],
            ..Match::default()
        },
        action: Action::RateLimit(Rate { per: Per::CallingGt, per_second, burst, over: Over::Drop }),
        overrides: Vec::new(),
        log: false,
    };
    policy.rules = vec![rule("slow", SUBJECTS, 1, 2), rule("fast", "99902", 1_000_000, 1_000_000)];
    Ok(policy)
}

fn place(prefix: &str, degrees: i32) -> GeoPlace {
    GeoPlace {
        code: GeoCode::Number(number(prefix)),
        latitude: degrees * 1_000_000,
        longitude: 0,
        radius_km: 500,
        name: prefix.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_traffic_passes_while_an_attacker_fills_the_memories() {
        let mut side = Side::new(1024, &KeyRing::new()).unwrap_or_else(|error| panic!("{error}"));
        let before = side.filled();
        let filled = side.fill(100_000).unwrap_or_else(|error| panic!("{error}"));
        assert!(filled.subscribers > 1024 && filled.sources > 4096 && filled.segments > 0, "{filled:?}");
        assert_eq!(filled.octets, before.octets);
        let block = side.take().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((block.messages, block.refused), (2 * (BURST * BURSTS) as u64, 0));
        assert!(block.took > Duration::ZERO);
    }
}
