//! What became of the last DATA chunks of one association and direction (formats 1.5, "Retransmission by the transport
//! is not replay").
//!
//! A chunk that comes again with the same TSN and the same octets gets the first verdict and the first output, without
//! touching the replay memory. Otherwise a signed message that was lost behind us would be refused for ever.

use sealgate_wire::Reason;

use super::fingerprint::Fingerprint;

/// Limits of [`Retransmissions`].
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// How many TSNs are remembered; rounded up to a power of two.
    pub tsns: usize,
    /// Most octets of rewritten messages that are kept.
    pub octets: usize,
    /// After this long an entry makes room even for an older TSN, milliseconds.
    pub keep_ms: u64,
}

impl Default for Config {
    /// 4096 TSNs, 1 MiB, 60 s.
    fn default() -> Self {
        Self { tsns: 4096, octets: 1 << 20, keep_ms: 60_000 }
    }
}

/// What left for a chunk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What<'a> {
    /// The chunk as it came.
    AsCame,
    /// The no-op of its protocol, made anew from the chunk's length (formats 3).
    Filler,
    /// The chunk with these user octets.
    Octets(&'a [u8]),
    /// A FORWARD TSN over it (RFC 3758).
    ForwardTsn,
}

/// A verdict and what left for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outcome<'a> {
    /// Under which reason the chunk passed or not.
    pub verdict: Reason,
    /// What left.
    pub what: What<'a>,
}

/// What is still known of the first time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stored<'a> {
    /// All of it: send it again.
    Kept(Outcome<'a>),
    /// The verdict, but its rewritten octets had to make room for younger ones.
    Overwritten {
        /// The verdict of the first time.
        verdict: Reason,
    },
}

/// Whether a chunk was here before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seen<'a> {
    /// Not within memory: judge it.
    New,
    /// The same TSN with the same octets: a retransmission.
    Same(Stored<'a>),
    /// The same TSN with other octets: judge it afresh.
    Other,
}

/// Events since the start; they survive [`Retransmissions::clear`].
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Counters {
    /// Outcomes remembered.
    pub remembered: u64,
    /// Chunks that came again with the same octets.
    pub same: u64,
    /// Chunks that came again with other octets.
    pub other: u64,
    /// Retransmissions whose octets were gone.
    pub overwritten: u64,
    /// Outcomes not remembered because a younger TSN holds their place.
    pub too_old: u64,
}

#[derive(Clone, Copy)]
enum Kind {
    AsCame,
    Filler,
    ForwardTsn,
    /// Octets at this position of the log, counted since the last clear.
    Octets {
        at: u64,
        len: u32,
    },
    /// Octets larger than the whole log.
    Lost,
}

#[derive(Clone, Copy)]
struct Entry {
    /// The value of `Retransmissions::epoch` when it was written; anything else is empty.
    epoch: u32,
    tsn: u32,
    print: Fingerprint,
    verdict: Reason,
    kind: Kind,
    at_ms: u64,
}

/// The memory of one association and direction: a ring over TSNs and a circular log of octets.
///
/// The ring is taken in [`Retransmissions::new`]; the log grows by doubling up to its limit. After that nothing
/// allocates, so keep the value and [`clear`](Self::clear) it when another association takes its place.
pub struct Retransmissions {
    ring: Box<[Entry]>,
    epoch: u32,
    log: Log,
    keep_ms: u64,
    counters: Counters,
}

impl Retransmissions {
    /// An empty memory.
    pub fn new(config: Config) -> Self {
        let empty = Entry {
            epoch: 0,
            tsn: 0,
            print: Fingerprint::default(),
            verdict: Reason::IntBug,
            kind: Kind::Lost,
            at_ms: 0,
        };
        let tsns = config.tsns.clamp(1, 1 << 24).next_power_of_two();
        Self {
            ring: vec![empty; tsns].into_boxed_slice(),
            epoch: 1,
            log: Log { octets: Vec::new(), head: 0, limit: config.octets },
            keep_ms: config.keep_ms,
            counters: Counters::default(),
        }
    }

