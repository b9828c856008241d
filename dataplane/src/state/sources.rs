//! How many different subscribers a source asks for, and how many requests it sends (formats 13.4: scans and floods). A source is
//! a calling Global Title or an Origin-Host. Shared by all workers, lock-free.
//!
//! A source has one word in a bucket of eight by which it is found (32 bits of its key, its peer, the time), and a cache line of
//! its own: when its next request is due (see [`super::rate`]), the window that is being counted, and a bitmap of 384 bits in which
//! each subscriber sets one. How many bits are set says how many subscribers there were (linear counting, Whang et al. 1990); of
//! many, a sample by the bits of their hash is counted. A worker that takes a place over, or begins a window, may lose what
//! another counts at that moment: never more than a few.

use super::count::Count;
use super::keyed::Key;
use super::rate::Limit;
use super::sync::{AtomicU64, Ordering};

const SLOTS: usize = 8;
const EMPTY: u64 = 0;
const TICK_MS: u64 = 1000;
/// A source that sent nothing for so long goes before all others, ticks.
const IDLE: u16 = 900;
/// How many ticks the clocks of two workers may differ.
const SKEW: u16 = 600;
const WORDS: usize = 6;
const BITS: u32 = 64 * WORDS as u32;

/// When the next request is due; the window; the bitmap.
#[repr(align(64))]
struct Line {
    due: AtomicU64,
    window: AtomicU64,
    bits: [AtomicU64; WORDS],
}

#[repr(align(64))]
struct Bucket([AtomicU64; SLOTS]);

/// How many subscribers a source may ask for, as bits of a bitmap.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ScanLimit {
    window_ms: u64,
    /// Of the hash, bits that are nought where a subscriber is counted.
    sample: u32,
    /// Bits at which there are too many.
    most: u32,
}

impl ScanLimit {
    /// The limit for this many subscribers in a window: fewer are never too many, since what is counted must be four standard
    /// deviations above what so many make.
    ///
    /// * `window_ms`: at least 1
    pub fn new(subscribers: u32, window_ms: u64) -> Self {
        // A bitmap that is half full is the most exact.
        let sample = (subscribers.div_ceil(BITS * 2 / 3)).next_power_of_two().trailing_zeros();
        let (bits, counted) = (f64::from(BITS), f64::from(subscribers) / f64::from(1_u32 << sample));
        let load = counted / bits;
        let empty = (-load).exp();
        let set = bits * (1.0 - empty);
        let mut variance = bits * empty * (1.0 - (1.0 + load) * empty);
        if sample > 0 {
            variance += counted * empty * empty;
        }
        let most = (set + 4.0 * variance.sqrt()).floor() as u32 + 1;
        Self { window_ms: window_ms.max(1), sample, most: most.min(BITS) }
    }

    /// The bit of a subscriber: its word and its place there; `None`: it is not in the sample.
    fn bit(self, asked: u64) -> Option<(usize, u64)> {
        if asked >> 40 & ((1 << self.sample) - 1) != 0 {
            return None;
        }
        let bit = (u64::from(asked as u32) * u64::from(BITS)) >> 32;
        Some((bit as usize / 64, 1 << (bit % 64)))
    }
}

/// The table. Share it behind an `Arc`; all memory is taken in [`Sources::new`].
pub struct Sources {
    buckets: Box<[Bucket]>,
    lines: Box<[Line]>,
    key: Key,
    evicted: Count,
}

/// A source that was found, for what else is asked of it.
#[derive(Clone, Copy)]
pub struct Source<'t>(&'t Line);

impl Sources {
    /// No source yet.
    ///
    /// * `sources`: how many there is room for, rounded up to a power of two of buckets of eight
    pub fn new(sources: usize, key: Key) -> Self {
        let buckets = (sources / SLOTS).max(1).next_power_of_two();
        let word = |_| AtomicU64::new(EMPTY);
        let line = |_| Line { due: AtomicU64::new(0), window: AtomicU64::new(0), bits: core::array::from_fn(word) };
        Self {
            buckets: (0..buckets).map(|_| Bucket(core::array::from_fn(word))).collect(),
            lines: (0..buckets * SLOTS).map(line).collect(),
            key,
            evicted: Count::default(),
        }
    }

    /// The key of a source by its name.
    pub fn key(&self, name: &[&[u8]]) -> u64 {
        self.key.hash(name)
    }

