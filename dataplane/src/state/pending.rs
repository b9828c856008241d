//! Location updates on their way to our own register, by the transaction that its answer comes in. Shared by all workers,
//! lock-free.
//!
//! An entry is three words, written one after the other, and the first is made of the key and the other two: two workers that
//! write or read the same one at the same time find it broken, never mixed. What is lost is an answer that nobody knows;
//! [`super::subscribers`] then does as if none had come.

use super::count::Count;
use super::subscribers::{Domain, Location, Update};
use super::sync::{AtomicU64, Ordering};

/// Entries that wait at a time: half a MiB.
const ENTRIES: usize = 1 << 14;
const SLOTS: usize = 4;
const EMPTY: u64 = 0;
/// How long an answer may take, milliseconds: longer than a register does.
const WAIT_MS: u64 = 60_000;
const SECOND_MS: u64 = 1000;
/// How many seconds the clocks of two workers may differ.
const SKEW: u16 = 600;
const TIME: u64 = 0xffff;

/// Check, subscriber, and where it would be.
#[repr(align(32))]
struct Slot([AtomicU64; 3]);

/// The memory. Share it behind an `Arc`; all of it is taken in [`Pending::new`].
pub struct Pending {
    buckets: Box<[[Slot; SLOTS]]>,
    evicted: Count,
}

impl Default for Pending {
    fn default() -> Self {
        Self::new(ENTRIES)
    }
}

impl Pending {
    /// Nothing on its way.
    ///
    /// * `entries`: how many there is room for, rounded up to a power of two of buckets of four
    pub fn new(entries: usize) -> Self {
        let buckets = (entries / SLOTS).max(1).next_power_of_two();
        let slot = || Slot(core::array::from_fn(|_| AtomicU64::new(EMPTY)));
        let bucket = |_| core::array::from_fn(|_| slot());
        Self { buckets: (0..buckets).map(bucket).collect(), evicted: Count::default() }
    }

    /// Remembers an update until its answer comes. In a full bucket the oldest goes of the operator that has the most there.
    ///
    /// * `key`: of its transaction
    pub fn put(&self, key: u64, update: &Update, now_ms: u64) {
        let Some(bucket) = self.bucket(key) else { return };
        let empty = bucket.iter().find(|slot| slot.0[0].load(Ordering::Acquire) == EMPTY);
        let Some((slot, check)) = empty.map(|slot| (slot, EMPTY)).or_else(|| self.first_to_go(bucket, update, now_ms))
        else {
            return;
        };
        let value = pack(update);
        let [first, second, third] = &slot.0;
        // Whoever else wants this slot finds it changed, and goes without.
        if first.compare_exchange(check, EMPTY, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            return;
        }
        second.store(update.key, Ordering::Release);
        third.store(value, Ordering::Release);
        first.store(check_of(key, update.key, value) | ((now_ms / SECOND_MS) & TIME), Ordering::Release);
    }

    /// The slot of a full bucket that goes, and its check.
    fn first_to_go<'b>(&self, bucket: &'b [Slot; SLOTS], update: &Update, now_ms: u64) -> Option<(&'b Slot, u64)> {
        let peer_of = |slot: &Slot| unpack(slot.0[2].load(Ordering::Relaxed)).1.peer;
        let share = |peer: u16| bucket.iter().filter(|slot| peer_of(slot) == peer).count() as u32;
        let mut best: Option<(&Slot, u64, u32)> = None;
        for slot in bucket {
            let check = slot.0[0].load(Ordering::Acquire);
            let rank = match age(check, now_ms) {
                _ if check == EMPTY => u32::MAX,
                None => u32::MAX - 1,
                Some(age) => {
                    let peer = peer_of(slot);
                    (share(peer) + u32::from(peer == update.location.peer)) << 16 | u32::from(age)
                }
            };
            if best.is_none_or(|(_, _, other)| rank > other) {
                best = Some((slot, check, rank));
            }
        }
        let (slot, check, rank) = best?;
        if rank < u32::MAX - 1 {
            self.evicted.add();
        }
        Some((slot, check))
    }

    /// The update of a transaction, which waits no more then.
    pub fn take(&self, key: u64, now_ms: u64) -> Option<Update> {
        let (slot, check, update) = self.find(key, now_ms)?;
        slot.0[0].compare_exchange(check, EMPTY, Ordering::AcqRel, Ordering::Relaxed).ok()?;
        Some(update)
    }

    /// Updates that had to go before their answer, for want of room.
    pub fn evicted(&self) -> u64 {
        self.evicted.get()
    }

    /// Octets of memory.
    pub fn memory(&self) -> usize {
        size_of_val(&*self.buckets)
    }

    fn find(&self, key: u64, now_ms: u64) -> Option<(&Slot, u64, Update)> {
        self.bucket(key)?.iter().find_map(|slot| {
            let [first, second, third] = &slot.0;
            let check = first.load(Ordering::Acquire);
            let (subscriber, value) = (second.load(Ordering::Acquire), third.load(Ordering::Acquire));
            let whole = check & !TIME == check_of(key, subscriber, value) && check != EMPTY;
            if !whole || age(check, now_ms).is_none() {
                return None;
            }
            let (domain, location) = unpack(value);
            Some((slot, check, Update { key: subscriber, domain, location }))
        })
    }

    fn bucket(&self, key: u64) -> Option<&[Slot; SLOTS]> {
        self.buckets.get(key as usize & (self.buckets.len() - 1))
    }
}

