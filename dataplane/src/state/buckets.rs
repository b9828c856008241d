//! Token buckets by key: what each calling title, peer or rule has used up of a rate. Shared by all workers, lock-free.
//!
//! The generic cell rate algorithm (ITU-T I.371), as in [`super::rate`]: an entry is the time at which the next message would be
//! due at an even pace. An entry whose time has come says nothing any more, so its place is free without being cleared, and a
//! table that is large enough for what is busy at once forgets nothing that counts.

use super::count::Count;
use super::sync::{AtomicU32, AtomicU64, Ordering};

/// A rate, as one bucket has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    /// Messages a second in the long run; at least 1.
    pub per_second: u32,
    /// Messages at once after a pause; at least 1. At most an hour's worth.
    pub burst: u32,
}

const SLOTS: usize = 8;
const EMPTY: u64 = 0;
/// Ticks of a millisecond: a sixteenth of a microsecond each.
const TICKS: u64 = 16_000;
/// Bits of a time; it comes round in 19 hours.
const TIME: u32 = 40;
const TIMES: u64 = (1 << TIME) - 1;
/// The longest that an entry may lie ahead of now; what seems to be further is of long ago.
const LONGEST: u64 = 3_700_000 * TICKS;

#[repr(align(64))]
struct Bucket([AtomicU64; SLOTS]);

/// The table. All memory is taken in [`Buckets::new`].
pub struct Buckets {
    buckets: Box<[Bucket]>,
    /// The bucket that `sweep` looks at next.
    broom: AtomicU32,
    evicted: Count,
}

impl Buckets {
    /// * `entries`: how many keys may be busy at once, rounded up to a power of two of buckets of eight
    pub fn new(entries: usize) -> Self {
        let buckets = (entries / SLOTS).clamp(1, 1 << 24).next_power_of_two();
        Self {
            buckets: (0..buckets).map(|_| Bucket(core::array::from_fn(|_| AtomicU64::new(EMPTY)))).collect(),
            broom: AtomicU32::new(0),
            evicted: Count::default(),
        }
    }

    /// Takes a token; false if there is none. A message that is refused does not count against the next.
    ///
    /// * `key`: spread evenly, see [`super::keyed::Key`]
    pub fn take(&self, key: u64, pace: Pace, now_ms: u64) -> bool {
        let Some(bucket) = self.buckets.get(key as usize & (self.buckets.len() - 1)) else { return false };
        let now = now_ms.wrapping_mul(TICKS) & TIMES;
        let interval = (1000 * TICKS / u64::from(pace.per_second.max(1))).max(1);
        let room = interval * u64::from(pace.burst.max(1) - 1);
        let tag = (key >> TIME).max(1);
        // As often as there are slots: each failure means that another worker got one of them.
        for _ in 0..SLOTS {
            let mut best: Option<(&AtomicU64, u64, u64)> = None;
            for slot in &bucket.0 {
                let have = slot.load(Ordering::Relaxed);
                let ahead = ahead(have, now);
                if have >> TIME == tag {
                    if ahead > room {
                        return false;
                    }
                    best = Some((slot, have, ahead));
                    break;
                }
                if best.is_none_or(|(_, _, least)| ahead < least) {
                    best = Some((slot, have, ahead));
                }
            }
            let Some((slot, have, ahead)) = best else { return false };
            let mine = have >> TIME == tag;
            let due = now + interval + if mine { ahead } else { 0 };
            if slot.compare_exchange(have, tag << TIME | due & TIMES, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
                if !mine && ahead > 0 {
                    self.evicted.add();
                }
                return true;
            }
        }
        // Eight others were faster: what they took, they took of the same few keys.
        false
    }

    /// Clears what has come to its end out of the next `buckets` buckets. All should be visited within 17 hours, because then
    /// the time of an entry comes round.
    pub fn sweep(&self, buckets: u32, now_ms: u64) {
        let now = now_ms.wrapping_mul(TICKS) & TIMES;
        let start = self.broom.fetch_add(buckets, Ordering::Relaxed);
        for i in 0..buckets {
            let at = start.wrapping_add(i) as usize & (self.buckets.len() - 1);
            for slot in self.buckets.get(at).iter().flat_map(|bucket| &bucket.0) {
                let have = slot.load(Ordering::Relaxed);
                if have != EMPTY && ahead(have, now) == 0 {
                    let _ = slot.compare_exchange(have, EMPTY, Ordering::Relaxed, Ordering::Relaxed);
                }
            }
        }
    }