    /// The source with this key, which takes a place if it is new. In a full bucket the source goes that was silent the longest,
    /// of the peer that has the most there. `None`: others took all places just now.
    pub fn find(&self, key: u64, peer: u16, now_ms: u64) -> Option<Source<'_>> {
        let at = key as usize & (self.buckets.len() - 1);
        let bucket = &self.buckets.get(at)?.0;
        let now = (now_ms / TICK_MS) as u16;
        let head = key & !0xffff_ffff | u64::from(peer) << 16 | u64::from(now);
        let is_same = |have: u64| have != EMPTY && (have ^ head) >> 16 == 0;
        for _ in 0..2 {
            for (i, slot) in bucket.iter().enumerate() {
                let have = slot.load(Ordering::Acquire);
                if is_same(have) {
                    if have as u16 != now {
                        // One worker's time is as good as another's.
                        let _ = slot.compare_exchange(have, head, Ordering::AcqRel, Ordering::Relaxed);
                    }
                    return self.line(at, i);
                }
            }
            let mut all = [EMPTY; SLOTS];
            all.iter_mut().zip(bucket).for_each(|(have, slot)| *have = slot.load(Ordering::Acquire));
            let of = |have: u64| (have >> 16) as u16;
            let share = |peer: u16| all.iter().filter(|have| **have != EMPTY && of(**have) == peer).count() as u32;
            let rank = |have: u64| {
                let silent = now.wrapping_sub(have as u16);
                match silent {
                    _ if have == EMPTY => u32::MAX,
                    _ if silent > u16::MAX - SKEW => share(of(have)) << 16,
                    _ if silent > IDLE => u32::MAX - 1,
                    _ => (share(of(have)) + u32::from(of(have) == peer)) << 16 | u32::from(silent),
                }
            };
            let (i, &have) = all.iter().enumerate().max_by_key(|(_, have)| rank(**have))?;
            // Before others find it: what is still counted for the one that goes begins a window anew.
            let line = self.line(at, i)?;
            line.0.window.store(0, Ordering::Release);
            line.0.due.store(0, Ordering::Release);
            if bucket.get(i)?.compare_exchange(have, head, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                if rank(have) < u32::MAX - 1 {
                    self.evicted.add();
                }
                return Some(line);
            }
        }
        None
    }

    /// Sources that had to go while they were active, for want of room.
    pub fn evicted(&self) -> u64 {
        self.evicted.get()
    }

    /// Octets of memory.
    pub fn memory(&self) -> usize {
        size_of_val(&*self.buckets) + size_of_val(&*self.lines)
    }

    fn line(&self, bucket: usize, slot: usize) -> Option<Source<'_>> {
        self.lines.get(bucket * SLOTS + slot).map(Source)
    }
}

impl Source<'_> {
    /// Whether it has asked for more subscribers in this window than it may, with this one.
    ///
    /// * `asked`: keyed hash of the subscriber
    pub fn scans(self, asked: u64, limit: ScanLimit, now_ms: u64) -> bool {
        if self.0.window.load(Ordering::Acquire) != window(limit, now_ms) {
            return false;
        }
        let set: u32 = self.0.bits.iter().map(|word| word.load(Ordering::Relaxed).count_ones()).sum();
        let new = match limit.bit(asked) {
            Some((word, bit)) => {
                let word = self.0.bits.get(word).map_or(0, |word| word.load(Ordering::Relaxed));
                u32::from(word & bit == 0)
            }
            None => 0,
        };
        set + new >= limit.most
    }

    /// Counts a subscriber that it asked for.
    pub fn asks(self, asked: u64, limit: ScanLimit, now_ms: u64) {
        let (now, line) = (window(limit, now_ms), self.0);
        let before = line.window.load(Ordering::Acquire);
        if before != now && line.window.compare_exchange(before, now, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
            line.bits.iter().for_each(|word| word.store(0, Ordering::Relaxed));
        }
        let Some((word, bit)) = limit.bit(asked) else { return };
        let Some(word) = line.bits.get(word) else { return };
        if word.load(Ordering::Relaxed) & bit == 0 {
            word.fetch_or(bit, Ordering::Relaxed);
        }
    }

    /// Takes one request; false if that is beyond the limit. One beyond it does not count against the next.
    pub fn takes(self, limit: Limit, now_ms: u64) -> bool {
        limit.take(&self.0.due, now_ms.saturating_mul(1_000_000))
    }
}

