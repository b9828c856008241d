//! What memories of one word an entry have in common: where an entry lies, how old it is, and what goes first in a full
//! bucket. Shared by all workers, lock-free.
//!
//! A word is the upper bits of a key, a value of `VALUE` bits, and the time in ticks modulo 2^16. A bucket is a cache line of
//! eight. With 2^n buckets a key counts as 48 - `VALUE` + n bits. Nothing here is a proof of identity, so a race may at worst
//! lose an entry, or keep one until it expires.

use super::count::Count;
use super::sync::{AtomicU32, AtomicU64, Ordering};

/// Events since the start.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Counters {
    /// Entries made.
    pub opened: u64,
    /// Entries that had to go within their time, for want of room in their bucket.
    pub evicted: u64,
    /// Entries that ended by time.
    pub expired: u64,
}

const SLOTS: usize = 8;
const EMPTY: u64 = 0;
/// How many ticks the clocks of two workers, or a clock that was set back, may differ.
const SKEW: u16 = 600;
/// The most ticks that an entry lasts.
pub(super) const LONGEST: u64 = 36_000;

/// Who is told of each entry that comes and goes, so as to know at any time how many an owner has.
pub(super) trait Tally {
    /// Whose an entry is, of its value.
    fn owner(&self, value: u64) -> u64;

    /// One more of this owner; false, and none, if that were more than `most`.
    fn take(&self, owner: u64, most: u32) -> bool;

    /// One less of this owner.
    fn give(&self, owner: u64);
}

/// Nobody counts.
impl Tally for () {
    fn owner(&self, _: u64) -> u64 {
        0
    }

    fn take(&self, _: u64, _: u32) -> bool {
        true
    }

    fn give(&self, _: u64) {}
}

/// How an entry is made.
#[derive(Clone, Copy)]
pub(super) struct Terms {
    /// Ticks that it lasts; more than the table's timeout is that.
    pub(super) ticks: u16,
    /// How many its owner may have.
    pub(super) most: u32,
}

impl Terms {
    /// As long as the table keeps entries, and as many as there is room for.
    pub(super) const FREE: Self = Self { ticks: u16::MAX, most: u32::MAX };
}

#[repr(align(64))]
struct Bucket([AtomicU64; SLOTS]);

/// The table. All memory is taken in [`Words::new`].
pub(super) struct Words<const VALUE: u32, T = ()> {
    buckets: Box<[Bucket]>,
    tick_ms: u64,
    timeout: u16,
    /// The bucket that `sweep` looks at next.
    broom: AtomicU32,
    opened: Count,
    evicted: Count,
    expired: Count,
    tally: T,
}

impl<const VALUE: u32> Words<VALUE> {
    /// * `entries`: how many there is room for, rounded up to a power of two of buckets of eight
    /// * `timeout_ms`: how long an entry lasts, at most [`LONGEST`] ticks of `tick_ms`
    pub(super) fn new(entries: usize, timeout_ms: u64, tick_ms: u64) -> Self {
        Self::tallied(entries, timeout_ms, tick_ms, ())
    }

    /// Puts back an entry of [`Words::all`] with another value; false if its bucket has no room, or there is none.
    pub(super) fn put_back(&self, bucket: usize, word: u64, value: u64) -> bool {
        let Some(bucket) = self.buckets.get(bucket) else { return false };
        let mask: u64 = ((1 << VALUE) - 1) << 16;
        let entry = word & !mask | value << 16 & mask;
        let free = |slot: &&AtomicU64| slot.compare_exchange(EMPTY, entry, Ordering::AcqRel, Ordering::Relaxed).is_ok();
        bucket.0.iter().any(|slot| free(&slot))
    }
}

