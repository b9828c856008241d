//! Which transaction of ours an id of the other side's stands for: our END and ABORT name only that (Q.773). Shared by all
//! workers, lock-free.
//!
//! An entry is two words, the hash of the other side's id and where our transaction is remembered. A whole word of hash, since who
//! is found by chance here would lose his dialogue. Entries have no time: one whose transaction is no longer open has no use, and
//! its place is the next one's.

use super::sync::{AtomicU64, Ordering};

const PAIRS: usize = 4;
const EMPTY: u64 = 0;
/// Somebody writes here.
const BUSY: u64 = 1;

struct Pair {
    hash: AtomicU64,
    place: AtomicU64,
}

#[repr(align(64))]
struct Bucket([Pair; PAIRS]);

/// The table. All memory is taken in [`Counterparts::new`].
pub(super) struct Counterparts {
    buckets: Box<[Bucket]>,
}

impl Counterparts {
    /// * `entries`: how many there is room for, rounded up to a power of two of buckets of four
    pub(super) fn new(entries: usize) -> Self {
        let buckets = (entries / PAIRS).clamp(1, 1 << 26).next_power_of_two();
        let pair = || Pair { hash: AtomicU64::new(EMPTY), place: AtomicU64::new(0) };
        Self { buckets: (0..buckets).map(|_| Bucket(core::array::from_fn(|_| pair()))).collect() }
    }

    /// Notes where the transaction is that the other side knows under this hash. In a full bucket one goes that is not open, or
    /// else any.
    pub(super) fn note(&self, hash: u64, place: u64, is_open: impl Fn(u64) -> bool) {
        let (Some(Bucket(pairs)), hash) = (self.bucket(hash), of(hash)) else { return };
        // As often as there are places: each failure means that another worker was faster at one. Who is too late each time has
        // lost: then the transaction ends by time.
        for _ in 0..PAIRS {
            match place_for(pairs, hash, &is_open) {
                Some((pair, have)) if have == hash && pair.place.load(Ordering::Acquire) == place => return,
                Some((pair, have)) if !write(pair, have, hash, place) => {}
                Some(_) | None => return,
            }
        }
    }

    /// Takes out what the other side knows under this hash.
    pub(super) fn take(&self, hash: u64) -> Option<u64> {
        let (Bucket(pairs), hash) = (self.bucket(hash)?, of(hash));
        let pair = pairs.iter().find(|pair| pair.hash.load(Ordering::Acquire) == hash)?;
        let place = pair.place.load(Ordering::Acquire);
        // Where the place is another's by now, so is the hash.
        pair.hash.compare_exchange(hash, EMPTY, Ordering::AcqRel, Ordering::Relaxed).ok()?;
        Some(place)
    }

    fn bucket(&self, hash: u64) -> Option<&Bucket> {
        self.buckets.get(hash as usize & (self.buckets.len() - 1))
    }
}

/// What stands for a hash, which is neither of the two that mean something else.
fn of(hash: u64) -> u64 {
    hash | 1 << 63
}

/// Where a hash is, or else what is empty, has ended, or is at hand; and what is there.
fn place_for<'b>(pairs: &'b [Pair; PAIRS], hash: u64, is_open: &impl Fn(u64) -> bool) -> Option<(&'b Pair, u64)> {
    let seen = || pairs.iter().map(|pair| (pair, pair.hash.load(Ordering::Acquire)));
    let ended = |&(pair, have): &(&Pair, u64)| have != BUSY && !is_open(pair.place.load(Ordering::Acquire));
    seen()
        .find(|(_, have)| *have == hash)
        .or_else(|| seen().find(|(_, have)| *have == EMPTY))
        .or_else(|| seen().find(ended))
        .or_else(|| seen().nth((hash >> 32) as usize % PAIRS).filter(|(_, have)| *have != BUSY))
}

/// If it is as it was seen.
fn write(pair: &Pair, seen: u64, hash: u64, place: u64) -> bool {
    let mine = pair.hash.compare_exchange(seen, BUSY, Ordering::AcqRel, Ordering::Relaxed).is_ok();
    if mine {
        pair.place.store(place, Ordering::Release);
        pair.hash.store(hash, Ordering::Release);
    }
    mine
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_last_is_found_once() {
        let table = Counterparts::new(16);
        assert_eq!(table.take(5), None);
        table.note(5, 50, |_| true);
        table.note(5, 51, |_| true);
        table.note(5 + 4, 90, |_| true);
        assert_eq!((table.take(5), table.take(5), table.take(9)), (Some(51), None, Some(90)));
    }

    #[test]
    fn a_full_bucket_lets_those_go_that_have_ended() {
        let table = Counterparts::new(4);
        for n in 0..4 {
            table.note(n << 8, n, |_| true);
        }
        table.note(4 << 8, 4, |place| place != 2);
        assert_eq!([0, 1, 2, 3, 4].map(|n: u64| table.take(n << 8)), [Some(0), Some(1), None, Some(3), Some(4)]);
        for n in 0..4 {
            table.note(n << 8, n, |_| true);
        }
        table.note(4 << 8, 4, |_| true);
        let left = [0, 1, 2, 3].map(|n: u64| table.take(n << 8)).iter().flatten().count();
        assert_eq!((left, table.take(4 << 8)), (3, Some(4)), "all are open: any goes");
    }
}

#[cfg(all(test, loom))]
mod models {
    use super::*;
    use loom::{sync::Arc, thread};

    #[test]
    fn nobody_takes_the_place_of_another() {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(3);
        model.check(|| {
            let table = Arc::new(Counterparts::new(4));
            for n in 1..=4 {
                table.note(n << 8, n, |_| true);
            }
            let shared = Arc::clone(&table);
            // The place of the first one is given to a fifth while somebody takes the first.
            let thread = thread::spawn(move || shared.note(5 << 8, 5, |place| place != 1));
            let first = table.take(1 << 8);
            thread.join().unwrap();
            assert!(matches!(first, Some(1) | None), "{first:?}");
            assert_eq!(table.take(1 << 8), None);
            assert_eq!(table.take(5 << 8), Some(5));
        });
    }
}