/// Stands for all of an entry but its time.
fn check_of(key: u64, subscriber: u64, value: u64) -> u64 {
    let mixed = (subscriber ^ value.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (key ^ mixed ^ mixed >> 32) & !TIME
}

/// Seconds since it was made; `None`: too long.
fn age(check: u64, now_ms: u64) -> Option<u16> {
    let age = ((now_ms / SECOND_MS) as u16).wrapping_sub(check as u16);
    match age {
        _ if u64::from(age) * SECOND_MS <= WAIT_MS => Some(age),
        _ if age > u16::MAX - SKEW => Some(0),
        _ => None,
    }
}

fn pack(update: &Update) -> u64 {
    let Location { peer, place } = update.location;
    u64::from(update.domain as u8) << 32 | u64::from(peer) << 16 | u64::from(place)
}

fn unpack(value: u64) -> (Domain, Location) {
    let domain = match value >> 32 & 3 {
        0 => Domain::Circuit,
        1 => Domain::Packet,
        _ => Domain::Lte,
    };
    (domain, Location { peer: (value >> 16) as u16, place: value as u16 })
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const NOW: u64 = 1_795_000_000_000;

    fn update(n: u64, peer: u16) -> Update {
        Update { key: n, domain: Domain::Packet, location: Location { peer, place: 65_535 } }
    }

    #[test]
    fn an_update_waits_for_its_answer_once_and_not_for_ever() {
        let pending = Pending::new(16);
        pending.put(7, &update(1, 65_535), NOW);
        assert_eq!(pending.take(8, NOW), None);
        assert_eq!(pending.take(7 | 1 << 40, NOW), None);
        assert_eq!(pending.take(7, NOW + 59_000), Some(update(1, 65_535)));
        assert_eq!(pending.take(7, NOW + 59_000), None, "taken");
        pending.put(7, &update(1, 2), NOW);
        assert_eq!(pending.take(7, NOW + 61_000), None, "late");
        for domain in Domain::ALL {
            let update = Update { domain, ..update(2, 3) };
            pending.put(9 << 20, &update, NOW);
            assert_eq!(pending.take(9 << 20, NOW), Some(update));
        }
        assert_eq!(pending.evicted(), 0);
    }

    #[test]
    fn who_sends_the_most_loses_his_own() {
        let pending = Pending::new(4);
        let key = |n: u64| n << 20;
        pending.put(key(1), &update(1, 1), NOW);
        pending.put(key(2), &update(2, 2), NOW + 1000);
        for n in 3..100 {
            pending.put(key(n), &update(n, 9), NOW + n * 10);
        }
        assert_eq!(pending.evicted(), 95);
        assert_eq!(pending.take(key(1), NOW + 2000), Some(update(1, 1)));
        assert_eq!(pending.take(key(2), NOW + 2000), Some(update(2, 2)));
        assert_eq!(pending.memory(), 128);
    }
}

#[cfg(all(test, loom))]
mod models {
    use super::*;
    use loom::{sync::Arc, thread};

    const NOW: u64 = 1_795_000_000_000;

    fn update(n: u64) -> Update {
        Update { key: n << 50 | n, domain: Domain::Circuit, location: Location { peer: n as u16, place: n as u16 } }
    }

    #[test]
    fn two_writers_and_a_reader_never_make_a_third_update() {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(3);
        model.check(|| {
            let pending = Arc::new(Pending::new(1));
            let key = |n: u64| n << 20;
            // One bucket with one place left for both.
            (10..13).for_each(|n| pending.put(key(n), &update(n), NOW));
            let shared = Arc::clone(&pending);
            let writer = thread::spawn(move || shared.put(key(1), &update(1), NOW + 2000));
            pending.put(key(2), &update(2), NOW + 2000);
            for n in [1, 2] {
                assert!(pending.take(key(n), NOW + 2000).is_none_or(|found| found == update(n)), "never mixed");
            }
            writer.join().unwrap();
            for n in [1, 2, 10, 11, 12] {
                assert!(pending.take(key(n), NOW + 2000).is_none_or(|found| found == update(n)), "never mixed");
            }
        });
    }

    #[test]
    fn an_update_is_taken_once() {
        loom::model(|| {
            let pending = Arc::new(Pending::new(1));
            pending.put(1 << 20, &update(1), NOW);
            let shared = Arc::clone(&pending);
            let other = thread::spawn(move || shared.take(1 << 20, NOW));
            let mine = pending.take(1 << 20, NOW);
            assert_eq!([mine, other.join().unwrap()].iter().flatten().count(), 1);
        });
    }
}