impl<const VALUE: u32, T: Tally> Words<VALUE, T> {
    /// The same with somebody who counts.
    pub(super) fn tallied(entries: usize, timeout_ms: u64, tick_ms: u64, tally: T) -> Self {
        let buckets = (entries / SLOTS).clamp(1, 1 << 26).next_power_of_two();
        let tick_ms = tick_ms.max(1);
        Self {
            buckets: (0..buckets).map(|_| Bucket(core::array::from_fn(|_| AtomicU64::new(EMPTY)))).collect(),
            tick_ms,
            timeout: timeout_ms.div_ceil(tick_ms).clamp(1, LONGEST) as u16,
            broom: AtomicU32::new(0),
            opened: Count::default(),
            evicted: Count::default(),
            expired: Count::default(),
            tally,
        }
    }

    /// The values of all entries, also of those that have expired.
    #[cfg(test)]
    pub(super) fn values(&self) -> impl Iterator<Item = u64> {
        let words = self.buckets.iter().flat_map(|bucket| &bucket.0).map(|slot| slot.load(Ordering::Acquire));
        words.filter(|word| *word != EMPTY).map(value_of::<VALUE>)
    }

    /// Who counts.
    pub(super) fn tally(&self) -> &T {
        &self.tally
    }

    /// The value under a key, and how many ticks ago it was made or renewed.
    pub(super) fn get(&self, key: u64, now_ms: u64) -> Option<(u64, u16)> {
        self.slots(key).find_map(|(_, have)| Some((value_of::<VALUE>(have), self.age(have, now_ms)?)))
    }

    /// The same of several keys that have one bucket, whose line is read once.
    pub(super) fn get_all<const N: usize>(&self, keys: [u64; N], now_ms: u64) -> [Option<(u64, u16)>; N] {
        let Some(bucket) = keys.first().and_then(|key| self.bucket(*key)) else { return [None; N] };
        let mut found = [None; N];
        for have in bucket.0.iter().map(|slot| slot.load(Ordering::Acquire)) {
            for (found, key) in found.iter_mut().zip(keys) {
                if found.is_none() && is_same::<VALUE>(have, key) {
                    *found = self.age(have, now_ms).map(|age| (value_of::<VALUE>(have), age));
                }
            }
        }
        found
    }

    /// Makes an entry, or renews its time. In a full bucket the oldest of the owner goes that has the most there; with one
    /// entry each, or where all have one owner, the oldest of all.
    ///
    /// * `value`: what to keep, of what is there under the key now
    /// * `owner`: whose an entry is, of its value
    pub(super) fn put(&self, key: u64, now_ms: u64, value: impl Fn(Option<u64>) -> u64, owner: impl Fn(u64) -> u64) {
        self.put_on(key, now_ms, Terms::FREE, value, owner);
    }

    /// The same on other terms; false, and nothing has changed, if the owner has as many as he may.
    pub(super) fn put_on(
        &self,
        key: u64,
        now_ms: u64,
        terms: Terms,
        value: impl Fn(Option<u64>) -> u64,
        owner: impl Fn(u64) -> u64,
    ) -> bool {
        let Some(bucket) = self.bucket(key) else { return true };
        // Whom the new entry is counted for already, while it is not there yet.
        let mut taken = None;
        let give = |taken: Option<u64>| taken.into_iter().for_each(|owner| self.tally.give(owner));
        // As often as there are slots: each failure means that another worker got one of them.
        for _ in 0..SLOTS {
            let Some((slot, have)) = same_or_empty::<VALUE>(bucket, key)
                .or_else(|| self.first_to_go(bucket, owner(value(None)), now_ms, &owner))
            else {
                break;
            };
            let age = self.age(have, now_ms);
            let old = value_of::<VALUE>(have);
            let renews = is_same::<VALUE>(have, key) && age.is_some();
            let new = value(renews.then_some(old));
            let (whose, before) = (self.tally.owner(new), (have != EMPTY).then(|| self.tally.owner(old)));
            // Counted in the place of what was there, so that who has all he may have goes on with what he has.
            let stays = (renews || age.is_none()) && before == Some(whose);
            if !stays && taken != Some(whose) {
                give(taken.take());
                if !self.tally.take(whose, terms.most) {
                    return false;
                }
                taken = Some(whose);
            }
            let entry = self.entry_for(key, new, now_ms, terms.ticks);
            if slot.compare_exchange(have, entry, Ordering::AcqRel, Ordering::Relaxed).is_err() {
                continue;
            }
            give(if stays { taken } else { before });
            match age {
                _ if renews => return true,
                _ if have == EMPTY => {}
                Some(_) => self.evicted.add(),
                None => self.expired.add(),
            }
            self.opened.add();
            return true;
        }
        // Eight others were faster, so by now this one would be the oldest.
        give(taken);
        self.opened.add();
        self.evicted.add();
        true
    }

