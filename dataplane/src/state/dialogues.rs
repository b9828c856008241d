//! Open TCAP transactions of ours, by which an answer from outside is known as one (formats 4.6). Shared by all workers,
//! since an answer may come over another association than its question; lock-free.
//!
//! An entry is one word: 32 bits of fingerprint, the peer, and the time in seconds modulo 2^16. A bucket is a cache line
//! of eight. Nothing here is a proof of identity, so a race may at worst lose an entry, or keep one until it expires.

use super::count::Count;
use super::keyed::Key;
use super::sync::{AtomicU32, AtomicU64, Ordering};

/// Limits of [`Dialogues`].
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// How many transactions there is room for, rounded up to a power of two of buckets of eight. Plan twice as many as
    /// are open at once.
    pub entries: usize,
    /// How long a transaction stays open without another message, milliseconds. At most eight hours.
    pub timeout_ms: u64,
}

impl Default for Config {
    /// 262144 transactions in 2 MiB; 10 minutes.
    fn default() -> Self {
        Self { entries: 1 << 18, timeout_ms: 600_000 }
    }
}

/// Events since the start.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Counters {
    /// Transactions opened.
    pub opened: u64,
    /// Transactions that had to go within their time, the oldest of their bucket.
    pub evicted: u64,
    /// Transactions that ended by time.
    pub expired: u64,
}

const SLOTS: usize = 8;
const EMPTY: u64 = 0;
/// How far the clocks of two workers, or a clock that was set back, may differ: ten minutes.
const SKEW_S: u16 = 600;

#[repr(align(64))]
struct Bucket([AtomicU64; SLOTS]);

/// The open transactions of all associations. Share it behind an `Arc`; all memory is taken in [`Dialogues::new`].
///
/// With 2^n buckets a key counts as 32 + n bits: a forged answer finds an entry by chance once in 2^29, less often than
/// its transaction id is guessed.
pub struct Dialogues {
    buckets: Box<[Bucket]>,
    timeout_s: u16,
    key: Key,
    /// The bucket that `sweep` looks at next.
    broom: AtomicU32,
    opened: Count,
    evicted: Count,
    expired: Count,
}

impl Dialogues {
    /// No open transactions. `key` is what keeps others from aiming at a bucket.
    pub fn new(config: Config, key: Key) -> Self {
        let buckets = (config.entries / SLOTS).clamp(1, 1 << 24).next_power_of_two();
        Self {
            buckets: (0..buckets).map(|_| Bucket(core::array::from_fn(|_| AtomicU64::new(EMPTY)))).collect(),
            timeout_s: config.timeout_ms.div_ceil(1000).clamp(1, 28_800) as u16,
            key,
            broom: AtomicU32::new(0),
            opened: Count::default(),
            evicted: Count::default(),
            expired: Count::default(),
        }
    }

    /// The key of a transaction: our transaction id as its octets travel, and our global title in canonical form.
    pub fn key(&self, transaction: &[u8], title: &[u8]) -> u64 {
        self.key.hash(&[transaction, title])
    }

    /// Opens a transaction with `peer`, or renews its time. In a full bucket the oldest goes.
    pub fn open(&self, key: u64, peer: u16, now_ms: u64) {
        let Some(bucket) = self.bucket(key) else { return };
        let entry = entry(key, peer, now_ms);
        // As often as there are slots: each failure means that another worker got one of them.
        for _ in 0..SLOTS {
            let mut best: Option<(&AtomicU64, u64, u32)> = None;
            for slot in &bucket.0 {
                let have = slot.load(Ordering::Acquire);
                let rank = match self.age(have, now_ms) {
                    _ if have == EMPTY => 1 << 17,
                    _ if is_same(have, key) => 1 << 18,
                    None => 1 << 16,
                    Some(age) => age.into(),
                };
                if best.is_none_or(|(.., most)| rank > most) {
                    best = Some((slot, have, rank));
                }
            }
            let Some((slot, have, rank)) = best else { return };
            if slot.compare_exchange(have, entry, Ordering::AcqRel, Ordering::Relaxed).is_err() {
                continue;
            }
            let live = self.age(have, now_ms).is_some();
            match rank {
                _ if rank == 1 << 18 && live => return,
                _ if have == EMPTY => {}
                _ if live => self.evicted.add(),
                _ => self.expired.add(),
            }
            self.opened.add();
            return;
        }
        // Eight others were faster, so by now this one would be the oldest.
        self.opened.add();
        self.evicted.add();
    }

