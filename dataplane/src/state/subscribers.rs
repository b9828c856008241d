//! Where each subscriber was last seen (formats 13.4): by which operator, and at which place. Shared by all workers, lock-free.
//!
//! An entry is one word: 24 bits of a keyed hash of the IMSI, 13 of the peer, 11 of the place, and the time. What
//! was learned of the circuit and packet domains (MAP) and of S6a is kept apart, in entries of their own, since a subscriber is
//! registered in each for itself and detectors compare them. All entries of a subscriber lie in one cache line.
//!
//! A location update is remembered in two steps. The request says where the subscriber would be; only the answer of our own
//! register makes it so, or drops it: else an update that the register refuses would move a subscriber here and nowhere else,
//! and lock him out of the network that he really is in. Where no answer is seen within [`UNANSWERED_MS`], since it went
//! through another gateway, the request counts: a memory that learned nothing would protect nobody.
//!
//! In a full bucket the operator loses its oldest entry that has the most there: who makes up subscribers pushes out his own.

mod carry;

use sealgate_wire::addr::Digits;

use super::keyed::Key;
use super::words::{LONGEST, Words};

pub use super::words::Counters;
pub use carry::{Entries, Renamed};

/// Limits of [`Subscribers`].
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Subscribers there is room for.
    pub subscribers: usize,
    /// How long one is remembered of whom nothing is seen, milliseconds.
    pub idle_ms: u64,
}

/// Words that there are for each subscriber: two or three domains, and what is on its way; and room, or buckets overflow.
const WORDS: usize = 4;
const PLACE_BITS: u32 = 11;
const PEER_BITS: u32 = 13;
/// The most places, and the most peers, that an entry can tell apart; place 0 is not known.
pub const PLACES: usize = 1 << PLACE_BITS;
/// See [`PLACES`].
pub const PEERS: usize = 1 << PEER_BITS;
/// After so long a location update counts whose answer nobody saw, milliseconds: longer than a register takes (TS 29.002
/// §17.1.2: timers m, 15 to 30 s).
pub const UNANSWERED_MS: u64 = 30_000;

/// Where a subscriber registers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Domain {
    /// At a VLR, in MAP.
    Circuit,
    /// At an SGSN, in MAP.
    Packet,
    /// At an MME or SGSN, in S6a or S6d.
    Lte,
}

impl Domain {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Circuit, Self::Packet, Self::Lte];
}

/// Where a subscriber is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Location {
    /// At which operator.
    pub peer: u16,
    /// In which place, 0 if that is not known.
    pub place: u16,
}

impl Location {
    /// As a value of an entry; `None` if it has no room for such a peer.
    fn pack(self) -> Option<u64> {
        let place = if usize::from(self.place) < PLACES { self.place } else { 0 };
        (usize::from(self.peer) < PEERS).then(|| u64::from(self.peer) << PLACE_BITS | u64::from(place))
    }

    fn unpack(value: u64) -> Self {
        Self { peer: owner(value) as u16, place: value as u16 & (PLACES as u16 - 1) }
    }
}

/// Whose an entry is.
fn owner(value: u64) -> u64 {
    value >> PLACE_BITS & ((1 << PEER_BITS) - 1)
}

/// What is known of a subscriber in one domain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seen {
    /// Where.
    pub location: Location,
    /// That was at least so long ago, milliseconds: time is kept in ticks.
    pub least_ms: u64,
    /// And less than so long ago.
    pub most_ms: u64,
    age: u16,
}

/// What is known of a subscriber, by domain in the order of [`Domain::ALL`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Known {
    /// Where it was last seen.
    pub last: [Option<Seen>; Domain::ALL.len()],
    /// Where it may be by now: a location update has passed, and no answer of the register was seen yet.
    pub coming: [Option<Location>; Domain::ALL.len()],
}

/// A location update on its way to our register.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Update {
    /// Key of the subscriber.
    pub key: u64,
    /// Which registration it changes.
    pub domain: Domain,
    /// Where the subscriber would be.
    pub location: Location,
}

/// The memory. Share it behind an `Arc`; all memory is taken in [`Subscribers::new`].
///
/// With 2^n buckets an entry counts as 24 + n bits: one of a full table of 50 million subscribers is taken for another
/// subscriber's once in a million look-ups, of those who have none.
pub struct Subscribers {
    words: Words<{ PEER_BITS + PLACE_BITS }>,
    key: Key,
    tick_ms: u64,
}

impl Subscribers {
    /// Nobody seen yet. `key` is what keeps others from aiming at a subscriber's entry.
    pub fn new(config: Config, key: Key) -> Self {
        let tick_ms = config.idle_ms.div_ceil(LONGEST).max(1);
        let entries = config.subscribers.saturating_mul(WORDS);
        Self { words: Words::new(entries, config.idle_ms, tick_ms), key, tick_ms }
    }

    /// The key of a subscriber.
    pub fn key(&self, imsi: &Digits) -> u64 {
        self.key.number(0, imsi)
    }

