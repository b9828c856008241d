//! Digests of messages that passed, against their replay where a profile has no sequence numbers: SG-TCAP-0
//! (formats 1.5). Shared by all workers, lock-free.
//!
//! A bucket is a cache line: a head and seven slots. An entry is one word, 44 bits of fingerprint and the time of its
//! insertion in tenths of a second modulo 2^20. Every insertion goes through the head: whoever inserts first sees to it
//! that the present head lies in a slot, then looks through the slots, then swaps the head for the new entry. The swap
//! fails if anybody else inserted in the meantime, so of two insertions of one digest the second sees the first. No
//! worker ever waits for another.

mod carry;

use super::count::Count;
use super::keyed::Key;
use super::sync::{AtomicU64, Ordering};
use sealgate_wire::Reason;

/// Limits of [`DigestMemory`].
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// How many digests there is room for, rounded up to a power of two of buckets of eight. Plan four times
    /// the most messages in `keep_ms`: then one in ten thousand is evicted.
    pub entries: usize,
    /// How long a digest is kept, milliseconds: the whole time window, past and future. At most an hour.
    pub keep_ms: u64,
}

impl Default for Config {
    /// 1048576 digests in 8 MiB; 60 s, the window of SigFW. Few under a fuzzer, which makes a new memory for each input.
    fn default() -> Self {
        Self { entries: if cfg!(fuzzing) { 1 << 10 } else { 1 << 20 }, keep_ms: 60_000 }
    }
}

/// Events since the start.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Counters {
    /// Digests refused as already here.
    pub replays: u64,
    /// `replay_table_evicted`: digests that had to go within their time, the oldest of their bucket.
    pub evicted: u64,
}

/// Entries of a bucket: the head and its slots.
const SLOTS: usize = 8;
const TIME: u64 = (1 << 20) - 1;
/// How far the clocks of two workers, or a clock that was set back, may differ: ten minutes, in tenths of a second.
const SKEW: u64 = 6_000;
const EMPTY: u64 = 0;

#[repr(align(64))]
struct Bucket([AtomicU64; SLOTS]);

/// The digests of all messages that passed of late. Share it behind an `Arc`; all memory is taken in
/// [`DigestMemory::new`].
///
/// With 2^n buckets a digest counts as 44 + n bits, so a message that is new is refused as a replay once in 2^41.
pub struct DigestMemory {
    buckets: Box<[Bucket]>,
    keep: u64,
    key: Key,
    replays: Count,
    evicted: Count,
}

impl DigestMemory {
    /// An empty memory. `key` is what keeps others from aiming at a bucket.
    pub fn new(config: Config, key: Key) -> Self {
        let buckets = (config.entries / SLOTS).clamp(1, 1 << 20).next_power_of_two();
        Self {
            buckets: (0..buckets).map(|_| Bucket(core::array::from_fn(|_| AtomicU64::new(EMPTY)))).collect(),
            // Rounded up, and one more for the part of a tenth that insertion cut off.
            keep: config.keep_ms.min(3_600_000).div_ceil(100) + 1,
            key,
            replays: Count::default(),
            evicted: Count::default(),
        }
    }

    /// The look before the signature is verified. Changes nothing.
    /// # Errors
    /// [`Reason::SecReplay`] if the digest is here and not older than `keep_ms`.
    pub fn check(&self, digest: &[u8; 32], now_ms: u64) -> Result<(), Reason> {
        let (bucket, entry) = self.entry(digest, now_ms)?;
        // The head first: what leaves it lies in a slot by then.
        if bucket.0.iter().any(|slot| self.is_same(slot.load(Ordering::Acquire), entry)) {
            self.replays.add();
            return Err(Reason::SecReplay);
        }
        Ok(())
    }

    /// Remembers the digest of a message whose signature proved good. In a full bucket the oldest goes.
    /// # Errors
    /// [`Reason::SecReplay`] if the digest is here, perhaps from another worker a moment ago.
    pub fn insert_new(&self, digest: &[u8; 32], now_ms: u64) -> Result<(), Reason> {
        let (bucket, entry) = self.entry(digest, now_ms)?;
        let Some((head, slots)) = bucket.0.split_first() else { return Err(Reason::IntBug) };
        loop {
            let present = head.load(Ordering::Acquire);
            if self.is_same(present, entry) || !self.keep_head(slots, present, entry) {
                self.replays.add();
                return Err(Reason::SecReplay);
            }
            if head.compare_exchange(present, entry, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                return Ok(());
            }
        }
    }

    /// Events so far.
    pub fn counters(&self) -> Counters {
        Counters { replays: self.replays.get(), evicted: self.evicted.get() }
    }

    /// Sees to it that `present` lies in a slot; false if `entry` already does. Several workers may do so at once: then
    /// it lies there twice, and at worst the oldest of a full bucket goes one insertion too early.
    fn keep_head(&self, slots: &[AtomicU64], present: u64, entry: u64) -> bool {
        loop {
            let mut oldest: Option<(&AtomicU64, u64, u64)> = None;
            let mut kept = self.age(present, entry).is_none();
            for slot in slots {
                let have = slot.load(Ordering::Acquire);
                if self.is_same(have, entry) {
                    return false;
                }
                kept |= have == present;
                // What has expired is older than all that has not.
                let age = self.age(have, entry).unwrap_or(u64::MAX);
                if oldest.is_none_or(|(.., most)| age > most) {
                    oldest = Some((slot, have, age));
                }
            }
            let Some((slot, have, age)) = oldest.filter(|_| !kept) else { return true };
            if slot.compare_exchange(have, present, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                if age != u64::MAX {
                    self.evicted.add();
                }
                return true;
            }
        }
    }