    /// The peer with whom this transaction is open.
    pub fn lookup(&self, key: u64, now_ms: u64) -> Option<u16> {
        self.slots(key).find_map(|(_, have)| {
            self.age(have, now_ms)?;
            Some((have >> 16) as u16)
        })
    }

    /// Ends a transaction; false if it was not open.
    pub fn close(&self, key: u64) -> bool {
        let mut closed = false;
        // All of them: two workers may have opened it at once.
        for (slot, have) in self.slots(key) {
            closed |= slot.compare_exchange(have, EMPTY, Ordering::AcqRel, Ordering::Relaxed).is_ok();
        }
        closed
    }

    /// Clears what has expired out of the next `buckets` buckets, and says how many entries that were.
    ///
    /// Any worker may call it, once a turn; all buckets should be visited within an hour, because after 18 hours the
    /// time of an entry comes round.
    pub fn sweep(&self, buckets: u32, now_ms: u64) -> usize {
        let start = self.broom.fetch_add(buckets, Ordering::Relaxed);
        let mut expired = 0;
        for i in 0..buckets {
            let at = start.wrapping_add(i) as usize & (self.buckets.len() - 1);
            for slot in self.buckets.get(at).iter().flat_map(|bucket| &bucket.0) {
                let have = slot.load(Ordering::Relaxed);
                if have != EMPTY
                    && self.age(have, now_ms).is_none()
                    && slot.compare_exchange(have, EMPTY, Ordering::AcqRel, Ordering::Relaxed).is_ok()
                {
                    self.expired.add();
                    expired += 1;
                }
            }
        }
        expired
    }

    /// Events so far.
    pub fn counters(&self) -> Counters {
        Counters { opened: self.opened.get(), evicted: self.evicted.get(), expired: self.expired.get() }
    }

    fn bucket(&self, key: u64) -> Option<&Bucket> {
        self.buckets.get(key as usize & (self.buckets.len() - 1))
    }

    /// The slots that hold `key`, expired or not.
    fn slots(&self, key: u64) -> impl Iterator<Item = (&AtomicU64, u64)> {
        let slots = self.bucket(key).into_iter().flat_map(|bucket| &bucket.0);
        slots.map(|slot| (slot, slot.load(Ordering::Acquire))).filter(move |&(_, have)| is_same(have, key))
    }

    /// Seconds since it was opened or renewed; `None` if empty or expired.
    fn age(&self, have: u64, now_ms: u64) -> Option<u16> {
        if have == EMPTY {
            return None;
        }
        let age = seconds(now_ms).wrapping_sub(have as u16);
        match age {
            _ if age <= self.timeout_s => Some(age),
            _ if age > u16::MAX - SKEW_S => Some(0),
            _ => None,
        }
    }
}

fn seconds(now_ms: u64) -> u16 {
    (now_ms / 1000) as u16
}

/// The upper half of the key; nought would look empty.
fn tag(key: u64) -> u64 {
    (key >> 32).max(1)
}

fn entry(key: u64, peer: u16, now_ms: u64) -> u64 {
    tag(key) << 32 | u64::from(peer) << 16 | u64::from(seconds(now_ms))
}