    /// Keys that had to go while they were busy, for want of room.
    pub fn evicted(&self) -> u64 {
        self.evicted.get()
    }

    /// Octets of memory.
    pub fn memory(&self) -> usize {
        size_of_val(&*self.buckets)
    }
}

/// How far an entry lies ahead; 0 if its time has come.
fn ahead(have: u64, now: u64) -> u64 {
    let ahead = (have & TIMES).wrapping_sub(now) & TIMES;
    if have == EMPTY || ahead > LONGEST { 0 } else { ahead }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const NOW: u64 = 1_790_000_000_000;

    fn count(table: &Buckets, key: u64, pace: Pace, tries: usize, now_ms: u64) -> usize {
        (0..tries).filter(|_| table.take(key, pace, now_ms)).count()
    }

    fn key(n: u64) -> u64 {
        (n + 1) << 40 | n
    }

    #[test]
    fn a_burst_passes_then_the_rate() {
        let table = Buckets::new(64);
        let pace = Pace { per_second: 20, burst: 100 };
        assert_eq!(count(&table, key(1), pace, 500, NOW), 100);
        assert_eq!(count(&table, key(1), pace, 9, NOW + 49), 0);
        assert_eq!(count(&table, key(1), pace, 9, NOW + 50), 1);
        assert_eq!(count(&table, key(1), pace, 99, NOW + 1050), 20);
        assert_eq!(count(&table, key(1), pace, 500, NOW + 60_000), 100, "a pause earns no more than the burst");
        assert_eq!(count(&table, key(2), pace, 5, NOW), 5, "keys do not share");
        assert_eq!(table.evicted(), 0);
    }

    #[test]
    fn in_the_long_run_the_rate_holds() {
        for (per_second, within) in [(1, 0), (1000, 0), (300_000, 3000), (1_000_000, 0)] {
            let table = Buckets::new(8);
            let pace = Pace { per_second, burst: per_second.div_ceil(100) };
            let taken: usize =
                (0..2000).map(|ms| count(&table, key(1), pace, per_second as usize / 100 + 2, NOW + ms)).sum();
            let want = 2 * per_second as usize + pace.burst as usize;
            assert!(taken.abs_diff(want) <= within + pace.burst as usize, "{per_second} a second: {taken}");
        }
    }

    #[test]
    fn an_entry_of_long_ago_is_none_whenever_it_is_met() {
        let pace = Pace { per_second: 1, burst: 3600 };
        for hours in [1, 2, 9, 10, 17] {
            let table = Buckets::new(8);
            assert_eq!(count(&table, key(1), pace, 9999, NOW), 3600);
            let later = NOW + hours * 3_600_000;
            assert_eq!(count(&table, key(1), pace, 9999, later), 3600, "{hours} hours later");
        }
        let table = Buckets::new(8);
        assert_eq!(count(&table, key(1), pace, 9999, NOW), 3600);
        table.sweep(1, NOW + 3_700_000);
        // The time of the entry would come round here.
        assert_eq!(count(&table, key(1), pace, 9999, NOW + 68_719_476), 3600, "swept");
    }

    #[test]
    fn a_full_bucket_lets_go_of_the_one_with_the_least_to_forget() {
        let table = Buckets::new(8);
        let pace = Pace { per_second: 1, burst: 10 };
        for n in 0..8 {
            assert_eq!(count(&table, key(n), pace, 2 + n as usize, NOW), 2 + n as usize);
        }
        assert!(table.take(key(20), pace, NOW));
        assert_eq!(table.evicted(), 1);
        assert_eq!(count(&table, key(7), pace, 99, NOW), 1, "who has used up most is remembered");
        // What is over makes room without an eviction.
        assert!(table.take(key(21), pace, NOW + 20_000) && table.take(key(22), pace, NOW + 20_000));
        assert_eq!(table.evicted(), 1);
    }
}

#[cfg(all(test, loom))]
mod models {
    use super::*;
    use loom::{sync::Arc, thread};

    #[test]
    fn two_workers_never_take_more_than_there_is() {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(3);
        model.check(|| {
            let table = Arc::new(Buckets::new(8));
            let pace = Pace { per_second: 1, burst: 2 };
            let key = 7 << 40;
            // The key is known: two that are new at once may get a slot each.
            assert!(table.take(key, pace, 1_000_000));
            let shared = Arc::clone(&table);
            let thread = thread::spawn(move || shared.take(key, pace, 1_000_000));
            let mine = table.take(key, pace, 1_000_000);
            assert!(mine != thread.join().unwrap(), "one token is left");
        });
    }
}