    /// Looks for an earlier chunk with this TSN.
    #[inline]
    pub fn look(&mut self, tsn: u32, print: Fingerprint) -> Seen<'_> {
        let Some(entry) = self.ring.get(self.place(tsn)).filter(|e| e.epoch == self.epoch && e.tsn == tsn) else {
            return Seen::New;
        };
        if entry.print != print {
            self.counters.other += 1;
            return Seen::Other;
        }
        self.counters.same += 1;
        let verdict = entry.verdict;
        let what = match entry.kind {
            Kind::AsCame => Some(What::AsCame),
            Kind::Filler => Some(What::Filler),
            Kind::ForwardTsn => Some(What::ForwardTsn),
            Kind::Octets { at, len } => self.log.get(at, len).map(What::Octets),
            Kind::Lost => None,
        };
        Seen::Same(match what {
            Some(what) => Stored::Kept(Outcome { verdict, what }),
            None => {
                self.counters.overwritten += 1;
                Stored::Overwritten { verdict }
            }
        })
    }

    /// Remembers what became of a chunk. A TSN takes the place of the one that is `tsns` before it in serial order
    /// (RFC 1982) and of itself; an older one takes a younger one's place only after `keep_ms`.
    #[inline]
    pub fn remember(&mut self, tsn: u32, print: Fingerprint, outcome: Outcome<'_>, now_ms: u64) {
        let (epoch, keep_ms) = (self.epoch, self.keep_ms);
        let place = self.place(tsn);
        let Some(entry) = self.ring.get_mut(place) else { return };
        let younger = entry.tsn.wrapping_sub(tsn) as i32 > 0;
        if entry.epoch == epoch && younger && now_ms.saturating_sub(entry.at_ms) <= keep_ms {
            self.counters.too_old += 1;
            return;
        }
        let kind = match outcome.what {
            What::AsCame => Kind::AsCame,
            What::Filler => Kind::Filler,
            What::ForwardTsn => Kind::ForwardTsn,
            What::Octets(octets) => match self.log.put(octets) {
                Some(at) => Kind::Octets { at, len: octets.len() as u32 },
                None => Kind::Lost,
            },
        };
        *entry = Entry { epoch, tsn, print, verdict: outcome.verdict, kind, at_ms: now_ms };
        self.counters.remembered += 1;
    }

    /// Forgets everything: INIT, ABORT or SHUTDOWN ended the association (formats 1.5).
    pub fn clear(&mut self) {
        self.log.head = 0;
        self.epoch = self.epoch.wrapping_add(1);
        if self.epoch == 0 {
            // After 2^32 associations epochs repeat.
            self.ring.iter_mut().for_each(|entry| entry.epoch = 0);
            self.epoch = 1;
        }
    }

    /// Events so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    fn place(&self, tsn: u32) -> usize {
        tsn as usize & (self.ring.len() - 1)
    }
}

/// A circular log. Positions only grow; the octet at position p lies at p modulo the length of the buffer.
struct Log {
    octets: Vec<u8>,
    /// Position of the next octet.
    head: u64,
    limit: usize,
}

impl Log {
    /// Copies `octets` in one piece and says where; `None` where they exceed the whole log.
    fn put(&mut self, octets: &[u8]) -> Option<u64> {
        let len = octets.len();
        if len > self.limit || u32::try_from(len).is_err() {
            return None;
        }
        // It wraps only once it is at its limit: before that, positions and places are the same.
        let need = self.head as usize + len;
        if self.octets.len() < self.limit && self.octets.len() < need {
            let want = need.next_power_of_two().max(4096).min(self.limit);
            self.octets.reserve_exact(want - self.octets.len());
            self.octets.resize(want, 0);
        }
        let size = self.octets.len() as u64;
        if size == 0 {
            return Some(self.head);
        }
        let mut place = self.head % size;
        if place + len as u64 > size {
            self.head += size - place;
            place = 0;
        }
        let at = self.head;
        self.octets.get_mut(place as usize..place as usize + len)?.copy_from_slice(octets);
        self.head += len as u64;
        Some(at)
    }