fn is_same(have: u64, key: u64) -> bool {
    have >> 32 == tag(key)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn table(entries: usize) -> Dialogues {
        Dialogues::new(Config { entries, timeout_ms: 60_000 }, Key::new(7, 8))
    }

    #[test]
    fn a_transaction_is_open_until_closed_or_late() {
        let table = table(1 << 10);
        // Around a wrap of the 16 bits of seconds.
        let start = (65_536 * 5 - 30) * 1000;
        let key = table.key(&[1, 2, 3, 4], b"\x01\x0436302");
        assert_eq!(table.lookup(key, start), None);
        table.open(key, 7, start);
        for (now, want) in
            [(start - 1000, Some(7)), (start, Some(7)), (start + 60_999, Some(7)), (start + 61_000, None)]
        {
            assert_eq!(table.lookup(key, now), want);
        }
        assert_eq!(table.lookup(table.key(&[1, 2, 3], b"\x04\x01\x0436302"), start), None);
        table.open(key, 8, start + 60_000);
        assert_eq!(table.lookup(key, start + 100_000), Some(8), "renewed");
        assert!(table.close(key) && !table.close(key));
        assert_eq!(table.lookup(key, start + 60_000), None);
        assert_eq!(table.counters(), Counters { opened: 1, ..Counters::default() });
    }

    #[test]
    fn a_full_bucket_evicts_its_oldest_and_counts_it() {
        let table = table(8);
        let key = |n: u64| (n + 1) << 32;
        for n in 0..9 {
            table.open(key(n), n as u16, n * 1000);
        }
        assert_eq!(table.lookup(key(0), 9_000), None);
        for n in 1..9 {
            assert_eq!(table.lookup(key(n), 9_000), Some(n as u16));
        }
        table.open(key(20), 20, 65_000);
        assert_eq!(table.counters(), Counters { opened: 10, evicted: 1, expired: 1 });
        assert_eq!((table.sweep(1, 67_000), table.sweep(1, 67_000)), (5, 0), "those of 1 to 6 s but the replaced");
        assert_eq!(table.counters().expired, 6);
    }

    #[test]
    fn a_sweep_comes_round() {
        let table = table(1 << 10);
        for n in 0..500_u32 {
            table.open(table.key(&n.to_be_bytes(), b""), 1, 0);
        }
        let evicted = table.counters().evicted as usize;
        let swept: usize = (0..16).map(|_| table.sweep(8, 62_000)).sum();
        assert_eq!(swept + evicted, 500);
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
            let config = Config { entries: 8, timeout_ms: 60_000 };
            let table = Arc::new(Dialogues::new(config, Key::new(7, 8)));
            let key = |n: u64| n << 32;
            // A full bucket whose oldest entry is about to be closed, and evicted by another worker.
            for n in 1..=8 {
                table.open(key(n), n as u16, n * 1000);
            }
            let shared = Arc::clone(&table);
            let thread = thread::spawn(move || shared.close(key(1)));
            table.open(key(9), 9, 9_000);
            assert_eq!(table.lookup(key(9), 9_000), Some(9));
            let closed = thread.join().unwrap();
            assert_eq!(closed, table.counters().evicted == 0, "either closed or evicted");
            assert_eq!(table.lookup(key(1), 9_000), None);
            for n in 2..=9 {
                assert_eq!(table.lookup(key(n), 9_000), Some(n as u16));
            }
        });
    }

    #[test]
    fn two_openings_of_one_transaction_end_with_one_close() {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(2);
        model.check(|| {
            let config = Config { entries: 8, timeout_ms: 60_000 };
            let table = Arc::new(Dialogues::new(config, Key::new(7, 8)));
            let shared = Arc::clone(&table);
            let thread = thread::spawn(move || shared.open(1 << 32, 1, 0));
            table.open(1 << 32, 1, 0);
            thread.join().unwrap();
            assert_eq!(table.lookup(1 << 32, 0), Some(1));
            assert!(table.close(1 << 32));
            assert_eq!(table.lookup(1 << 32, 0), None);
        });
    }
}