    /// The slot of a full bucket that goes: one that has expired, or else the oldest of the owner that has the most.
    fn first_to_go<'b>(
        &self,
        bucket: &'b Bucket,
        mine: u64,
        now_ms: u64,
        owner: &impl Fn(u64) -> u64,
    ) -> Option<(&'b AtomicU64, u64)> {
        let mut all = [EMPTY; SLOTS];
        all.iter_mut().zip(&bucket.0).for_each(|(have, slot)| *have = slot.load(Ordering::Acquire));
        let share = |of: u64| all.iter().filter(|have| owner(value_of::<VALUE>(**have)) == of).count() as u32;
        let rank = |have: u64| match self.age(have, now_ms) {
            None => 1 << 28,
            Some(age) => {
                let of = owner(value_of::<VALUE>(have));
                // This one counts too, or whoever comes in would push out another who has as many.
                (share(of) + u32::from(of == mine)) << 16 | u32::from(age)
            }
        };
        let mut best: Option<(&AtomicU64, u64, u32)> = None;
        for (slot, have) in bucket.0.iter().zip(all) {
            let found = rank(have);
            if best.is_none_or(|(_, _, other)| found > other) {
                best = Some((slot, have, found));
            }
        }
        best.map(|(slot, have, _)| (slot, have))
    }

    /// Changes what is under a key; `change` gives the value, and how many ticks of its time are left, or nothing where the
    /// entry goes. False if there is none.
    pub(super) fn change(&self, key: u64, now_ms: u64, change: impl Fn(u64) -> Option<(u64, u16)>) -> bool {
        let mut changed = false;
        // All of them: two workers may have made it at once.
        for (slot, have) in self.slots(key) {
            let next = change(value_of::<VALUE>(have));
            let entry = next.map_or(EMPTY, |(value, left)| self.entry_for(key, value, now_ms, left));
            let after = next.map(|(value, _)| self.tally.owner(value));
            // A change is of what is there already, so no limit holds.
            after.iter().for_each(|owner| _ = self.tally.take(*owner, u32::MAX));
            let done = slot.compare_exchange(have, entry, Ordering::AcqRel, Ordering::Relaxed).is_ok();
            let goes = if done { Some(self.tally.owner(value_of::<VALUE>(have))) } else { after };
            goes.iter().for_each(|owner| self.tally.give(*owner));
            changed |= done;
        }
        changed
    }

    /// Sets bits in the value under a key, whose owner they do not change; its time stays. False if there is none, or they are set.
    pub(super) fn mark(&self, key: u64, now_ms: u64, bits: u64) -> bool {
        let live = self.slots(key).find(|(_, have)| self.age(*have, now_ms).is_some());
        live.is_some_and(|(slot, have)| {
            let marked = have | bits << 16;
            have != marked && slot.compare_exchange(have, marked, Ordering::AcqRel, Ordering::Relaxed).is_ok()
        })
    }

    /// Makes an entry as old as if it had been made `age` ticks ago.
    pub(super) fn date_back(&self, key: u64, now_ms: u64, age: u16) {
        self.change(key, now_ms, |value| Some((value, self.timeout.saturating_sub(age))));
    }

    /// Octets of memory.
    pub(super) fn memory(&self) -> usize {
        size_of_val(&*self.buckets)
    }

    /// How long an entry lasts, ticks, and how many buckets there are.
    pub(super) fn shape(&self) -> (u16, usize) {
        (self.timeout, self.buckets.len())
    }

    /// All entries that have not expired: the bucket of each, and its word.
    pub(super) fn all(&self, now_ms: u64) -> impl Iterator<Item = (usize, u64)> {
        let words = self
            .buckets
            .iter()
            .enumerate()
            .flat_map(|(at, bucket)| bucket.0.iter().map(move |slot| (at, slot.load(Ordering::Acquire))));
        words.filter(move |(_, word)| self.age(*word, now_ms).is_some())
    }

    /// The value in a word of [`Words::all`].
    pub(super) fn value(word: u64) -> u64 {
        value_of::<VALUE>(word)
    }

    /// Clears what has expired out of the next `buckets` buckets, and says how many entries that were.
    ///
    /// Any worker may call it, once a turn; all buckets should be visited within 25000 ticks, because after 2^16 the time of an
    /// entry comes round.
    pub(super) fn sweep(&self, buckets: u32, now_ms: u64) -> usize {
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
                    self.tally.give(self.tally.owner(value_of::<VALUE>(have)));
                    self.expired.add();
                    expired += 1;
                }
            }
        }
        expired
    }

    /// Events so far.
    pub(super) fn counters(&self) -> Counters {
        Counters { opened: self.opened.get(), evicted: self.evicted.get(), expired: self.expired.get() }
    }

    fn bucket(&self, key: u64) -> Option<&Bucket> {
        self.buckets.get(key as usize & (self.buckets.len() - 1))
    }

    /// The slots that hold `key`, expired or not.
    fn slots(&self, key: u64) -> impl Iterator<Item = (&AtomicU64, u64)> {
        let slots = self.bucket(key).into_iter().flat_map(|bucket| &bucket.0);
        slots.map(|slot| (slot, slot.load(Ordering::Acquire))).filter(move |&(_, have)| is_same::<VALUE>(have, key))
    }

    /// Ticks since it was made or renewed; `None` if empty or expired.
    fn age(&self, have: u64, now_ms: u64) -> Option<u16> {
        if have == EMPTY {
            return None;
        }
        let age = self.ticks(now_ms).wrapping_sub(have as u16);
        match age {
            _ if age <= self.timeout => Some(age),
            _ if age > u16::MAX - SKEW => Some(0),
            _ => None,
        }
    }

    fn ticks(&self, now_ms: u64) -> u16 {
        (now_ms / self.tick_ms) as u16
    }

    /// An entry that lasts this many ticks from now on.
    fn entry_for(&self, key: u64, value: u64, now_ms: u64, left: u16) -> u64 {
        let made = self.ticks(now_ms).wrapping_sub(self.timeout.saturating_sub(left));
        tag::<VALUE>(key) << (16 + VALUE) | (value & ((1 << VALUE) - 1)) << 16 | u64::from(made)
    }

    /// Of the key, what entries know of it: its bucket and their tag.
    pub(super) fn locator(&self, key: u64) -> u64 {
        let bits = self.buckets.len().trailing_zeros();
        tag::<VALUE>(key) << bits | key & ((1 << bits) - 1)
    }

    /// A key that finds what [`Words::locator`] was made of.
    pub(super) fn key_of(&self, locator: u64) -> u64 {
        let bits = self.buckets.len().trailing_zeros();
        (locator >> bits) << (16 + VALUE) | locator & ((1 << bits) - 1)
    }
}

/// The slot that holds a key, expired or not, or else the first that is empty, and what is in it.
fn same_or_empty<const VALUE: u32>(bucket: &Bucket, key: u64) -> Option<(&AtomicU64, u64)> {
    let mut empty = None;
    for slot in &bucket.0 {
        let have = slot.load(Ordering::Acquire);
        if is_same::<VALUE>(have, key) {
            return Some((slot, have));
        }
        if have == EMPTY && empty.is_none() {
            empty = Some((slot, have));
        }
    }
    empty
}

/// The upper bits of the key; nought would look empty.
fn tag<const VALUE: u32>(key: u64) -> u64 {
    (key >> (16 + VALUE)).max(1)
}

fn value_of<const VALUE: u32>(have: u64) -> u64 {
    have >> 16 & ((1 << VALUE) - 1)
}

fn is_same<const VALUE: u32>(have: u64, key: u64) -> bool {
    have >> (16 + VALUE) == tag::<VALUE>(key)
}