    /// What is known of a subscriber.
    pub fn known(&self, key: u64, now_ms: u64) -> Known {
        let mut keys = [0; 2 * Domain::ALL.len()];
        for (i, at) in keys.iter_mut().enumerate() {
            *at = key ^ (i as u64) << 61; // see `entry`
        }
        let [a, x, b, y, c, z] = self.words.get_all(keys, now_ms);
        let seen = |found: Option<(u64, u16)>| found.map(|(value, age)| self.as_seen(value, age));
        let (settled, coming) = ([seen(a), seen(b), seen(c)], [seen(x), seen(y), seen(z)]);
        let mut last = settled;
        for (last, coming) in last.iter_mut().zip(coming) {
            // One that counts by now, and is younger.
            let counts = coming.filter(|coming| coming.least_ms >= UNANSWERED_MS);
            if counts.is_some_and(|coming| last.is_none_or(|last| coming.age < last.age)) {
                *last = counts;
            }
        }
        Known { last, coming: coming.map(|seen| seen.map(|seen| seen.location)) }
    }

    /// Where a subscriber was last seen in a domain.
    pub fn last(&self, key: u64, domain: Domain, now_ms: u64) -> Option<Seen> {
        self.known(key, now_ms).last[domain as usize]
    }

    /// A location update passes on to the register.
    pub fn arrives(&self, update: &Update, now_ms: u64) {
        let Update { key, domain, location } = *update;
        let Some(value) = location.pack() else { return };
        // One before it that counts by now takes its own place first.
        if let Some(before) = self.unanswered(key, domain, now_ms) {
            self.settle(key, domain, before.location, now_ms);
            self.words.date_back(entry(key, domain, false), now_ms, before.age);
        }
        self.words.put(entry(key, domain, true), now_ms, |_| value, owner);
    }

    /// The register has accepted it: the subscriber is there.
    pub fn accepted(&self, update: &Update, now_ms: u64) {
        self.settle(update.key, update.domain, update.location, now_ms);
        self.forget_coming(update, now_ms);
    }

    /// The register has refused it: the subscriber is where it was.
    pub fn refused(&self, update: &Update, now_ms: u64) {
        self.forget_coming(update, now_ms);
    }

    /// The subscriber has just done something at an operator where it is registered.
    ///
    /// * `domain`: in this one, or in any
    pub fn acts(&self, key: u64, domain: Option<Domain>, peer: u16, now_ms: u64) {
        let [a, b, c] = Domain::ALL;
        let keys = [entry(key, a, false), entry(key, b, false), entry(key, c, false)];
        let all = self.words.get_all(keys, now_ms);
        for (of, found) in Domain::ALL.into_iter().zip(all) {
            let Some((value, age)) = found.filter(|_| domain.is_none_or(|domain| domain == of)) else { continue };
            let location = Location::unpack(value);
            // Within a tick there is nothing to write, and a line that nobody writes stays in every worker's cache.
            if location.peer == peer && age > 0 {
                self.settle(key, of, location, now_ms);
            }
        }
    }

    /// Clears what has expired out of the next `buckets` buckets, and says how many entries that were.
    ///
    /// Any worker may call it, once a turn; all buckets should be visited within 25000 ticks of a 36000th of `idle_ms`.
    pub fn sweep(&self, buckets: u32, now_ms: u64) -> usize {
        self.words.sweep(buckets, now_ms)
    }

    /// Events so far.
    pub fn counters(&self) -> Counters {
        self.words.counters()
    }

    /// Octets of memory.
    pub fn memory(&self) -> usize {
        self.words.memory()
    }

    fn settle(&self, key: u64, domain: Domain, location: Location, now_ms: u64) {
        let Some(value) = location.pack() else { return };
        self.words.put(entry(key, domain, false), now_ms, |_| value, owner);
    }

    /// Another update may have taken its place since.
    fn forget_coming(&self, update: &Update, now_ms: u64) {
        let at = entry(update.key, update.domain, true);
        if self.seen(at, now_ms).is_some_and(|seen| seen.location == update.location) {
            self.words.change(at, now_ms, |_| None);
        }
    }

    fn unanswered(&self, key: u64, domain: Domain, now_ms: u64) -> Option<Seen> {
        self.seen(entry(key, domain, true), now_ms).filter(|seen| seen.least_ms >= UNANSWERED_MS)
    }

    fn seen(&self, at: u64, now_ms: u64) -> Option<Seen> {
        self.words.get(at, now_ms).map(|(value, age)| self.as_seen(value, age))
    }

    fn as_seen(&self, value: u64, age: u16) -> Seen {
        let ticks = u64::from(age);
        let (least_ms, most_ms) = (ticks.saturating_sub(1) * self.tick_ms, (ticks + 1) * self.tick_ms);
        Seen { location: Location::unpack(value), least_ms, most_ms, age }
    }
}

/// The key of one entry of a subscriber: they differ in the bits that are kept, and have the same bucket.
fn entry(key: u64, domain: Domain, coming: bool) -> u64 {
    key ^ (u64::from(domain as u8) << 1 | u64::from(coming)) << 61
}

#[cfg(all(test, loom))]
mod models;
#[cfg(all(test, not(loom)))]
mod tests;