    /// The bucket of a digest, and the word for it.
    fn entry(&self, digest: &[u8; 32], now_ms: u64) -> Result<(&Bucket, u64), Reason> {
        let hash = self.key.hash(&[digest]);
        let bucket = self.buckets.get(hash as usize & (self.buckets.len() - 1)).ok_or(Reason::IntBug)?;
        // At most 20 low bits choose the bucket, the others are the fingerprint. Nought would look empty.
        let tag = (hash >> 20).max(1);
        Ok((bucket, tag << 20 | (now_ms / 100) & TIME))
    }

    fn is_same(&self, have: u64, entry: u64) -> bool {
        have >> 20 == entry >> 20 && self.age(have, entry).is_some()
    }

    /// How long before the time in `entry`, in tenths of a second; `None` if empty or expired.
    fn age(&self, have: u64, entry: u64) -> Option<u64> {
        if have == EMPTY {
            return None;
        }
        let age = (entry & TIME).wrapping_sub(have & TIME) & TIME;
        match age {
            _ if age <= self.keep => Some(age),
            _ if age >= TIME + 1 - SKEW => Some(0),
            _ => None,
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const KEY: Key = Key::new(5, 6);

    fn digest(n: u32) -> [u8; 32] {
        let mut digest = [0; 32];
        digest[..4].copy_from_slice(&n.to_be_bytes());
        digest
    }

    #[test]
    fn a_digest_passes_once_within_its_time() {
        let memory = DigestMemory::new(Config::default(), KEY);
        // The times around a wrap of the 20 bits.
        let start = ((TIME + 1) * 17 - 300) * 100;
        for n in 0..1000 {
            assert_eq!(memory.check(&digest(n), start), Ok(()));
            assert_eq!(memory.insert_new(&digest(n), start), Ok(()));
        }
        for n in 0..1000 {
            for now in [start - 5_000, start, start + 60_000] {
                assert_eq!(memory.check(&digest(n), now), Err(Reason::SecReplay));
                assert_eq!(memory.insert_new(&digest(n), now), Err(Reason::SecReplay));
            }
        }
        for n in 0..1000 {
            assert_eq!(memory.insert_new(&digest(n), start + 60_200), Ok(()), "its time is over");
            assert_eq!(memory.insert_new(&digest(n), start + 60_200), Err(Reason::SecReplay));
        }
        assert_eq!(memory.counters(), Counters { replays: 7000, evicted: 0 });
    }

    #[test]
    fn a_full_bucket_evicts_its_oldest_and_counts_it() {
        let memory = DigestMemory::new(Config { entries: 8, keep_ms: 60_000 }, KEY);
        for n in 0..8 {
            assert_eq!(memory.insert_new(&digest(n), u64::from(n) * 1000), Ok(()));
        }
        assert_eq!(memory.counters().evicted, 0);
        assert_eq!(memory.insert_new(&digest(8), 8_000), Ok(()));
        assert_eq!(memory.counters().evicted, 1);
        assert_eq!(memory.check(&digest(0), 8_000), Ok(()), "the oldest went");
        for n in 1..9 {
            assert_eq!(memory.check(&digest(n), 8_000), Err(Reason::SecReplay), "{n}");
        }
        for n in 9..16 {
            assert_eq!(memory.insert_new(&digest(n), 100_000), Ok(()));
        }
        assert_eq!(memory.counters().evicted, 1, "what has expired is no loss");
    }

    #[test]
    fn a_table_as_planned_evicts_next_to_nothing() {
        let memory = DigestMemory::new(Config { entries: 1 << 16, keep_ms: 60_000 }, KEY);
        for n in 0..1 << 14 {
            assert_eq!(memory.insert_new(&digest(n), 0), Ok(()));
        }
        assert!(memory.counters().evicted <= 6, "{:?}", memory.counters());
    }

    #[test]
    fn threads_accept_each_digest_once() {
        let memory = DigestMemory::new(Config::default(), KEY);
        let accepted: usize = std::thread::scope(|scope| {
            let run = || (0..20_000).filter(|&n| memory.insert_new(&digest(n), 0).is_ok()).count();
            let threads = [scope.spawn(run), scope.spawn(run), scope.spawn(run)];
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!((accepted, memory.counters().evicted), (20_000, 0));
    }
}

#[cfg(all(test, loom))]
mod models {
    use super::*;
    use loom::{sync::Arc, thread};

    #[test]
    fn of_two_insertions_of_one_digest_one_wins() {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(3);
        model.check(|| {
            let memory = Arc::new(DigestMemory::new(Config { entries: 8, keep_ms: 60_000 }, Key::new(5, 6)));
            memory.insert_new(&[1; 32], 0).unwrap();
            let shared = Arc::clone(&memory);
            let thread = thread::spawn(move || (shared.insert_new(&[2; 32], 0), shared.insert_new(&[3; 32], 0)));
            let own = memory.insert_new(&[2; 32], 0);
            let (other, third) = thread.join().unwrap();
            assert!(own.is_ok() != other.is_ok(), "one of them");
            assert_eq!(third, Ok(()));
            for seed in [1, 2, 3] {
                assert_eq!(memory.check(&[seed; 32], 0), Err(Reason::SecReplay), "none is lost");
            }
        });
    }
}
