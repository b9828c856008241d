//! The associations of one worker: tags, what was sent before, what is held, and the frames on their way.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

use sealgate_config::model::Defaults;
use sealgate_wire::Reason;

use super::slots::{AssocId, FrameId};
use crate::policy::snapshot::{Fast, LinkId};
use crate::state::fragments::{self, Fragments};
use crate::state::retransmit::{self, Retransmissions};
use crate::state::tags::Tags;

/// Associations that nothing has proven yet, at most: each may take memory, and ports are easily forged.
const UNPROVEN: usize = 64;
/// An association that was silent for so long may make room: heartbeats come every 30 s (RFC 9260 §16).
const DEAD_MS: u64 = 3_600_000;

/// What names an association at a worker. The addresses are not part of it: a host may have several.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Key {
    /// Its link.
    pub link: LinkId,
    /// The neighbour's port.
    pub remote: u16,
    /// Our host's port.
    pub local: u16,
}

impl Key {
    /// What stands for a neighbour's node over UDP, where ports name nothing.
    pub fn of_node(link: LinkId, address: IpAddr) -> Self {
        let fold = |octets: &[u8]| {
            octets.chunks(2).fold(0, |sum, pair| sum ^ pair.iter().fold(0, |a, b| a << 8 | u16::from(*b)))
        };
        let remote = match address {
            IpAddr::V4(address) => fold(&address.octets()),
            IpAddr::V6(address) => fold(&address.octets()),
        };
        Self { link, remote, local: 0 }
    }

    /// Which of `workers` owns the association, whatever queue its packets arrive on.
    pub fn owner(&self, workers: usize) -> usize {
        let mixed = (u64::from(self.link) << 32 | u64::from(self.remote) << 16 | u64::from(self.local))
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (((mixed >> 40) * workers as u64) >> 24) as usize
    }
}

/// One direction of an association.
pub struct Flow {
    /// Frames that wait for a verdict, and those behind them, in the order of arrival.
    pub queue: VecDeque<FrameId>,
    /// What became of its last chunks; made with the first one.
    pub sent: Option<Box<Retransmissions>>,
    /// Messages of which a part is missing; made with the first one.
    pub held: Option<Box<Fragments>>,
    /// Last cumulative TSN that the receiver of this direction acknowledged.
    pub acked: Option<u32>,
}

impl Flow {
    fn new() -> Self {
        Self { queue: VecDeque::with_capacity(64), sent: None, held: None, acked: None }
    }

    /// The memory of retransmissions, made now if need be.
    pub fn sent(&mut self, defaults: &Defaults) -> &mut Retransmissions {
        self.sent.get_or_insert_with(|| {
            Box::new(Retransmissions::new(retransmit::Config {
                tsns: defaults.retransmission.tsns as usize,
                octets: defaults.retransmission.octets as usize,
                ..retransmit::Config::default()
            }))
        })
    }

    /// The hold for fragments, made now if need be.
    pub fn held(&mut self, defaults: &Defaults) -> &mut Fragments {
        self.held.get_or_insert_with(|| {
            Box::new(Fragments::new(fragments::Config {
                octets: defaults.hold.octets as usize,
                deadline_ms: u64::from(defaults.hold.deadline_ms),
                ..fragments::Config::default()
            }))
        })
    }

    fn forget(&mut self) {
        self.acked = None;
        if let Some(sent) = &mut self.sent {
            sent.clear();
        }
        if let Some(held) = &mut self.held {
            held.clear();
        }
    }
}

/// One association.
pub struct Association {
    /// What names it.
    pub key: Key,
    /// Verification tags.
    pub tags: Tags,
    /// Both directions, by `Direction as usize`.
    pub flows: [Flow; 2],
    /// When its last packet came.
    pub seen_ms: u64,
}

impl Association {
    /// Forgets what belongs to an association that ended or was set up anew. Frames on their way stay.
    pub fn forget(&mut self) {
        self.flows.iter_mut().for_each(Flow::forget);
    }
}

/// All associations of one worker.
pub struct Associations {
    table: Vec<Association>,
    by_key: HashMap<Key, AssocId, Fast>,
    limit: usize,
}

impl Associations {
    /// An empty table for at most `limit` associations.
    pub fn new(limit: usize) -> Self {
        Self { table: Vec::new(), by_key: HashMap::default(), limit }
    }

