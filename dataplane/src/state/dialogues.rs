//! Open TCAP transactions of ours, by which an answer from outside is known as one (formats 4.6). Shared by all workers,
//! since an answer may come over another association than its question; lock-free.
//!
//! An entry is one word: 22 bits of fingerprint, ten bits of what the dialogue is about, the peer, and the time in seconds.

use super::keyed::Key;
use super::words::Words;

pub use super::words::Counters;

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

const SECOND_MS: u64 = 1000;
/// The bits of what a transaction is about.
const ABOUT: u16 = 0x3ff;

/// The open transactions of all associations. Share it behind an `Arc`; all memory is taken in [`Dialogues::new`].
///
/// With 2^n buckets a key counts as 22 + n bits, 37 with the default: an answer to nothing finds one of N entries by chance once
/// in 2^37 / N, and a transaction id of four octets is guessed once in 2^32 / N.
pub struct Dialogues {
    words: Words<26>,
    key: Key,
}

impl Dialogues {
    /// No open transactions. `key` is what keeps others from aiming at a bucket.
    pub fn new(config: Config, key: Key) -> Self {
        Self { words: Words::new(config.entries, config.timeout_ms.min(28_800_000), SECOND_MS), key }
    }

    /// The key of a transaction: our transaction id as its octets travel, and our global title in canonical form.
    pub fn key(&self, transaction: &[u8], title: &[u8]) -> u64 {
        self.key.hash(&[transaction, title])
    }

    /// Opens a transaction with `peer` of which nothing more is known, or renews its time. In a full bucket the oldest goes.
    pub fn open(&self, key: u64, peer: u16, now_ms: u64) {
        self.open_about(key, peer, Some(0), now_ms);
    }

    /// The same with what it is about, ten bits; `None`: what was known of it before.
    pub fn open_about(&self, key: u64, peer: u16, about: Option<u16>, now_ms: u64) {
        let about = about.map(|about| u64::from(about & ABOUT) << 16);
        let kept = |have: Option<u64>| have.map_or(0, |have| have & u64::from(ABOUT) << 16);
        self.words.put(key, now_ms, |have| u64::from(peer) | about.unwrap_or(kept(have)), |_| 0);
    }

    /// The peer with whom this transaction is open.
    pub fn lookup(&self, key: u64, now_ms: u64) -> Option<u16> {
        self.words.get(key, now_ms).map(|(value, _)| value as u16)
    }

    /// What an open transaction is about; 0 if that is not known.
    pub fn about(&self, key: u64, now_ms: u64) -> Option<u16> {
        self.words.get(key, now_ms).map(|(value, _)| (value >> 16) as u16 & ABOUT)
    }

    /// Ends a transaction; false if it was not open.
    pub fn close(&self, key: u64) -> bool {
        self.words.change(key, 0, |_| None)
    }

    /// Clears what has expired out of the next `buckets` buckets, and says how many entries that were.
    ///
    /// Any worker may call it, once a turn; all buckets should be visited within an hour.
    pub fn sweep(&self, buckets: u32, now_ms: u64) -> usize {
        self.words.sweep(buckets, now_ms)
    }

    /// Events so far.
    pub fn counters(&self) -> Counters {
        self.words.counters()
    }
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
    fn what_a_transaction_is_about_lasts_until_it_is_said_anew() {
        let table = table(1 << 10);
        let key = table.key(&[1, 2, 3, 4], b"1");
        table.open_about(key, 0xffff, Some(0x3ff), 0);
        assert_eq!((table.lookup(key, 0), table.about(key, 0)), (Some(0xffff), Some(0x3ff)));
        table.open_about(key, 7, None, 1000);
        assert_eq!((table.lookup(key, 1000), table.about(key, 1000)), (Some(7), Some(0x3ff)));
        table.open_about(key, 7, Some(5), 2000);
        assert_eq!(table.about(key, 2000), Some(5));
        table.open_about(key, 7, None, 90_000);
        assert_eq!(table.about(key, 90_000), Some(0), "it had ended by then");
        table.open(key, 9, 90_000);
        assert_eq!((table.lookup(key, 90_000), table.about(key, 90_000)), (Some(9), Some(0)));
        assert_eq!(table.about(table.key(&[1], b"1"), 90_000), None);
    }

    #[test]
    fn a_full_bucket_evicts_its_oldest_and_counts_it() {
        let table = table(8);
        let key = |n: u64| (n + 1) << 42;
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
            let key = |n: u64| n << 42;
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
            let thread = thread::spawn(move || shared.open(1 << 42, 1, 0));
            table.open(1 << 42, 1, 0);
            thread.join().unwrap();
            assert_eq!(table.lookup(1 << 42, 0), Some(1));
            assert!(table.close(1 << 42));
            assert_eq!(table.lookup(1 << 42, 0), None);
        });
    }
}