    /// The octets put at `at`, unless younger ones lie over them.
    fn get(&self, at: u64, len: u32) -> Option<&[u8]> {
        let size = self.octets.len() as u64;
        if len == 0 {
            return Some(&[]);
        }
        if self.head.checked_sub(at)? > size {
            return None;
        }
        let place = (at % size) as usize;
        self.octets.get(place..place + len as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const PASS: Outcome<'_> = Outcome { verdict: Reason::OkVerified, what: What::AsCame };

    fn print(seed: u8) -> Fingerprint {
        Fingerprint::of_test(seed.into())
    }

    fn kept(verdict: Reason, what: What<'_>) -> Seen<'_> {
        Seen::Same(Stored::Kept(Outcome { verdict, what }))
    }

    #[test]
    fn a_retransmission_gets_the_first_outcome_again() {
        let mut memory = Retransmissions::new(Config::default());
        let outcomes = [
            (Reason::OkNotSubject, What::AsCame),
            (Reason::SecReplay, What::Filler),
            (Reason::SctpReasm, What::ForwardTsn),
            (Reason::OkVerified, What::Octets(b"stripped")),
            (Reason::OkVerified, What::Octets(b"")),
        ];
        for (i, &(verdict, what)) in outcomes.iter().enumerate() {
            let tsn = (u32::MAX - 1).wrapping_add(i as u32);
            assert_eq!(memory.look(tsn, print(1)), Seen::New);
            memory.remember(tsn, print(1), Outcome { verdict, what }, 0);
        }
        for (i, &(verdict, what)) in outcomes.iter().enumerate() {
            let tsn = (u32::MAX - 1).wrapping_add(i as u32);
            assert_eq!(memory.look(tsn, print(1)), kept(verdict, what), "right across the wrap");
            assert_eq!(memory.look(tsn, print(2)), Seen::Other);
        }
        memory.clear();
        assert_eq!(memory.look(0, print(1)), Seen::New);
    }

    #[test]
    fn a_full_ring_forgets_the_oldest_and_an_old_tsn_does_not_push_out_a_younger() {
        let mut memory = Retransmissions::new(Config { tsns: 8, octets: 0, keep_ms: 60_000 });
        for tsn in 0..9 {
            memory.remember(tsn, print(0), PASS, 0);
        }
        assert_eq!(memory.look(0, print(0)), Seen::New, "eight before the last");
        assert_eq!(memory.look(1, print(0)), kept(PASS.verdict, PASS.what));
        memory.remember(0, print(0), PASS, 60_000);
        assert_eq!(memory.look(0, print(0)), Seen::New);
        assert!(matches!(memory.look(8, print(0)), Seen::Same(_)));
        memory.remember(0, print(0), PASS, 60_001);
        assert!(matches!(memory.look(0, print(0)), Seen::Same(_)), "after 60 s it does");
        assert_eq!(memory.counters().too_old, 1);
    }

    #[test]
    fn a_full_log_reports_what_it_overwrote() {
        let mut memory = Retransmissions::new(Config { tsns: 16, octets: 100, keep_ms: 60_000 });
        fn out(octets: &[u8]) -> Outcome<'_> {
            Outcome { verdict: Reason::OkVerified, what: What::Octets(octets) }
        }
        for tsn in 0..4_u8 {
            memory.remember(tsn.into(), print(0), out(&[tsn; 40]), 0);
        }
        // 40 + 40, then a gap of 20, then 40 + 40 again over the first two.
        for tsn in 0..2 {
            let verdict = Reason::OkVerified;
            assert_eq!(memory.look(tsn, print(0)), Seen::Same(Stored::Overwritten { verdict }));
        }
        for tsn in 2..4_u8 {
            assert_eq!(memory.look(tsn.into(), print(0)), kept(Reason::OkVerified, What::Octets(&[tsn; 40])));
        }
        memory.remember(9, print(0), out(&[0; 101]), 0);
        assert!(matches!(memory.look(9, print(0)), Seen::Same(Stored::Overwritten { .. })), "larger than the log");
        assert_eq!(memory.counters().overwritten, 3);
    }

    proptest! {
        /// The model keeps everything. Nothing is ever answered that the model does not know, nothing of the last
        /// `tsns` TSNs is forgotten, and octets come back right or not at all.
        #[test]
        fn agrees_with_a_memory_without_bounds(
            start: u32,
            steps in proptest::collection::vec((0..24_u32, 0..3_u8, 0..60_usize), 0..200),
        ) {
            let mut memory = Retransmissions::new(Config { tsns: 16, octets: 256, keep_ms: u64::MAX });
            let mut model: BTreeMap<u32, (u8, Vec<u8>)> = BTreeMap::new();
            let mut top: u32 = 0;
            for (i, (ahead, seed, len)) in steps.into_iter().enumerate() {
                let offset = (top + ahead).saturating_sub(20);
                let tsn = start.wrapping_add(offset);
                let near = offset + 16 > top;
                match (memory.look(tsn, print(seed)), model.get(&offset)) {
                    (Seen::New, None) => {}
                    (Seen::New, Some(_)) => prop_assert!(!near, "forgot {offset} below {top}"),
                    (Seen::Same(stored), Some((model_seed, octets))) => {
                        prop_assert_eq!(seed, *model_seed);
                        if let Stored::Kept(outcome) = stored {
                            prop_assert_eq!(outcome.what, What::Octets(octets));
                        }
                    }
                    (Seen::Other, Some((model_seed, _))) => prop_assert_ne!(seed, *model_seed),
                    (seen, None) => prop_assert!(false, "invented {seen:?}"),
                }
                let octets = vec![i as u8; len];
                memory.remember(tsn, print(seed), Outcome { verdict: Reason::OkVerified, what: What::Octets(&octets) }, 0);
                if near || offset >= top {
                    top = top.max(offset);
                    model.insert(offset, (seed, octets.clone()));
                    let want = What::Octets(&octets);
                    prop_assert_eq!(memory.look(tsn, print(seed)), kept(Reason::OkVerified, want));
                } else if let Some(old) = model.get_mut(&offset) {
                    // Below the ring it may or may not have been taken; the model follows the memory.
                    if matches!(memory.look(tsn, print(seed)), Seen::Same(_)) {
                        *old = (seed, octets);
                    }
                } else if memory.look(tsn, print(seed)) != Seen::New {
                    model.insert(offset, (seed, octets));
                }
            }
        }
    }
}