    /// The association of a packet, made now if it is new.
    ///
    /// When the table is full, the one that was idle longest among those never proven makes room, then the one that was
    /// silent for an hour: port numbers that somebody tries out cannot push out an association that works.
    ///
    /// # Errors
    /// [`Reason::ResTableFull`] when all are proven or have frames on their way.
    pub fn find(&mut self, key: Key, vtag: Option<u32>, adopt: bool, now_ms: u64) -> Result<AssocId, Reason> {
        if let Some(&id) = self.by_key.get(&key) {
            return Ok(id);
        }
        let fresh =
            Association { key, tags: Tags::new(vtag, adopt), flows: [Flow::new(), Flow::new()], seen_ms: now_ms };
        let unproven = self.table.iter().filter(|association| !association.tags.is_proven()).count();
        if self.table.len() < self.limit && unproven < UNPROVEN {
            let id = self.table.len() as AssocId;
            self.table.push(fresh);
            self.by_key.insert(key, id);
            return Ok(id);
        }
        let idle = |association: &Association| association.flows.iter().all(|flow| flow.queue.is_empty());
        let dead = |a: &Association| a.tags.is_proven() && now_ms.saturating_sub(a.seen_ms) > DEAD_MS;
        let victims = || self.table.iter().enumerate().filter(|(_, a)| idle(a));
        let unproven = victims().filter(|(_, a)| !a.tags.is_proven()).min_by_key(|(_, a)| a.seen_ms);
        let longest_dead = || victims().filter(|(_, a)| dead(a)).min_by_key(|(_, a)| a.seen_ms);
        let (id, _) = unproven.or_else(longest_dead).ok_or(Reason::ResTableFull)?;
        let place = self.table.get_mut(id).ok_or(Reason::IntBug)?;
        self.by_key.remove(&place.key);
        *place = fresh;
        self.by_key.insert(key, id as AssocId);
        Ok(id as AssocId)
    }

    /// The association in this place.
    pub fn get_mut(&mut self, id: AssocId) -> Option<&mut Association> {
        self.table.get_mut(id as usize)
    }

    /// All of them.
    pub fn all(&self) -> &[Association] {
        &self.table
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.table.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Direction;
    use crate::state::tags::Signs;

    #[test]
    fn ports_tried_out_cannot_push_out_an_association_that_works() {
        let mut table = Associations::new(3);
        let key = |remote| Key { link: 0, remote, local: 2905 };
        let good = table.find(key(1), None, true, 0);
        assert_eq!(good, Ok(0));
        assert!(prove(&mut table, 0));
        for port in 2..100 {
            let id = table.find(key(port), None, true, u64::from(port)).unwrap_or(99);
            assert!(id == 1 || id == 2, "{id}");
        }
        assert_eq!((table.len(), table.find(key(1), None, true, 200)), (3, Ok(0)));
        assert!(prove(&mut table, 1) && prove(&mut table, 2));
        assert_eq!(table.find(key(500), None, true, 300), Err(Reason::ResTableFull));
        assert!(table.find(key(500), None, true, 300 + DEAD_MS).is_ok(), "silent for an hour");
    }

    #[test]
    fn ports_tried_out_take_no_more_memory_than_a_few_associations() {
        let mut table = Associations::new(1024);
        for remote in 1..1000 {
            assert!(table.find(Key { link: 0, remote, local: 2905 }, Some(7), true, u64::from(remote)).is_ok());
        }
        assert_eq!(table.len(), UNPROVEN);
    }

    fn prove(table: &mut Associations, id: AssocId) -> bool {
        let shake = [
            (Direction::In, 0, Signs { init: Some((1, false)), ..Signs::default() }),
            (Direction::Out, 1, Signs { init_ack: Some((2, false)), ..Signs::default() }),
            (Direction::In, 2, Signs { cookie_echo: true, ..Signs::default() }),
        ];
        let Some(association) = table.get_mut(id) else { return false };
        shake.iter().all(|(way, tag, signs)| association.tags.judge(*way, *tag, signs).is_ok())
    }

    #[test]
    fn one_association_has_one_owner() {
        let key = Key { link: 3, remote: 2905, local: 2905 };
        assert_eq!(key.owner(4), key.owner(4));
        let spread: std::collections::BTreeSet<_> =
            (0..64).map(|remote| Key { link: 0, remote, local: 2905 }.owner(4)).collect();
        assert_eq!(spread.len(), 4);
        let of = |address: IpAddr| Key::of_node(0, address).owner(4);
        for at in 0..64_u8 {
            let (v4, v6) = ([192, 0, 2, at].into(), [0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(at)].into());
            assert_ne!(Key::of_node(0, v4), Key::of_node(0, [192, 0, 2, at + 1].into()));
            assert!(of(v4) < 4 && of(v6) < 4);
        }
        let shares = (0..4).map(|worker| (0..64).filter(|at| of([192, 0, 2, *at].into()) == worker).count());
        assert!(shares.clone().all(|share| (8..=24).contains(&share)), "{:?}", shares.collect::<Vec<_>>());
    }
}
