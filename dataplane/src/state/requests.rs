//! Requests of GTP-C that wait for their answer (TS 29.060 §7.6, TS 29.274 §7.6), of one direction at one worker: an answer goes
//! between the addresses of its request, and so it meets the same worker.

use core::net::IpAddr;

use super::keyed::Key;
use super::tunnels::octets;

/// Requests that wait at a time.
pub const LIMIT: usize = 1 << 14;
/// How long a request waits for its answer: a sender gives up after some tries, a few seconds apart.
pub const WAIT_MS: u64 = 60_000;

const SLOTS: usize = 8;

/// Who asked whom, and under which number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Asked {
    /// Version of the protocol.
    pub version: u8,
    /// Where the question came from, and the answer goes to.
    pub from: (IpAddr, u16),
    /// Whom it was for.
    pub to: IpAddr,
    /// Its number.
    pub sequence: u32,
}

/// A request that waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Open {
    /// Type of its answer.
    pub answer: u8,
    /// The peer that asked, or was asked.
    pub peer: u16,
    /// Contexts that it speaks of.
    pub contexts: u16,
    /// Our endpoint that it came to, see [`super::tunnels::Tunnels::key`].
    pub on: Option<u64>,
    /// What becomes of that endpoint, or of the one that the answer comes to, if it is accepted.
    pub then: Then,
}

/// See [`Open::then`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Then {
    /// It stays as it is.
    #[default]
    Stays,
    /// It gets the contexts; if it is refused, they are no more.
    Gets,
    /// The contexts are no more.
    Ends,
    /// It was not known, and now it is.
    Adopted,
}

/// Open requests. Memory is taken with the first one.
#[derive(Debug, Default)]
pub struct Requests {
    buckets: Vec<[Option<Entry>; SLOTS]>,
    evicted: u64,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    key: u64,
    at_ms: u64,
    open: Open,
}

impl Entry {
    fn is_live(&self, now_ms: u64) -> bool {
        now_ms.saturating_sub(self.at_ms) <= WAIT_MS
    }
}

impl Asked {
    /// What a table knows the request by.
    pub fn key(&self, key: &Key) -> u64 {
        let (from, port) = self.from;
        let (port, sequence) = (port.to_be_bytes(), self.sequence.to_be_bytes());
        key.hash(&[&[self.version], &octets(from), &port, &octets(self.to), &sequence])
    }
}

impl Requests {
    /// A request waits, or does so anew. In a full bucket the oldest goes.
    pub fn open(&mut self, key: u64, open: Open, now_ms: u64) {
        if self.buckets.is_empty() {
            self.buckets = vec![[None; SLOTS]; LIMIT / SLOTS];
        }
        let Some(bucket) = self.bucket(key) else { return };
        let rank = |slot: &Option<Entry>| match slot {
            Some(entry) if entry.key == key => 0,
            None => 1,
            Some(entry) if !entry.is_live(now_ms) => 2,
            Some(entry) => entry.at_ms.saturating_add(3),
        };
        let Some(slot) = bucket.iter_mut().min_by_key(|slot| rank(slot)) else { return };
        let lost = slot.is_some_and(|entry| entry.key != key && entry.is_live(now_ms));
        *slot = Some(Entry { key, at_ms: now_ms, open });
        self.evicted += u64::from(lost);
    }

    /// The request that a message of this type answers, which waits no more then.
    pub fn take(&mut self, key: u64, answer: u8, now_ms: u64) -> Option<Open> {
        let fits = |entry: &Entry| entry.key == key && entry.open.answer == answer && entry.is_live(now_ms);
        let slot = self.bucket(key)?.iter_mut().find(|slot| slot.is_some_and(|entry| fits(&entry)))?;
        slot.take().map(|entry| entry.open)
    }

    /// Requests that had to go before their time, since the last call.
    pub fn take_evicted(&mut self) -> u64 {
        core::mem::take(&mut self.evicted)
    }

    fn bucket(&mut self, key: u64) -> Option<&mut [Option<Entry>; SLOTS]> {
        let last = self.buckets.len().checked_sub(1)?;
        self.buckets.get_mut(key as usize & last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: Open = Open { answer: 33, peer: 1, contexts: 1, on: None, then: Then::Stays };

    #[test]
    fn an_answer_ends_its_request_and_no_other() {
        let mut table = Requests::default();
        assert_eq!(table.take(7, 33, 0), None);
        table.open(7, OPEN, 1000);
        assert_eq!(table.take(8, 33, 1000), None);
        assert_eq!(table.take(7, 35, 1000), None, "of another type");
        assert_eq!(table.take(7, 33, 1001 + WAIT_MS), None, "late");
        assert_eq!(table.take(7, 33, 1000 + WAIT_MS), Some(OPEN));
        assert_eq!(table.take(7, 33, 1000), None, "answered");
    }

    #[test]
    fn everything_that_names_a_request_is_in_its_key() {
        let (from, to) = (IpAddr::from([192, 0, 2, 65]), IpAddr::from([198, 51, 100, 40]));
        let asked = Asked { version: 2, from: (from, 2123), to, sequence: 7 };
        let key = Key::new(1, 2);
        for other in [
            Asked { version: 1, ..asked },
            Asked { from: (to, 2123), ..asked },
            Asked { from: (from, 2124), ..asked },
            Asked { to: from, ..asked },
            Asked { sequence: 8, ..asked },
        ] {
            assert_ne!(other.key(&key), asked.key(&key), "{other:?}");
        }
    }

    #[test]
    fn a_full_table_forgets_the_oldest_and_counts_it() {
        let mut table = Requests::default();
        let step = (LIMIT / SLOTS) as u64;
        (0..8).for_each(|n| table.open(n * step, OPEN, n));
        table.open(0, OPEN, 8);
        table.open(8 * step, OPEN, 9);
        assert_eq!((table.take_evicted(), table.take_evicted()), (1, 0));
        let left: Vec<_> = (0..9).filter(|n| table.take(n * step, 33, 9).is_some()).collect();
        assert_eq!(left, [0, 2, 3, 4, 5, 6, 7, 8], "the second one went: the first came anew");
        (0..8).for_each(|n| table.open(n * step, OPEN, 0));
        table.open(9 * step, OPEN, 1 + WAIT_MS);
        assert_eq!(table.take_evicted(), 0, "those were late");
    }
}
