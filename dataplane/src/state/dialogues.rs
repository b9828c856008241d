//! Open TCAP transactions of ours, by which an answer from outside is known as one (formats 4.6), and open Diameter requests.
//! Shared by all workers, since an answer may come over another association than its question; lock-free.
//!
//! An entry is one word: 20 bits of fingerprint, whether the other side's id is known, who began it, ten bits of what the dialogue
//! is about, the peer, and the time in seconds. Each peer has a number of them that it began, and a number that we began with it, and a limit for either: by the peer and
//! not by the link, as a dialogue has one peer and may use several links. What comes and goes is counted where its word is swapped,
//! so the counts are those of the words at any time.

use super::count::Count;
use super::counterparts::Counterparts;
use super::keyed::Key;
use super::sync::{AtomicU32, Ordering};
use super::words::{Tally, Terms, Words};

pub use super::words::Counters;

/// Limits of [`Dialogues`].
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// How many transactions there is room for, rounded up to a power of two of buckets of eight. Plan twice as many as
    /// are open at once.
    pub entries: usize,
    /// How many peers are counted, from 0 on. Those beyond have no limit.
    pub peers: usize,
}

impl Default for Config {
    /// 262144 transactions in 2 MiB, as much again for the ids of the other side, and every peer that there can be in half a MiB.
    fn default() -> Self {
        Self { entries: 1 << 18, peers: 1 << 16 }
    }
}

/// Who began a dialogue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Begun {
    /// Our own network.
    ByUs,
    /// The peer, or who spoke in its name.
    ByThem,
}

/// A transaction that is opened, or goes on.
#[derive(Clone, Copy, Debug)]
pub struct Opening {
    /// With whom.
    pub peer: u16,
    /// What it is about, ten bits; `None`: what was known of it before.
    pub about: Option<u16>,
    /// Who began it; `None`: who did as far as is known, and otherwise they did.
    pub begun: Option<Begun>,
    /// How many that one may have begun with this peer.
    pub most: u32,
    /// How long it stays open without another message of ours, seconds: 1 to 28800.
    pub timeout_s: u32,
}

impl Opening {
    /// One that we begin with a peer, as nothing limits it, for five minutes, of which nothing more is known.
    pub const fn ours(peer: u16) -> Self {
        Self { peer, about: Some(0), begun: Some(Begun::ByUs), most: u32::MAX, timeout_s: 300 }
    }
}

/// The longest that a transaction stays open, seconds.
const LONGEST_S: u16 = 28_800;
const SECOND_MS: u64 = 1000;
/// The bits of what a transaction is about.
const ABOUT: u16 = 0x3ff;
/// The bit of those that the other side began.
const THEIRS: u64 = 1 << 26;
/// The bit of those whose other side's id was noted. It has one for the whole dialogue (Q.774): who sends more of them, to
/// crowd out those of others, has one noted.
const JOINED: u64 = 1 << 27;

/// How many each peer has, of ours and of its own.
struct Open(Box<[[AtomicU32; 2]]>);

impl Open {
    fn of(&self, owner: u64) -> Option<&AtomicU32> {
        self.0.get(owner as usize >> 1)?.get(owner as usize & 1)
    }
}

impl Tally for Open {
    fn owner(&self, value: u64) -> u64 {
        (value & 0xffff) << 1 | u64::from(value & THEIRS != 0)
    }

    fn take(&self, owner: u64, most: u32) -> bool {
        let more = |open: u32| if open < most { Some(open.saturating_add(1)) } else { None };
        self.of(owner).is_none_or(|open| open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok())
    }