/// The number of the window, never 0.
fn window(limit: ScanLimit, now_ms: u64) -> u64 {
    now_ms / limit.window_ms + 1
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const NOW: u64 = 1_795_000_000_000;
    const KEY: Key = Key::new(5, 6);

    /// How many subscribers a source has asked for when it is found, of those that come after each other.
    fn found_at(table: &Sources, source: u64, limit: ScanLimit, most: u32) -> Option<u32> {
        (1..=most).find(|n| {
            let asked = KEY.hash(&[&source.to_be_bytes(), &n.to_be_bytes()]);
            let found = table.find(KEY.hash(&[&source.to_be_bytes()]), 1, NOW).expect("a place");
            let over = found.scans(asked, limit, NOW);
            found.asks(asked, limit, NOW);
            over
        })
    }

    #[test]
    fn a_scan_is_found_above_its_limit_and_never_below() {
        for subscribers in [10, 100, 256, 257, 1000, 20_000, 1_000_000] {
            let limit = ScanLimit::new(subscribers, 600_000);
            let sources = if subscribers > 100_000 { 3 } else { 40 };
            let mut worst: (f64, f64) = (f64::MAX, 0.0);
            for source in 0..sources {
                let table = Sources::new(64, KEY);
                let at = found_at(&table, source, limit, subscribers * 4).expect("found");
                let share = f64::from(at) / f64::from(subscribers);
                worst = (worst.0.min(share), worst.1.max(share));
            }
            println!("{subscribers} subscribers: found at {:.2} to {:.2} times as many", worst.0, worst.1);
            assert!(worst.0 > 1.0 && worst.1 <= 2.0, "{subscribers}: {worst:?}");
        }
    }

    #[test]
    fn who_asks_for_the_same_again_or_in_another_window_scans_nothing() {
        let (table, limit) = (Sources::new(64, KEY), ScanLimit::new(10, 60_000));
        let source = |now_ms| table.find(77 << 32, 3, now_ms).expect("a place");
        for i in 0..10_000_u64 {
            let asked = KEY.hash(&[&(i % 8).to_be_bytes()]);
            assert!(!source(NOW).scans(asked, limit, NOW), "{i}");
            source(NOW).asks(asked, limit, NOW);
        }
        // Eight in each window.
        for i in 0..800_u64 {
            let (asked, now_ms) = (KEY.hash(&[&i.to_be_bytes()]), NOW + 60_000 * (1 + i / 8));
            assert!(!source(now_ms).scans(asked, limit, now_ms), "{i}");
            source(now_ms).asks(asked, limit, now_ms);
        }
        assert_eq!(table.evicted(), 0);
    }

    #[test]
    fn a_flood_is_what_is_beyond_rate_and_burst() {
        let (table, limit) = (Sources::new(64, KEY), Limit { per_second: 100, burst: 20 });
        let passes = |source: u64, tries: usize, now_ms| {
            (0..tries).filter(|_| table.find(source << 32, 1, now_ms).expect("a place").takes(limit, now_ms)).count()
        };
        assert_eq!((passes(1, 1000, NOW), passes(2, 5, NOW)), (20, 5));
        assert_eq!(passes(1, 1000, NOW + 100), 10);
        assert_eq!(passes(1, 1000, NOW + 60_000), 20);
    }

    #[test]
    fn many_sources_of_one_operator_push_out_their_own() {
        let (table, limit) = (Sources::new(256, KEY), ScanLimit::new(10, 3_600_000));
        let memory = table.memory();
        assert_eq!(memory, 256 * 72);
        let name = |n: u64| KEY.hash(&[&n.to_be_bytes()]);
        let asked = |n: u64| KEY.hash(&[b"asked", &n.to_be_bytes()]);
        // Forty scanners of as many operators, each about to be found.
        let good: Vec<u64> = (0..40).collect();
        for &n in &good {
            let source = table.find(name(n), 10 + n as u16, NOW).expect("a place");
            (0..8).for_each(|i| source.asks(asked(i), limit, NOW));
        }
        for n in 1000..21_000 {
            let source = table.find(name(n), 2, NOW + 1000).expect("a place");
            source.asks(asked(n), limit, NOW);
        }
        let still = good.iter().filter(|n| {
            let source = table.find(name(**n), 10 + **n as u16, NOW + 2000).expect("a place");
            (8..12).for_each(|i| source.asks(asked(i), limit, NOW));
            source.scans(asked(100), limit, NOW)
        });
        let still = still.count();
        assert!(still >= 38, "{still} of 40 are found");
        assert!(table.evicted() > 19_000);
        assert_eq!(table.memory(), memory);
    }
}

#[cfg(all(test, loom))]
mod models {
    use super::*;
    use loom::{sync::Arc, thread};

    const NOW: u64 = 1_795_000_000_000;

    #[test]
    fn two_sources_that_want_one_place_never_share_it() {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(2);
        model.check(|| {
            let table = Arc::new(Sources::new(1, Key::new(5, 6)));
            (10..17_u64).for_each(|n| assert!(table.find(n << 32, n as u16, NOW).is_some()));
            let find = |table: &Sources, n: u64| {
                let found = table.find(n << 32, n as u16, NOW + 2000)?;
                Some(core::ptr::from_ref(found.0) as usize)
            };
            let shared = Arc::clone(&table);
            let other = thread::spawn(move || find(&shared, 1));
            let (mine, theirs) = (find(&table, 2), other.join().unwrap());
            assert!(mine.is_some() && theirs.is_some(), "there are seven that may go");
            let again = (find(&table, 2), find(&table, 1));
            assert!(again.0 != again.1, "two sources, two places");
        });
    }

    #[test]
    fn two_workers_count_the_same_subscriber_once_and_two_twice() {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(3);
        model.check(|| {
            let (table, limit) = (Arc::new(Sources::new(1, Key::new(5, 6))), ScanLimit::new(10, 60_000));
            table.find(1 << 32, 1, NOW).unwrap().asks(0, limit, NOW);
            let shared = Arc::clone(&table);
            let other = thread::spawn(move || shared.find(1 << 32, 1, NOW).unwrap().asks(1 << 31, limit, NOW));
            table.find(1 << 32, 1, NOW).unwrap().asks(0, limit, NOW);
            other.join().unwrap();
            let line = table.find(1 << 32, 1, NOW).unwrap().0;
            let set: u32 = line.bits.iter().map(|word| word.load(Ordering::Relaxed).count_ones()).sum();
            assert_eq!(set, 2);
        });
    }
}
