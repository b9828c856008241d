//! URLs of certificates that calls name and nobody has: workers note them, control fetches them.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crossbeam::queue::ArrayQueue;
use sealgate_wire::sec::passport::MAX_INFO;

use super::keyed::Key;
use super::prints::Prints;

/// URLs that wait for control at a time. It looks many times a second, and what finds no room is named by the next call.
const ROOM: usize = 256;

/// A URL in a slot of fixed size: a worker that notes one allocates nothing.
struct Url {
    len: u16,
    octets: [u8; MAX_INFO],
}

/// The URLs. All workers share it, and control.
pub struct Misses {
    queue: ArrayQueue<Url>,
    followed: AtomicBool,
    lost: AtomicU64,
    /// URLs that no call should wait for.
    hopeless: Prints,
    given_up: AtomicU64,
}

/// URLs that no call should wait for, and for how long. Of one that is pushed out a call waits in vain.
const HOPELESS: usize = 4096;
const HOPELESS_MS: u64 = 60_000;

impl Misses {
    /// Nothing noted, and nobody follows.
    ///
    /// * `key`: spreads URLs, which callers choose
    pub fn new(key: Key) -> Self {
        Self {
            queue: ArrayQueue::new(ROOM),
            followed: AtomicBool::new(false),
            lost: AtomicU64::new(0),
            hopeless: Prints::new(HOPELESS, HOPELESS_MS, key),
            given_up: AtomicU64::new(0),
        }
    }

    /// Says that nothing will come of a URL for now: calls that wait for it are judged without.
    pub fn give_up(&self, url: &[u8], now_ms: u64) {
        self.hopeless.put(&[url], 0, now_ms);
        self.given_up.fetch_add(1, Ordering::Release);
    }

    /// How often something was given up.
    pub(crate) fn given_up(&self) -> u64 {
        self.given_up.load(Ordering::Acquire)
    }

    /// Whether a call may hope for the certificate of a URL.
    pub(crate) fn has_hope(&self, url: &[u8], now_ms: u64) -> bool {
        self.is_followed() && self.hopeless.get(&[url], now_ms).is_none()
    }

    /// Notes a URL, if somebody follows.
    pub(crate) fn note(&self, url: &[u8]) {
        if !self.is_followed() {
            return;
        }
        let mut octets = [0; MAX_INFO];
        let Some(place) = octets.get_mut(..url.len()) else { return };
        place.copy_from_slice(url);
        if self.queue.push(Url { len: url.len() as u16, octets }).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Says whether somebody fetches what is noted. Where nobody does, no call waits for it.
    pub fn follow(&self, followed: bool) {
        self.followed.store(followed, Ordering::Relaxed);
    }

    /// Whether somebody fetches what is noted.
    pub fn is_followed(&self) -> bool {
        self.followed.load(Ordering::Relaxed)
    }

    /// The next URL, the oldest first.
    pub fn next(&self) -> Option<Vec<u8>> {
        let url = self.queue.pop()?;
        Some(url.octets.get(..usize::from(url.len))?.to_vec())
    }

    /// URLs that found no room so far.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_wait_in_their_order_up_to_a_limit_if_somebody_follows() {
        let misses = Misses::new(Key::random());
        misses.note(b"https://a/1");
        assert_eq!(misses.next(), None, "nobody follows");
        misses.follow(true);
        let long = [b'x'; MAX_INFO];
        misses.note(&long);
        misses.note(&[b'x'; MAX_INFO + 1]);
        for _ in 0..ROOM {
            misses.note(b"https://a/2");
        }
        assert_eq!(misses.lost(), 1);
        assert_eq!(misses.next().as_deref(), Some(&long[..]));
        assert_eq!(misses.next().as_deref(), Some(&b"https://a/2"[..]));
        assert_eq!(std::iter::from_fn(|| misses.next()).count(), ROOM - 2);
    }
    #[test]
    fn what_was_given_up_is_hopeless_for_a_minute() {
        let misses = Misses::new(Key::random());
        let (url, other) = (b"https://a/1".as_slice(), b"https://a/2".as_slice());
        assert!(!misses.has_hope(url, 0), "nobody follows");
        misses.follow(true);
        let now_ms = 1_795_000_000_000;
        assert!(misses.has_hope(url, now_ms) && misses.has_hope(other, now_ms));
        misses.give_up(url, now_ms);
        assert_eq!(misses.given_up(), 1);
        for (after_s, hope) in [(0, false), (60, false), (68, true), (3600, true)] {
            assert_eq!(misses.has_hope(url, now_ms + after_s * 1000), hope, "after {after_s} s");
        }
        assert!(misses.has_hope(other, now_ms));
    }
}