    fn give(&self, owner: u64) {
        if let Some(open) = self.of(owner) {
            open.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// The open transactions of all associations. Share it behind an `Arc`; all memory is taken in [`Dialogues::new`].
///
/// With 2^n buckets a key counts as 20 + n bits, 35 with the default: an answer to nothing finds one of N entries by chance once
/// in 2^35 / N, and a transaction id of four octets is guessed once in 2^32 / N.
pub struct Dialogues {
    words: Words<28, Open>,
    counterparts: Counterparts,
    refused: Count,
    key: Key,
}

impl Dialogues {
    /// No open transactions. `key` is what keeps others from aiming at a bucket.
    pub fn new(config: Config, key: Key) -> Self {
        let none = || [AtomicU32::new(0), AtomicU32::new(0)];
        let open = Open((0..config.peers).map(|_| none()).collect());
        let longest_ms = u64::from(LONGEST_S) * SECOND_MS;
        Self {
            words: Words::tallied(config.entries, longest_ms, SECOND_MS, open),
            counterparts: Counterparts::new(config.entries / 2),
            refused: Count::default(),
            key,
        }
    }

    /// The key of a transaction: our transaction id as its octets travel, and our global title in canonical form.
    pub fn key(&self, transaction: &[u8], title: &[u8]) -> u64 {
        self.key.hash(&[transaction, title])
    }

    /// The key of what the other side knows a transaction by: its own id, and the titles in canonical form.
    pub fn counterpart(&self, transaction: &[u8], theirs: &[u8], ours: &[u8]) -> u64 {
        self.key.hash(&[transaction, theirs, ours])
    }

    /// Opens a transaction, or renews its time. In a full bucket the oldest goes of who has the most there.
    ///
    /// False, and nothing is changed, if who began it has as many open with this peer as he may; what is open already goes on.
    pub fn open(&self, key: u64, opening: Opening, now_ms: u64) -> bool {
        let about = opening.about.map(|about| u64::from(about & ABOUT) << 16);
        let theirs = opening.begun.map(|begun| if begun == Begun::ByThem { THEIRS } else { 0 });
        let value = |have: Option<u64>| {
            let about = about.unwrap_or(have.map_or(0, |have| have & u64::from(ABOUT) << 16));
            let theirs = theirs.unwrap_or(have.map_or(THEIRS, |have| have & THEIRS));
            // What says who began it is the first message of a dialogue.
            let joined = if opening.begun.is_none() { have.map_or(0, |have| have & JOINED) } else { 0 };
            u64::from(opening.peer) | about | theirs | joined
        };
        let terms = Terms { ticks: u16::try_from(opening.timeout_s).unwrap_or(LONGEST_S), most: opening.most };
        self.words.put_on(key, now_ms, terms, value, |value| self.words.tally().owner(value))
    }

    /// How many are open with a peer that one side began. Those of which no message comes count until a sweep finds them.
    pub fn count(&self, peer: u16, begun: Begun) -> u32 {
        let owner = u64::from(peer) << 1 | u64::from(begun == Begun::ByThem);
        self.words.tally().of(owner).map_or(0, |open| open.load(Ordering::Relaxed))
    }

    /// The peer with whom this transaction is open.
    pub fn lookup(&self, key: u64, now_ms: u64) -> Option<u16> {
        self.words.get(key, now_ms).map(|(value, _)| value as u16)
    }

    /// What an open transaction is about; 0 if that is not known.
    pub fn about(&self, key: u64, now_ms: u64) -> Option<u16> {
        self.words.get(key, now_ms).map(|(value, _)| (value >> 16) as u16 & ABOUT)
    }

    /// Notes by what the other side knows an open transaction of ours, see [`Dialogues::counterpart`]; nothing where that is known.
    pub fn joined(&self, key: u64, counterpart: u64, now_ms: u64) {
        if !self.words.mark(key, now_ms, JOINED) {
            return;
        }
        let is_open = |place| self.words.get(self.words.key_of(place), now_ms).is_some();
        self.counterparts.note(counterpart, self.words.locator(key), is_open);
    }

    /// Ends a transaction; false if it was not open.
    pub fn close(&self, key: u64) -> bool {
        self.words.change(key, 0, |_| None)
    }

    /// Ends the one that the other side knows by this; false if none was noted, or it was not open.
    pub fn close_counterpart(&self, counterpart: u64) -> bool {
        self.counterparts.take(counterpart).is_some_and(|place| self.close(self.words.key_of(place)))
    }

    /// Clears what has expired out of the next `buckets` buckets, and says how many entries that were.
    ///
    /// Any worker may call it, once a turn; all buckets should be visited within an hour.
    pub fn sweep(&self, buckets: u32, now_ms: u64) -> usize {
        self.words.sweep(buckets, now_ms)
    }

    /// Counts a message that its peer's limit speaks against.
    pub(crate) fn refuse(&self) {
        self.refused.add();
    }

    /// How many of those there were.
    pub fn refused(&self) -> u64 {
        self.refused.get()
    }

    /// Events so far.
    pub fn counters(&self) -> Counters {
        self.words.counters()
    }
}

#[cfg(test)]
impl Dialogues {
    /// How many of each owner are in the table, counted anew.
    fn recount(&self, peers: u16) -> Vec<[u32; 2]> {
        let mut counts = vec![[0; 2]; usize::from(peers)];
        for value in self.words.values() {
            counts[usize::from(value as u16)][usize::from(value & THEIRS != 0)] += 1;
        }
        counts
    }

    /// The same as it was counted while they came and went.
    fn counts(&self, peers: u16) -> Vec<[u32; 2]> {
        (0..peers).map(|peer| [self.count(peer, Begun::ByUs), self.count(peer, Begun::ByThem)]).collect()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn table(entries: usize) -> Dialogues {
        Dialogues::new(Config { entries, peers: 32 }, Key::new(7, 8))
    }

    /// A transaction that lasts a minute.
    fn minute(peer: u16) -> Opening {
        Opening { timeout_s: 60, ..Opening::ours(peer) }
    }

    fn open(table: &Dialogues, key: u64, peer: u16, now_ms: u64) {
        assert!(table.open(key, minute(peer), now_ms));
    }

    #[test]
    fn a_transaction_is_open_until_closed_or_late() {
        let table = table(1 << 10);
        // Around a wrap of the 16 bits of seconds.
        let start = (65_536 * 5 - 30) * 1000;
        let key = table.key(&[1, 2, 3, 4], b"\x01\x0436302");
        assert_eq!(table.lookup(key, start), None);
        open(&table, key, 7, start);
        for (now, want) in
            [(start - 1000, Some(7)), (start, Some(7)), (start + 60_999, Some(7)), (start + 61_000, None)]
        {
            assert_eq!(table.lookup(key, now), want);
        }
        assert_eq!(table.lookup(table.key(&[1, 2, 3], b"\x04\x01\x0436302"), start), None);
        open(&table, key, 8, start + 60_000);
        assert_eq!(table.lookup(key, start + 100_000), Some(8), "renewed");
        assert!(table.close(key) && !table.close(key));
        assert_eq!(table.lookup(key, start + 60_000), None);
        assert_eq!(table.counters(), Counters { opened: 1, ..Counters::default() });
    }

    #[test]
    fn what_a_transaction_is_about_lasts_until_it_is_said_anew() {
        let table = table(1 << 10);
        let key = table.key(&[1, 2, 3, 4], b"1");
        table.open(key, Opening { about: Some(0x3ff), ..minute(0xffff) }, 0);
        assert_eq!((table.lookup(key, 0), table.about(key, 0)), (Some(0xffff), Some(0x3ff)));
        table.open(key, Opening { about: None, ..minute(7) }, 1000);
        assert_eq!((table.lookup(key, 1000), table.about(key, 1000)), (Some(7), Some(0x3ff)));
        table.open(key, Opening { about: Some(5), ..minute(7) }, 2000);
        assert_eq!(table.about(key, 2000), Some(5));
        table.open(key, Opening { about: None, ..minute(7) }, 90_000);
        assert_eq!(table.about(key, 90_000), Some(0), "it had ended by then");
        open(&table, key, 9, 90_000);
        assert_eq!((table.lookup(key, 90_000), table.about(key, 90_000)), (Some(9), Some(0)));
        assert_eq!(table.about(table.key(&[1], b"1"), 90_000), None);
    }

    #[test]
    fn a_full_bucket_evicts_its_oldest_and_counts_it() {
        let table = table(8);
        let key = |n: u64| (n + 1) << 44;
        for n in 0..9 {
            open(&table, key(n), n as u16, n * 1000);
        }
        assert_eq!(table.lookup(key(0), 9_000), None);
        for n in 1..9 {
            assert_eq!(table.lookup(key(n), 9_000), Some(n as u16));
        }
        open(&table, key(20), 20, 65_000);
        assert_eq!(table.counters(), Counters { opened: 10, evicted: 1, expired: 1 });
        assert_eq!((table.sweep(1, 67_000), table.sweep(1, 67_000)), (5, 0), "those of 1 to 6 s but the replaced");
        assert_eq!(table.counters().expired, 6);
    }

    #[test]
    fn a_sweep_comes_round() {
        let table = table(1 << 10);
        for n in 0..500_u32 {
            open(&table, table.key(&n.to_be_bytes(), b""), 1, 0);
        }
        let evicted = table.counters().evicted as usize;
        let swept: usize = (0..16).map(|_| table.sweep(8, 62_000)).sum();
        assert_eq!(swept + evicted, 500);
    }

    #[test]
    fn each_side_has_a_limit_of_its_own_with_each_peer() {
        let table = table(1 << 10);
        let key = |n: u8| table.key(&[n], b"1");
        let two = Opening { most: 2, ..Opening::ours(5) };
        let theirs = Opening { begun: Some(Begun::ByThem), ..two };
        assert_eq!([1, 2, 3].map(|n| table.open(key(n), two, 0)), [true, true, false]);
        assert_eq!(table.lookup(key(3), 0), None);
        assert_eq!([4, 5, 6].map(|n| table.open(key(n), theirs, 0)), [true, true, false]);
        assert!(table.open(key(7), Opening { peer: 6, ..two }, 0), "another peer");
        assert_eq!(table.counts(8)[5..], [[2, 2], [1, 0], [0, 0]]);
        assert!(table.open(key(1), two, 1000), "what is open goes on");
        assert!(table.open(key(4), Opening { begun: None, ..two }, 1000), "and stays whose it was");
        assert_eq!(table.counts(8)[5], [2, 2]);
        assert!(table.close(key(1)) && table.open(key(3), two, 1000));
        assert!(!table.open(key(8), Opening { begun: None, ..two }, 1000), "who began it is not known, so they did");
        assert!(!table.open(key(7), two, 1000), "one that goes over to a peer that has all it may");
        assert_eq!((table.lookup(key(7), 1000), table.counts(8)[5..7].to_vec()), (Some(6), vec![[2, 2], [1, 0]]));
        assert!(table.open(key(7), Opening { peer: 7, ..two }, 1000));
        assert_eq!(table.counts(8)[6..], [[0, 0], [1, 0]]);
    }

    #[test]
    fn a_time_is_of_the_transaction() {
        let table = table(1 << 10);
        let keys: Vec<_> =
            [1, 60, 28_800].into_iter().map(|timeout_s| (table.key(&[1], &[timeout_s as u8]), timeout_s)).collect();
        for (key, timeout_s) in &keys {
            assert!(table.open(*key, Opening { timeout_s: *timeout_s, ..Opening::ours(1) }, 0));
        }
        for (key, timeout_s) in keys {
            let end = u64::from(timeout_s) * 1000;
            assert_eq!((table.lookup(key, end + 999), table.lookup(key, end + 1000)), (Some(1), None), "{timeout_s}");
        }
        assert_eq!((table.count(1, Begun::ByUs), table.sweep(128, 61_000), table.count(1, Begun::ByUs)), (3, 2, 1));
    }

    #[test]
    fn who_has_all_he_may_takes_the_place_of_his_own_that_has_expired() {
        let table = table(8);
        let key = |n: u64| (n + 1) << 44;
        let all = Opening { most: 8, ..minute(1) };
        for n in 0..8 {
            assert!(table.open(key(n), all, n * 1000));
        }
        assert!(!table.open(key(8), all, 60_000));
        assert!(table.open(key(8), all, 61_000) && !table.open(key(9), all, 61_000));
        assert_eq!((table.lookup(key(8), 61_000), table.count(1, Begun::ByUs)), (Some(1), 8));
    }

    #[test]
    fn in_a_full_bucket_who_has_the_most_loses_one() {
        let table = table(8);
        let key = |n: u64| (n + 1) << 44;
        open(&table, key(0), 2, 0);
        for n in 1..8 {
            assert!(table.open(key(n), Opening { begun: Some(Begun::ByThem), ..minute(1) }, n * 1000));
        }
        for n in 8..1000 {
            assert!(table.open(key(n), Opening { begun: Some(Begun::ByThem), ..minute(1) }, 9_000));
        }
        assert_eq!((table.lookup(key(0), 9_000), table.counts(3)), (Some(2), vec![[0, 0], [0, 7], [1, 0]]));
        assert_eq!(table.counters().evicted, 992);
    }

    #[test]
    fn our_end_closes_what_the_other_side_knows() {
        let table = table(1 << 10);
        let key = |n: u8| table.key(&[n], b"1");
        let theirs = |n: u8| table.counterpart(&[n], b"2", b"1");
        for n in 0..3 {
            open(&table, key(n), 4, 0);
            table.joined(key(n), theirs(n), 0);
        }
        assert!(!table.close_counterpart(theirs(9)) && !table.close_counterpart(table.counterpart(&[1], b"3", b"1")));
        assert!(table.close_counterpart(theirs(1)) && !table.close_counterpart(theirs(1)));
        assert_eq!([0, 1, 2].map(|n| table.lookup(key(n), 0)), [Some(4), None, Some(4)]);
        assert!(table.close(key(2)) && !table.close_counterpart(theirs(2)));
        assert_eq!(table.count(4, Begun::ByUs), 1);
        // Another id for the same dialogue is nobody's, and its time stays what it was.
        table.joined(key(0), theirs(8), 59_000);
        assert!(!table.close_counterpart(theirs(8)));
        assert_eq!((table.lookup(key(0), 60_000), table.lookup(key(0), 61_000)), (Some(4), None));
        // The same id of the other side's, in a later dialogue.
        open(&table, key(7), 4, 0);
        table.joined(key(7), theirs(0), 0);
        assert!(table.close_counterpart(theirs(0)));
        assert_eq!((table.lookup(key(0), 0), table.lookup(key(7), 0)), (Some(4), None));
    }

    /// What comes next out of a stream of numbers (Steele, Lea, Flood 2014: SplitMix64).
    fn next(state: &mut u64) -> u64 {
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = *state;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    #[test]
    fn counts_are_exact_whatever_comes_and_goes() {
        // Each size: the smaller, the more goes for want of room. The last has room for all.
        let mut went = [0; 3];
        for (seed, entries, keys) in [(1, 8, 64), (2, 64, 512), (3, 1 << 10, 4096), (4, 1 << 16, 2048)] {
            let table = table(entries);
            let (mut state, mut now_ms, mut refused) = (seed, 1_000_000_000_u64, 0);
            // Each key's owner and when it ends, as a plain map has it, where nothing goes for want of room.
            let mut plain = std::collections::HashMap::new();
            for turn in 0..100_000_u32 {
                let dice = next(&mut state);
                now_ms += dice >> 60;
                let number = dice % keys;
                let key = table.key(&number.to_be_bytes(), b"1");
                let peer = (dice >> 16) as u16 % 8;
                let begun = match dice >> 24 & 3 {
                    0 => Some(Begun::ByUs),
                    1 => Some(Begun::ByThem),
                    _ => None,
                };
                match dice >> 32 & 7 {
                    0..4 => {
                        let timeout_s = 1 + (dice >> 40) as u32 % 60;
                        let most =
                            if entries == 1 << 16 { u32::MAX } else { 1 + entries as u32 / 64 * (1 + u32::from(peer)) };
                        let opened = table.open(key, Opening { peer, about: None, begun, most, timeout_s }, now_ms);
                        refused += u64::from(!opened);
                        assert!(table.count(peer, Begun::ByUs) <= most && table.count(peer, Begun::ByThem) <= most);
                        let second = now_ms / 1000;
                        let known = plain.get(&number).filter(|(_, _, end)| second <= *end).map(|(_, side, _)| *side);
                        let side = begun.or(known).unwrap_or(Begun::ByThem);
                        plain.insert(number, (peer, side, second + u64::from(timeout_s)));
                    }
                    4 | 5 => {
                        table.close(key);
                        plain.remove(&number);
                    }
                    6 => {
                        table.sweep(2, now_ms);
                    }
                    _ => {
                        table.joined(key, number, now_ms);
                        if dice & 1 << 60 == 0 && table.close_counterpart(number) {
                            plain.remove(&number);
                        }
                    }
                }
                if turn % 64 == 0 {
                    assert_eq!(table.counts(8), table.recount(8), "turn {turn} of {entries}");
                }
            }
            let counters = table.counters();
            if entries < 1 << 16 {
                went = [went[0] + refused, went[1] + counters.evicted, went[2] + counters.expired];
                continue;
            }
            assert_eq!((refused, counters.evicted), (0, 0));
            table.sweep(1 << 13, now_ms);
            let mut want = vec![[0; 2]; 8];
            plain.retain(|_, (.., end)| now_ms / 1000 <= *end);
            plain
                .values()
                .for_each(|(peer, side, _)| want[usize::from(*peer)][usize::from(*side == Begun::ByThem)] += 1);
            assert!(want.iter().flatten().all(|count| *count > 0), "{want:?}");
            assert_eq!(table.counts(8), want);
        }
        assert!(went.iter().all(|count| *count > 1000), "refused, evicted, expired: {went:?}");
    }
}

#[cfg(all(test, loom))]
mod models {
    use super::*;
    use loom::{sync::Arc, thread};

    #[test]
    fn a_close_never_takes_what_was_opened_in_the_same_slot() {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(3);
        model.check(|| {
            let config = Config { entries: 8, peers: 10 };
            let table = Arc::new(Dialogues::new(config, Key::new(7, 8)));
            let key = |n: u64| n << 44;
            // A full bucket whose oldest entry is about to be closed, and evicted by another worker.
            for n in 1..=8 {
                assert!(table.open(key(n), Opening::ours(n as u16), n * 1000));
            }
            let shared = Arc::clone(&table);
            let thread = thread::spawn(move || shared.close(key(1)));
            assert!(table.open(key(9), Opening::ours(9), 9_000));
            assert_eq!(table.lookup(key(9), 9_000), Some(9));
            let closed = thread.join().unwrap();
            assert_eq!(closed, table.counters().evicted == 0, "either closed or evicted");
            assert_eq!(table.lookup(key(1), 9_000), None);
            for n in 2..=9 {
                assert_eq!(table.lookup(key(n), 9_000), Some(n as u16));
            }
            assert_eq!(table.counts(10), table.recount(10));
        });
    }

    #[test]
    fn of_two_for_one_place_one_gets_it_and_the_count_is_right_after_a_close() {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(3);
        model.check(|| {
            let table = Arc::new(Dialogues::new(Config { entries: 8, peers: 10 }, Key::new(7, 8)));
            let key = |n: u64| n << 44;
            let one = Opening { most: 2, ..Opening::ours(1) };
            assert!(table.open(key(1), one, 0));
            let shared = Arc::clone(&table);
            let thread = thread::spawn(move || shared.open(key(2), one, 0));
            let mine = table.open(key(3), one, 0);
            let closed = table.close(key(3));
            let other = thread.join().unwrap();
            assert!(mine || other, "there is room for one");
            assert_eq!(mine, closed);
            assert_eq!(table.count(1, Begun::ByUs), 1 + u32::from(other));
            assert_eq!(table.counts(10), table.recount(10));
        });
    }

    #[test]
    fn a_sweep_and_who_takes_the_place_of_what_expired_count_it_once() {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(3);
        model.check(|| {
            let table = Arc::new(Dialogues::new(Config { entries: 8, peers: 10 }, Key::new(7, 8)));
            let key = |n: u64| n << 44;
            for n in 1..=8 {
                assert!(table.open(
                    key(n),
                    Opening { timeout_s: 1 + u32::from(n > 1) * 60, ..Opening::ours(n as u16) },
                    0
                ));
            }
            let shared = Arc::clone(&table);
            let thread = thread::spawn(move || shared.sweep(1, 10_000));
            assert!(table.open(key(9), Opening { begun: Some(Begun::ByThem), ..Opening::ours(1) }, 10_000));
            thread.join().unwrap();
            assert_eq!((table.count(1, Begun::ByUs), table.count(1, Begun::ByThem)), (0, 1));
            assert_eq!(table.counts(10), table.recount(10));
        });
    }

    #[test]
    fn two_openings_of_one_transaction_end_with_one_close() {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(2);
        model.check(|| {
            let config = Config { entries: 8, peers: 10 };
            let table = Arc::new(Dialogues::new(config, Key::new(7, 8)));
            let shared = Arc::clone(&table);
            let thread = thread::spawn(move || shared.open(1 << 44, Opening::ours(1), 0));
            table.open(1 << 44, Opening::ours(1), 0);
            thread.join().unwrap();
            assert_eq!(table.lookup(1 << 44, 0), Some(1));
            assert_eq!(table.counts(10), table.recount(10));
            assert!(table.close(1 << 44));
            assert_eq!(table.lookup(1 << 44, 0), None);
            assert_eq!(table.count(1, Begun::ByUs), 0);
        });
    }
}
